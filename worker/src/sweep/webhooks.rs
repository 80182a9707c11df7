//! Sends due webhooks concurrently, in a task beside the rounds of the sweep. A round starts the task when a webhook is due.
//!
//! Each attempt is a task. An attempt holds a database connection while it records its result, and on SQLite the write lock.
//! If attempts were futures that are polled only between claims, a claim could wait for a connection that an unpolled attempt
//! holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use metrics::{counter, histogram};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use trainyard_domain::webhook::{Delivery, DeliveryDecision, decide};
use trainyard_storage::Db;
use trainyard_telemetry::catalogue;

use super::{Sweep, SweepError};
use crate::webhooks::{ReceiverLimits, Sender};

/// How often new due webhooks are claimed while attempts are active.
const CLAIM_EVERY: Duration = Duration::from_millis(500);

/// The state of a leader between rounds.
#[derive(Default)]
pub(super) struct Sending {
    sender: Option<Arc<Sender>>,
    task: Option<AbortOnDropHandle<Result<(), SweepError>>>,
}

/// Starts the task if a webhook is due and the task is not running. Returns the result of the last task.
pub(super) async fn run(sweep: &mut Sweep) -> Result<(), SweepError> {
    if let Some(task) = sweep.state.sending.task.take_if(|task| task.is_finished()) {
        // The panic hook has logged a panic.
        task.await.unwrap_or(Ok(()))?;
    }
    if sweep.state.sending.task.is_some() {
        return Ok(());
    }
    let mut tx = sweep.db.read().await?;
    let now = tx.now().await?;
    if !tx.webhooks().any_due(now).await? {
        return Ok(());
    }
    drop(tx);
    let sender = match &sweep.state.sending.sender {
        Some(sender) => sender.clone(),
        None => {
            let config = sweep.webhooks.clone();
            if config.secret.is_none() {
                return Err(SweepError::NoSecret);
            }
            sweep.state.sending.sender.insert(Arc::new(Sender::new(config)?)).clone()
        }
    };
    sweep.state.sending.task = Some(AbortOnDropHandle::new(tokio::spawn(send_due(sweep.db.clone(), sender))));
    Ok(())
}

/// Keeps up to the configured number of attempts active. After a database error it starts no attempt, and waits for the
/// active attempts so that their results can be recorded.
async fn send_due(db: Db, sender: Arc<Sender>) -> Result<(), SweepError> {
    let mut attempts = Attempts::new(sender.config.concurrency);
    let mut outcome = Ok(());
    loop {
        while outcome.is_ok() && attempts.limits.free() > 0 {
            match claim(&db, &sender, &attempts.limits).await {
                Ok((_, claimed)) if claimed.is_empty() => break,
                Ok((now, claimed)) => {
                    claimed.into_iter().for_each(|delivery| attempts.start(&db, &sender, delivery, now));
                }
                Err(error) => outcome = Err(error),
            }
        }
        tokio::select! {
            ended = attempts.tasks.join_next_with_id() => match ended {
                Some(ended) => outcome = outcome.and(attempts.ended(ended)),
                None => return outcome,
            },
            () = sleep(CLAIM_EVERY), if outcome.is_ok() => {}
        }
    }
}

/// The active attempts.
struct Attempts {
    limits: ReceiverLimits,
    tasks: JoinSet<Result<(), SweepError>>,
    receivers: HashMap<Id, String>,
}

impl Attempts {
    fn new(concurrency: usize) -> Self {
        Self { limits: ReceiverLimits::new(concurrency), tasks: JoinSet::new(), receivers: HashMap::new() }
    }

    fn start(&mut self, db: &Db, sender: &Arc<Sender>, delivery: Delivery, now: DateTime<Utc>) {
        self.limits.start(&delivery.receiver);
        let (db, sender, receiver) = (db.clone(), Arc::clone(sender), delivery.receiver.clone());
        let task = self.tasks.spawn(async move { send(&db, &sender, &delivery, now).await });
        self.receivers.insert(task.id(), receiver);
    }

    /// Handles an ended attempt and returns the result of recording it. After a panic, its claim expires.
    fn ended(&mut self, ended: Result<(Id, Result<(), SweepError>), JoinError>) -> Result<(), SweepError> {
        let (id, recorded) = ended.unwrap_or_else(|panic| (panic.id(), Ok(())));
        if let Some(receiver) = self.receivers.remove(&id) {
            self.limits.end(&receiver);
        }
        recorded
    }
}

/// Claims deliveries, and returns the database's time.
async fn claim(
    db: &Db,
    sender: &Sender,
    limits: &ReceiverLimits,
) -> Result<(DateTime<Utc>, Vec<Delivery>), SweepError> {
    let mut tx = db.begin().await?;
    let now = tx.now().await?;
    let until = now + sender.config.claim_time();
    let limit = i64::try_from(limits.free()).unwrap_or(i64::MAX);
    let claimed = tx.webhooks().claim(now, until, limit, &limits.saturated()).await?;
    tx.commit().await?;
    Ok((now, claimed))
}

/// Sends a delivery that was claimed at `now`, and records the result. If the result can't be recorded, the claim expires
/// and the delivery is sent again.
async fn send(db: &Db, sender: &Sender, delivery: &Delivery, now: DateTime<Utc>) -> Result<(), SweepError> {
    let started = Instant::now();
    let answer = sender.send(delivery, now).await;
    histogram!(catalogue::WEBHOOKS_DURATION_SECONDS).record(started.elapsed().as_secs_f64());

    let mut tx = db.begin().await?;
    let now = tx.now().await?;
    let next = decide(&answer, delivery.attempts, &sender.config.retry_pauses_s.0, now, rand::random());
    let recorded = tx.webhooks().record(delivery.id, delivery.claim, &answer, next, now).await?;
    tx.commit().await?;
    if recorded {
        report(delivery, next, answer.error.as_deref().unwrap_or_default());
    }
    Ok(())
}

fn report(delivery: &Delivery, next: DeliveryDecision, error: &str) {
    let (webhook_id, job_id, attempt) = (delivery.id, delivery.job_id, delivery.attempts);
    let outcome = match next {
        DeliveryDecision::Delivered => {
            tracing::info!(%webhook_id, %job_id, attempt, "webhook delivered");
            "delivered"
        }
        DeliveryDecision::Retry(at) => {
            tracing::info!(%webhook_id, %job_id, attempt, error, again_at = %at, "webhook not delivered; retrying later");
            "retried"
        }
        DeliveryDecision::Failed => {
            tracing::warn!(%webhook_id, %job_id, attempt, error, "webhook failed after its last attempt");
            "failed"
        }
    };
    counter!(catalogue::WEBHOOKS_ATTEMPTS_TOTAL, "outcome" => outcome).increment(1);
}
