//! Publishes a trained model or a prediction's result exactly once. A model is uploaded under a key of job and claim, and read
//! back; the parts of a result are stored already. Then one transaction inserts the version, decides about its promotion and
//! finishes the job, if the claim is current and the job was not cancelled. Otherwise the artifact is deleted.

use std::time::Duration;

use serde_json::{Value, json};
use trainyard_artifacts::{ArtifactError, Key};
use trainyard_domain::outcome::RunOutcome;
use trainyard_domain::{FailureCode, Job, JobStatus, LogLevel, Promotion, PromotionDecision, Training};
use trainyard_storage::{NewVersion, Published, Result, StorageError, Tx};
use trainyard_telemetry::Span;

use crate::active_runs::PublicationStop;
use crate::folder::RunFolder;
use crate::job::RunError;
use crate::predict::PredictionResult;
use crate::progress::Progress;
use crate::protocol::Done;
use crate::retry::Retry;
use crate::worker::Worker;
use crate::{fetch, job_metrics, trace};

/// Time limit of the transaction. The next attempt first checks whether the transaction was committed.
const COMMIT_LIMIT: Duration = Duration::from_secs(30);
/// Time limit of the message to the inference role, which also polls the database.
const ANNOUNCE_LIMIT: Duration = Duration::from_secs(2);
/// Most conflicts with other jobs that publish under the same name.
const MAX_CONFLICTS: u32 = 8;

/// What a run publishes.
enum Publication<'p> {
    /// A model, with the log that shows the decision about its promotion.
    Model(Box<NewVersion>, &'p Progress),
    Result(&'p PredictionResult),
}

/// Publishes the model of `done` and finishes the job as succeeded. After an error the artifact is deleted, unless it may have
/// been published.
pub(crate) async fn publish_model(
    worker: &Worker,
    job: &Job,
    training: &Training,
    folder: &RunFolder,
    done: &Done,
    stop: PublicationStop<'_>,
    progress: &Progress,
) -> std::result::Result<(), RunError> {
    let mut span = Span::child_of(trace::trace_parent(job), "job.publish");
    let key = Key::artifact(job.id, job.claim);
    let mut retry = Retry::for_at_most(worker.config.storage_timeout());
    let uploaded = tokio::select! {
        uploaded = upload(worker, &key, folder, done, &mut retry) => uploaded,
        reason = stop.raised() => Err(reason.into()),
    };
    let published = match uploaded {
        Ok(()) => {
            let model = Box::new(version(worker, job, training, &key, done, &span));
            commit(worker, job, &mut Publication::Model(model, progress), stop, &mut retry).await
        }
        Err(error) => Err(error),
    };
    match &published {
        Ok(version) => {
            span.describe(|span| {
                span.text("model.name", &job.spec.name);
                version.iter().for_each(|version| span.number("model.version", *version));
            });
            announce(worker).await;
        }
        Err(_) => {
            span.fail("not published");
            discard(worker, job, &key).await;
        }
    }
    published.map(drop)
}

/// Publishes a result, whose parts are stored, and finishes the job as succeeded.
pub(crate) async fn publish_result(
    worker: &Worker,
    job: &Job,
    result: &PredictionResult,
    stop: PublicationStop<'_>,
) -> std::result::Result<(), RunError> {
    let mut span = Span::child_of(trace::trace_parent(job), "job.publish");
    let mut retry = Retry::for_at_most(worker.config.storage_timeout());
    let published = commit(worker, job, &mut Publication::Result(result), stop, &mut retry).await;
    if published.is_err() {
        span.fail("not published");
    }
    published.map(drop)
}

/// Stores the model and reads it back.
async fn upload(
    worker: &Worker,
    key: &Key,
    folder: &RunFolder,
    done: &Done,
    retry: &mut Retry,
) -> std::result::Result<(), RunError> {
    loop {
        match try_upload(worker, key, folder, done).await {
            Ok(true) => return Ok(()),
            Ok(false) => {
                let message = "the model file changed between training and upload";
                return Err(RunError::failed(FailureCode::Internal, message));
            }
            Err(error) if error.is_retryable() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the model is not stored yet");
                if !retry.wait().await {
                    return Err(fetch::transfer_failure("the model could not be stored", &error));
                }
            }
            Err(error) => return Err(fetch::transfer_failure("the model could not be stored", &error)),
        }
    }
}

/// Uploads once; `false` if the file differs from the report of the training process.
async fn try_upload(
    worker: &Worker,
    key: &Key,
    folder: &RunFolder,
    done: &Done,
) -> std::result::Result<bool, ArtifactError> {
    // Without Landlock, a training process can put a link to another file here.
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

/// The version to insert. Its loads continue the trace of `span`.
fn version(worker: &Worker, job: &Job, training: &Training, key: &Key, done: &Done, span: &Span) -> NewVersion {
    NewVersion {
        name: job.spec.name.clone(),
        job_id: job.id,
        algorithm: training.algorithm,
        features: training.features.clone(),
        target: training.target.clone(),
        metrics: done.metrics.clone(),
        dataset_id: job.dataset_id,
        size: i64::try_from(done.size).unwrap_or(i64::MAX),
        sha256: done.sha256.clone(),
        artifact_key: key.as_str().to_owned(),
        traceparent: span.context().map(|parent| parent.to_string()).or_else(|| job.traceparent.clone()),
        // Each attempt sets its own time.
        now: worker.deps.clock.now(),
        promotion: match training.auto_promote {
            Some(rule) => Promotion::IfBetter(rule),
            None if worker.config.auto_promote => Promotion::Always,
            None => Promotion::FirstOnly,
        },
    }
}

/// Publishes and finishes the job in one transaction, and retries while the database is away. Returns the version of a model.
async fn commit(
    worker: &Worker,
    job: &Job,
    publication: &mut Publication<'_>,
    stop: PublicationStop<'_>,
    retry: &mut Retry,
) -> std::result::Result<Option<i64>, RunError> {
    let mut conflicts = 0;
    loop {
        // A stop does not cancel the transaction below, which could have been committed.
        if let Some(reason) = stop.get() {
            return Err(reason.into());
        }
        match tokio::time::timeout(COMMIT_LIMIT, try_commit(worker, job, publication)).await {
            Ok(Ok(result)) => return result,
            Ok(Err(StorageError::Conflict)) if conflicts < MAX_CONFLICTS => conflicts += 1,
            Ok(Err(error)) if !error.is_retryable() => {
                tracing::error!(error = &error as &dyn std::error::Error, "the result can't be published");
                return Err(RunError::failed(FailureCode::Internal, "the result could not be published"));
            }
            Ok(Err(_)) | Err(_) => tracing::warn!("the result is not published yet: the database is away"),
        }
        let continues = tokio::select! {
            waited = retry.wait() => waited,
            _ = stop.raised() => true,
        };
        if !continues {
            let message = "the database was not available to store the result";
            return Err(RunError::failed(FailureCode::StorageUnavailable, message));
        }
    }
}

/// Commits, unless this run may no longer finish the job as succeeded.
async fn try_commit(
    worker: &Worker,
    job: &Job,
    publication: &mut Publication<'_>,
) -> Result<std::result::Result<Option<i64>, RunError>> {
    let mut tx = worker.deps.db.begin().await?;
    let now = tx.now().await?;
    let current = tx.jobs().get(job.id).await?;
    if let Some(current) = current.as_ref().filter(|current| is_published(current, job)) {
        return Ok(Ok(current.model_version));
    }
    if let Some(error) = refusal(current.as_ref(), job) {
        return Ok(Err(error));
    }
    let (metrics, version) = match publication {
        Publication::Model(new, progress) => {
            new.now = now;
            let Published { version, decision } = tx.models().publish(new).await?;
            let mut metrics = new.metrics.clone();
            if let Some(decision) = decision {
                record_decision(&mut tx, job, &decision, &mut metrics, progress).await?;
            }
            (metrics, Some(version))
        }
        Publication::Result(result) => {
            let parts = tx.predictions().parts(job.id).await?;
            if parts.len() as u64 != result.parts {
                // Another claim has removed parts, or there is a defect, and then the job must not succeed.
                return Ok(Err(RunError::failed(FailureCode::Internal, "the parts of the result are incomplete")));
            }
            (result.metrics.clone(), None)
        }
    };
    if !tx.jobs().succeed(job.id, job.claim, &metrics, version, now).await? {
        // The row changed since it was read.
        let current = tx.jobs().get(job.id).await?;
        return Ok(Err(refusal(current.as_ref(), job).unwrap_or(RunError::Fenced)));
    }
    if job.spec.webhook_url.is_some() {
        tx.webhooks().enqueue(job.id, now).await?;
    }
    tx.commit().await?;
    job_metrics::record_finish(job, JobStatus::Succeeded, now);
    Ok(Ok(version))
}

/// Adds the decision about a guarded promotion to the job's metrics and to its log.
async fn record_decision(
    tx: &mut Tx,
    job: &Job,
    decision: &PromotionDecision,
    metrics: &mut Value,
    progress: &Progress,
) -> Result<()> {
    if let Some(metrics) = metrics.as_object_mut() {
        metrics.insert("promotion".to_owned(), json!(decision));
    }
    // In this transaction, because the log of a finished job takes no lines.
    let batch = progress.waiting_with(LogLevel::Info, &decision.message);
    tx.logs().append(job.id, job.claim, batch.n, &batch.lines).await?;
    Ok(())
}

/// Whether this run has published: an earlier attempt may have committed although its answer was lost.
fn is_published(current: &Job, job: &Job) -> bool {
    current.status == JobStatus::Succeeded && current.claim == job.claim
}

/// Why a run may not publish: its claim is not current, or the job's cancellation was accepted.
fn refusal(current: Option<&Job>, job: &Job) -> Option<RunError> {
    let Some(current) = current.filter(|current| current.status == JobStatus::Running && current.claim == job.claim)
    else {
        return Some(RunError::Fenced);
    };
    current.cancel_requested_at.map(|_| RunError::Ended(RunOutcome::Cancelled))
}

async fn announce(worker: &Worker) {
    if !matches!(tokio::time::timeout(ANNOUNCE_LIMIT, worker.deps.queue.announce_models()).await, Ok(Ok(()))) {
        tracing::debug!("the new version was not announced; inference finds it by polling");
    }
}

/// Deletes the artifact of a run that did not publish. If that is unknown, the sweep deletes the artifact later.
async fn discard(worker: &Worker, job: &Job, key: &Key) {
    let published = async {
        let mut tx = worker.deps.db.read().await?;
        Ok::<_, StorageError>(tx.jobs().get(job.id).await?.is_some_and(|current| is_published(&current, job)))
    };
    if !matches!(tokio::time::timeout(ANNOUNCE_LIMIT, published).await, Ok(Ok(false))) {
        return;
    }
    if let Err(error) = worker.deps.store.delete(key).await {
        tracing::debug!(%error, "an unpublished artifact is left to the sweep");
    }
}
