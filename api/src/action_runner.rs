//! Carries out bulk actions. Every API process polls for actions without a valid lease, so another process continues an
//! action whose process has died.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;
use trainyard_domain::{ActionKind, ActionProgress, JobAction, JobId, SkipReason};
use trainyard_storage::{Cancelled, Result, StorageError, Tx};

use crate::audit::Actor;
use crate::state::Dependencies;

/// Jobs per transaction.
const BATCH: i64 = 200;

/// The task that carries out actions.
#[derive(Debug)]
pub(crate) struct ActionRunner {
    wake: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl ActionRunner {
    /// Starts the task. Call it within a Tokio runtime.
    pub(crate) fn start(dependencies: &Dependencies) -> Self {
        let wake = Arc::new(Notify::new());
        let task = tokio::spawn(run(dependencies.clone(), Arc::clone(&wake)));
        Self { wake, _task: AbortOnDropHandle::new(task) }
    }

    /// Polls for actions now.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

async fn run(dependencies: Dependencies, wake: Arc<Notify>) {
    let poll = dependencies.config.action_poll();
    let mut failing = false;
    while !dependencies.stopping.is_cancelled() {
        let outcome = next_action(&dependencies).await;
        match &outcome {
            Ok(true) => continue,
            Ok(false) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(error = error as &dyn std::error::Error, "bulk actions are not carried out");
                }
            }
        }
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep(poll) => {}
            () = dependencies.stopping.cancelled() => {}
        }
    }
}

/// Carries out one action, if there is one.
async fn next_action(dependencies: &Dependencies) -> Result<bool> {
    let mut tx = dependencies.db.read().await?;
    let now = tx.now().await?;
    let waits = tx.job_actions().any_waits(now).await?;
    drop(tx);
    if !waits {
        return Ok(false);
    }
    let mut tx = dependencies.db.begin().await?;
    let claimed = tx.job_actions().claim(now, now + dependencies.config.action_lease()).await?;
    tx.commit().await?;
    let Some((action, claim)) = claimed else { return Ok(false) };
    let id = action.id;
    let mut run = ActionRun { dependencies, action, claim };
    // A panic would end the task, and no later action of this process would be carried out. The open transaction is
    // dropped, which rolls it back.
    let outcome = AssertUnwindSafe(run.carry_out()).catch_unwind().await;
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) if error.is_retryable() => return Err(error),
        Ok(Err(error)) => {
            tracing::error!(action_id = %id, error = &error as &dyn std::error::Error, "a bulk action failed");
            run.fail(&error.to_string()).await?;
        }
        // The panic hook has logged the message.
        Err(_) => run.fail("an internal error; see the log of the API").await?,
    }
    Ok(true)
}

/// A claimed action.
struct ActionRun<'d> {
    dependencies: &'d Dependencies,
    action: JobAction,
    claim: i64,
}

/// The result of a batch.
enum Batch {
    /// Jobs may be left. These running jobs were asked to stop.
    Stopping(Vec<JobId>),
    /// The action is finished, or another process has claimed it.
    Last,
}

impl ActionRun<'_> {
    async fn carry_out(&mut self) -> Result<()> {
        loop {
            match self.batch().await? {
                Batch::Last => return Ok(()),
                Batch::Stopping(jobs) => self.notify_workers(&jobs).await,
            }
        }
    }

    /// Changes some jobs in one transaction.
    async fn batch(&mut self) -> Result<Batch> {
        let (id, stopping) = (self.action.id, self.dependencies.stopping.is_cancelled());
        let mut tx = self.dependencies.db.begin().await?;
        let now = tx.now().await?;
        // A process that stops gives the lease up.
        let until = if stopping { now } else { now + self.dependencies.config.action_lease() };
        let is_ours = tx.job_actions().renew(id, self.claim, until).await?;
        if !is_ours || stopping {
            tx.commit().await?;
            return Ok(Batch::Last);
        }
        let jobs = tx.job_actions().take(id, BATCH).await?;
        if jobs.is_empty() {
            tx.job_actions().finish(id, None, now).await?;
            tx.commit().await?;
            let ActionProgress { changed, skipped, .. } = self.action.progress;
            tracing::info!(action_id = %id, changed, skipped, "a bulk action has finished");
            return Ok(Batch::Last);
        }
        let mut progress = self.action.progress.clone();
        let mut running = Vec::new();
        let changed = match self.action.kind {
            ActionKind::Cancel => cancel(&mut tx, &jobs, &mut progress, &mut running, now).await?,
            ActionKind::Retry => self.retry(&mut tx, &jobs, &mut progress, now).await?,
        };
        tx.job_actions().record(id, &progress).await?;
        if !changed.is_empty() {
            let action = match self.action.kind {
                ActionKind::Cancel => "training.cancel_all",
                ActionKind::Retry => "training.retry_all",
            };
            let actor = Actor::stored(self.action.created_by, self.action.request_id.clone());
            actor.record(&mut tx, action, format!("action:{id}"), json!({"jobs": changed})).await?;
        }
        tx.commit().await?;
        self.action.progress = progress;
        Ok(Batch::Stopping(running))
    }

    /// Queues jobs again. The sweep enqueues them, by fair scheduling.
    async fn retry(
        &self,
        tx: &mut Tx,
        ids: &[JobId],
        progress: &mut ActionProgress,
        now: DateTime<Utc>,
    ) -> Result<Vec<JobId>> {
        let jobs = tx.jobs().get_many(ids).await?;
        let results = tx.jobs().retry_many(&jobs, self.dependencies.config.job_limits(), now).await?;
        let mut retried = Vec::new();
        for (job, result) in jobs.iter().zip(results) {
            match result {
                None => retried.push(job.id),
                Some(reason) => progress.skip(job.id, reason),
            }
        }
        for id in ids.iter().filter(|id| jobs.iter().all(|job| job.id != **id)) {
            progress.skip(*id, SkipReason::Missing);
        }
        progress.changed += i64::try_from(retried.len()).unwrap_or(i64::MAX);
        Ok(retried)
    }

    /// Notifies the workers of cancelled jobs. The messages only save time.
    async fn notify_workers(&self, jobs: &[JobId]) {
        for job in jobs {
            if let Err(error) = self.dependencies.queue.request_cancel(*job).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "workers were not notified of cancellations; they read them when they renew their leases"
                );
                return;
            }
        }
    }

    async fn fail(&self, error: &str) -> Result<()> {
        let mut tx = self.dependencies.db.begin().await?;
        let now = tx.now().await?;
        if tx.job_actions().renew(self.action.id, self.claim, now).await? {
            tx.job_actions().finish(self.action.id, Some(error), now).await?;
        }
        tx.commit().await
    }
}

/// Cancels jobs. Adds those that a worker runs to `running`. Returns the changed jobs.
async fn cancel(
    tx: &mut Tx,
    ids: &[JobId],
    progress: &mut ActionProgress,
    running: &mut Vec<JobId>,
    now: DateTime<Utc>,
) -> std::result::Result<Vec<JobId>, StorageError> {
    let results = tx.jobs().cancel_many(ids, now).await?;
    let (mut changed, mut ended) = (Vec::new(), Vec::new());
    for (id, result) in ids.iter().zip(results) {
        match result {
            Cancelled::AtOnce => ended.push(*id),
            Cancelled::Requested => running.push(*id),
            Cancelled::AlreadyFinal => progress.skip(*id, SkipReason::Finished),
            Cancelled::Missing => progress.skip(*id, SkipReason::Missing),
        }
    }
    for job in tx.jobs().get_many(&ended).await?.iter().filter(|job| job.spec.webhook_url.is_some()) {
        tx.webhooks().enqueue(job.id, now).await?;
    }
    changed.extend(ended.iter().chain(running.iter()).copied());
    progress.changed += i64::try_from(changed.len()).unwrap_or(i64::MAX);
    Ok(changed)
}
