//! Publishes a trained model exactly once: upload under a key that names job and claim, read it back, then one
//! transaction that makes the version and ends the job if the claim still stands and nobody asked to cancel the job. Else
//! the artifact is garbage.

use std::time::Duration;

use trainyard_artifacts::{ArtifactError, Key};
use trainyard_domain::outcome::Ending;
use trainyard_domain::{FailureCode, Job, JobStatus};
use trainyard_storage::{NewVersion, Result, StorageError};
use trainyard_telemetry::Span;

use crate::folder::RunFolder;
use crate::held::StopSignal;
use crate::job::Unfinished;
use crate::patience::Patience;
use crate::protocol::Done;
use crate::worker::Worker;
use crate::{fetch, measure, trace};

/// A transaction that takes longer than this counts as lost; whether it was is looked up before the next try.
const COMMIT_LIMIT: Duration = Duration::from_secs(30);
/// Telling the inference pool is a courtesy: it polls anyway.
const ANNOUNCE_LIMIT: Duration = Duration::from_secs(2);
/// Two jobs that publish under one name may collide; more often than this is a defect.
const MAX_CONFLICTS: u32 = 8;

/// Publishes what `done` describes and ends the job as succeeded. Returns the version.
///
/// # Errors
/// [`Unfinished`], with the artifact removed unless it may have been published after all.
pub(crate) async fn publish(
    worker: &Worker,
    job: &Job,
    folder: &RunFolder,
    done: &Done,
    stop: &StopSignal,
) -> std::result::Result<i64, Unfinished> {
    let mut span = Span::child_of(trace::place(job), "job.publish");
    let key = Key::artifact(job.id, job.claim);
    let mut patience = Patience::new(worker.config.storage_patience());
    let uploaded = tokio::select! {
        uploaded = upload(worker, &key, folder, done, &mut patience) => uploaded,
        why = stop.raised() => Err(why.into()),
    };
    let published = match uploaded {
        Ok(()) => commit(worker, job, version(worker, job, &key, done, &span), stop, &mut patience).await,
        Err(unfinished) => Err(unfinished),
    };
    match &published {
        Ok(version) => {
            span.describe(|span| {
                span.text("model.name", &job.spec.name);
                span.number("model.version", *version);
            });
            announce(worker).await;
        }
        Err(_) => {
            span.fail("not published");
            discard(worker, job, &key).await;
        }
    }
    published
}

/// Stores the model and reads it back.
async fn upload(
    worker: &Worker,
    key: &Key,
    folder: &RunFolder,
    done: &Done,
    patience: &mut Patience,
) -> std::result::Result<(), Unfinished> {
    loop {
        match try_upload(worker, key, folder, done).await {
            Ok(true) => return Ok(()),
            Ok(false) => {
                let message = "the model changed between training and upload";
                return Err(Unfinished::failed(FailureCode::Internal, message));
            }
            Err(error) if error.is_retryable() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the model is not stored yet");
                if !patience.wait().await {
                    return Err(fetch::failure("the model could not be stored", &error));
                }
            }
            Err(error) => return Err(fetch::failure("the model could not be stored", &error)),
        }
    }
}

/// `false`: the file is not what the training process said it wrote.
async fn try_upload(
    worker: &Worker,
    key: &Key,
    folder: &RunFolder,
    done: &Done,
) -> std::result::Result<bool, ArtifactError> {
    // A kernel without Landlock lets a training process put a link to one of the worker's files here.
    if !std::fs::symlink_metadata(folder.artifact()).is_ok_and(|file| file.is_file()) {
        return Ok(false);
    }
    let stored = worker.deps.store.put_file(key, &folder.artifact()).await?;
    if stored.sha256 != done.sha256 || stored.size != done.size {
        return Ok(false);
    }
    let copy = folder.path().join("stored.tym");
    worker.deps.store.get_to_file(key, &done.sha256, &copy, done.size).await?;
    Ok(true)
}

/// What is to be published. Whoever loads it goes on from `span`.
fn version(worker: &Worker, job: &Job, key: &Key, done: &Done, span: &Span) -> NewVersion {
    NewVersion {
        name: job.spec.name.clone(),
        job_id: job.id,
        algorithm: job.spec.algorithm,
        features: job.spec.features.clone(),
        target: job.spec.target.clone(),
        metrics: done.metrics.clone(),
        dataset_id: job.dataset_id,
        size: i64::try_from(done.size).unwrap_or(i64::MAX),
        sha256: done.sha256.clone(),
        artifact_key: key.as_str().to_owned(),
        traceparent: span.context().map(|place| place.to_string()).or_else(|| job.traceparent.clone()),
        // Each try puts its own in place.
        now: worker.deps.clock.now(),
        auto_promote: worker.config.auto_promote,
    }
}

/// Makes the version and ends the job in one transaction, again while the database is away.
async fn commit(
    worker: &Worker,
    job: &Job,
    mut new: NewVersion,
    stop: &StopSignal,
    patience: &mut Patience,
) -> std::result::Result<i64, Unfinished> {
    let mut conflicts = 0;
    loop {
        // Never abandoned half-way: a transaction whose end nobody saw could have published.
        if let Some(why) = stop.get() {
            return Err(why.into());
        }
        match tokio::time::timeout(COMMIT_LIMIT, try_commit(worker, job, &mut new)).await {
            Ok(Ok(decided)) => return decided,
            Ok(Err(StorageError::Conflict)) if conflicts < MAX_CONFLICTS => conflicts += 1,
            Ok(Err(error)) if !error.is_retryable() => {
                tracing::error!(error = &error as &dyn std::error::Error, "the version can't be published");
                return Err(Unfinished::failed(FailureCode::Internal, "the version could not be published"));
            }
            Ok(Err(_)) | Err(_) => tracing::warn!("the version is not published yet: the database is away"),
        }
        let woken = tokio::select! {
            again = patience.wait() => again,
            _ = stop.raised() => true,
        };
        if !woken {
            return Err(Unfinished::failed(FailureCode::StorageUnavailable, "the database did not take the result"));
        }
    }
}

/// Commits, unless the job is no longer this run's to end as succeeded.
async fn try_commit(worker: &Worker, job: &Job, new: &mut NewVersion) -> Result<std::result::Result<i64, Unfinished>> {
    let mut tx = worker.deps.db.begin().await?;
    let now = tx.now().await?;
    let current = tx.jobs().get(job.id).await?;
    if let Some(version) = current.as_ref().and_then(|current| published(current, job)) {
        return Ok(Ok(version));
    }
    if let Some(why) = refusal(current.as_ref(), job) {
        return Ok(Err(why));
    }
    new.now = now;
    let version = tx.models().publish(new).await?;
    if !tx.jobs().succeed(job.id, job.claim, &new.metrics, version, now).await? {
        // Something came between; it is there to be seen now.
        let current = tx.jobs().get(job.id).await?;
        return Ok(Err(refusal(current.as_ref(), job).unwrap_or(Unfinished::Fenced)));
    }
    if job.spec.webhook_url.is_some() {
        tx.webhooks().tell(job.id, now).await?;
    }
    tx.commit().await?;
    measure::finished(job, JobStatus::Succeeded, now);
    Ok(Ok(version))
}

/// The version that this very run has published: an earlier try may have committed though its answer was lost.
fn published(current: &Job, job: &Job) -> Option<i64> {
    current.model_version.filter(|_| current.status == JobStatus::Succeeded && current.claim == job.claim)
}

/// Why a run may not publish: the job has moved on, or its cancellation was accepted, which is a promise.
fn refusal(current: Option<&Job>, job: &Job) -> Option<Unfinished> {
    let Some(current) = current.filter(|current| current.status == JobStatus::Running && current.claim == job.claim)
    else {
        return Some(Unfinished::Fenced);
    };
    current.cancel_requested_at.map(|_| Unfinished::Ended(Ending::Cancelled))
}

async fn announce(worker: &Worker) {
    if !matches!(tokio::time::timeout(ANNOUNCE_LIMIT, worker.deps.queue.announce_models()).await, Ok(Ok(()))) {
        tracing::debug!("the new version was not announced; inference finds it by polling");
    }
}

/// Removes the artifact of a run that did not publish. Where it can't be told whether it did, the sweep decides later.
async fn discard(worker: &Worker, job: &Job, key: &Key) {
    let published = async {
        let mut tx = worker.deps.db.read().await?;
        Ok::<_, StorageError>(tx.jobs().get(job.id).await?.is_some_and(|current| published(&current, job).is_some()))
    };
    if !matches!(tokio::time::timeout(ANNOUNCE_LIMIT, published).await, Ok(Ok(false))) {
        return;
    }
    if let Err(error) = worker.deps.store.delete(key).await {
        tracing::debug!(%error, "an unpublished artifact is left to the sweep");
    }
}
