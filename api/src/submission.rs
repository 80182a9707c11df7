//! Stores accepted requests as jobs. Concurrent submissions share one transaction and one commit.
//!
//! All jobs of a submission are stored, or none. The client gets 202 after the commit. The job ids then go to the queue; the
//! sweep enqueues ids that did not get there. A submission whose client disconnects before the commit is not stored. A client
//! that disconnects later learns the outcome by sending the request again with its `Idempotency-Key`.

mod batch;
mod dataset_cache;
mod enqueue;
mod insert;
mod job_submission;
mod memory;
mod quota;
mod source_model;
mod validate;

use std::sync::Arc;

use trainyard_domain::JobId;
use trainyard_http::Problem;
use trainyard_storage::Batcher;

pub(crate) use batch::count_submitted;
pub(crate) use dataset_cache::DatasetCache;
pub(crate) use enqueue::{enqueue, queue_entry, trace_parent};
pub(crate) use job_submission::JobSubmission;
pub(crate) use quota::Quota;
pub(crate) use validate::{validate, with_prefix};

use crate::state::Dependencies;

/// Most submissions per transaction. A larger batch saves little and delays every submission in it.
const MAX_BATCH: usize = 128;

/// How often a submission is tried while it conflicts with others.
const MAX_TRIES: usize = 4;

/// The outcome of a submission in one batch.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The jobs, stored now or by an earlier request with the same key.
    Jobs(Vec<JobId>),
    /// A concurrent request stored the same key, or the dataset was replaced. Trying again resolves the conflict.
    Conflict,
}

/// Stores submissions in batches.
pub(crate) type Submissions = Batcher<Arc<JobSubmission>, Result<Outcome, Problem>>;

/// Starts the task that stores submissions. Call it within a Tokio runtime.
pub(crate) fn start(dependencies: &Dependencies, quota: &Arc<Quota>) -> Submissions {
    let (dependencies, quota, cache) = (dependencies.clone(), Arc::clone(quota), Arc::new(DatasetCache::default()));
    Batcher::start(MAX_BATCH, move |submissions: Vec<Arc<JobSubmission>>| {
        let (dependencies, quota, cache) = (dependencies.clone(), Arc::clone(&quota), Arc::clone(&cache));
        async move { batch::store(&dependencies, &quota, &cache, &submissions).await }
    })
}

/// Stores a submission; returns its jobs, in the order of the request.
///
/// # Errors
/// 422 for invalid fields, 429 at a job limit, 409 for a conflict that persists.
pub(crate) async fn submit(submissions: &Submissions, submission: JobSubmission) -> Result<Vec<JobId>, Problem> {
    let client = Arc::new(());
    let submission = Arc::new(submission.awaited_by(&client));
    // The conflict may be with a submission of the same batch or of another process. The next try reads what was stored.
    for _ in 0..MAX_TRIES {
        if let Outcome::Jobs(jobs) = submissions.call(Arc::clone(&submission)).await?? {
            return Ok(jobs);
        }
    }
    Err(Problem::conflict(match submission.key() {
        Some(_) => "another request with this Idempotency-Key is in progress; try again",
        None => "the dataset is being replaced; try again",
    }))
}
