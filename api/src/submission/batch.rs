//! Stores a batch of submissions: reads what they need, validates them, inserts the jobs and enqueues their ids.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use trainyard_domain::{DatasetName, Job, JobId};
use trainyard_http::Problem;
use trainyard_storage::{StorageError, Tx};
use trainyard_telemetry::catalogue;

use super::insert::{DatabaseTime, ValidSubmission, insert};
use super::job_submission::Datasets;
use super::source_model::{self, Models};
use super::{DatasetCache, JobSubmission, Outcome, Quota, enqueue, queue_entry, trace_parent};
use crate::state::Dependencies;

pub(super) type SubmissionResult = Result<Outcome, Problem>;

/// Stores `submissions`, each as a whole or not at all; returns one result for each, in the same order.
pub(super) async fn store(
    dependencies: &Dependencies,
    quota: &Quota,
    cache: &DatasetCache,
    submissions: &[Arc<JobSubmission>],
) -> Result<Vec<SubmissionResult>, StorageError> {
    let BatchContext { time, paused, datasets, models, mut results } =
        read_context(dependencies, cache, submissions).await?;
    let now = time.now;
    // No connection is held during validation: a large request waits for a blocking thread.
    let mut valid = Vec::new();
    for (index, submission) in submissions.iter().enumerate() {
        if results[index].is_some() {
            continue;
        }
        match submission.validate(&datasets, &models, dependencies).await {
            Ok(specs) => {
                let job = |(spec, dataset_id)| {
                    let request_id = submission.actor.request_id();
                    let job = Job::submitted(spec, dataset_id, submission.principal.user_id, request_id, now);
                    Job { traceparent: submission.traceparent.clone(), ..job }
                };
                valid.push(ValidSubmission { index, submission, jobs: specs.into_iter().map(job).collect() });
            }
            Err(problem) => results[index] = Some(Err(problem)),
        }
    }
    let mut results: Vec<_> = results.into_iter().map(|result| result.unwrap_or(Ok(Outcome::Conflict))).collect();
    assign_sorted_ids(&mut valid);
    let stored = insert(dependencies, quota, valid, &mut results, time).await?;

    let mut jobs = Vec::new();
    for ValidSubmission { index, jobs: stored, .. } in stored {
        stored.iter().for_each(count_submitted);
        results[index] = Ok(Outcome::Jobs(stored.iter().map(|job| job.id).collect()));
        jobs.extend(stored);
    }
    // Workers drop the ids while the queue is paused. The response does not wait for the queue.
    let due = jobs.iter().filter(|job| !paused && job.run_at <= now);
    let (traces, due): (Vec<_>, Vec<_>) = due.map(|job| (trace_parent(job), queue_entry(job))).unzip();
    if !due.is_empty() {
        let dependencies = dependencies.clone();
        tokio::spawn(async move { enqueue(&dependencies, &due, traces).await });
    }
    Ok(results)
}

/// What the database says about a batch before validation.
struct BatchContext {
    time: DatabaseTime,
    paused: bool,
    datasets: Datasets,
    models: Models,
    /// One for each submission; `None` for a submission to validate and store.
    results: Vec<Option<SubmissionResult>>,
}

async fn read_context(
    dependencies: &Dependencies,
    cache: &DatasetCache,
    submissions: &[Arc<JobSubmission>],
) -> Result<BatchContext, StorageError> {
    let mut tx = dependencies.db.read_autocommit().await?;
    let (now, paused, datasets) = read_datasets(&mut tx, cache, submissions).await?;
    let time = DatabaseTime { now, read_at: Instant::now() };
    let queries: Vec<_> = submissions.iter().filter_map(|submission| submission.model()).collect();
    let models = source_model::read(&mut tx, cache, &queries).await?;
    let (mut results, mut keys) = (Vec::with_capacity(submissions.len()), HashSet::new());
    for submission in submissions {
        let mut result = earlier_result(&mut tx, submission, now).await?;
        if result.is_none()
            && let Some((key, _)) = submission.key()
            && !keys.insert((submission.principal.user_id, key))
        {
            // The first submission with this key is stored in this batch; the second one tries again afterwards.
            result = Some(Ok(Outcome::Conflict));
        }
        results.push(result);
    }
    // The commit returns the connection with its prepared statements to the pool.
    tx.commit().await?;
    Ok(BatchContext { time, paused, datasets, models, results })
}

/// The time, whether the queue is paused, and the datasets that the submissions name.
async fn read_datasets(
    tx: &mut Tx,
    cache: &DatasetCache,
    submissions: &[Arc<JobSubmission>],
) -> Result<(DateTime<Utc>, bool, Datasets), StorageError> {
    let mut datasets = Datasets::new();
    let mut first = None;
    for name in submissions.iter().flat_map(|submission| submission.datasets()) {
        if datasets.contains_key(name) {
            continue;
        }
        let dataset = match DatasetName::parse(name) {
            Ok(parsed) => {
                let (now, paused, id) = tx.jobs().submission_context(&parsed).await?;
                first.get_or_insert((now, paused));
                match id {
                    Some(id) => cache.get(tx, id).await?,
                    None => None,
                }
            }
            Err(_) => None,
        };
        datasets.insert(name.to_owned(), dataset);
    }
    let (now, paused) = match first {
        Some(first) => first,
        None => (tx.now().await?, tx.jobs().paused().await?),
    };
    Ok((now, paused, datasets))
}

/// The result of an earlier request with the same key, if there is one.
async fn earlier_result(
    tx: &mut Tx,
    submission: &JobSubmission,
    now: DateTime<Utc>,
) -> Result<Option<SubmissionResult>, StorageError> {
    let Some((key, digest)) = submission.key() else { return Ok(None) };
    Ok(match tx.idempotency().find(submission.principal.user_id, key).await? {
        // An expired key is replaced.
        Some(record) if record.expires_at <= now => None,
        Some(record) if record.body_sha256 == digest => Some(Ok(Outcome::Jobs(record.jobs))),
        Some(_) => Some(Err(Problem::conflict("this Idempotency-Key was used with another body; send another key"))),
        None => None,
    })
}

/// Makes the order of job ids the order of submission.
fn assign_sorted_ids(valid: &mut [ValidSubmission<'_>]) {
    let mut ids: Vec<JobId> = valid.iter().flat_map(|valid| &valid.jobs).map(|job| job.id).collect();
    ids.sort();
    let jobs = valid.iter_mut().flat_map(|valid| &mut valid.jobs);
    jobs.zip(ids).for_each(|(job, id)| job.id = id);
}

/// Counts a stored job. The log line of the request names the job as well.
pub(crate) fn count_submitted(job: &Job) {
    let (kind, algorithm) = (job.spec.kind().as_str(), job.spec.algorithm().as_str());
    metrics::counter!(catalogue::JOBS_SUBMITTED_TOTAL, "algorithm" => algorithm, "kind" => kind).increment(1);
    tracing::debug!(job_id = %job.id, request_id = job.request_id.as_deref(), kind, algorithm, "job accepted");
}
