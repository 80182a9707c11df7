//! From the database to the queue: which accepted jobs a request hands over itself, and which it leaves to the sweep.

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId, PriorityClass, UserId};
use trainyard_http::{Code, Problem};
use trainyard_storage::{StorageError, Tx};

use crate::state::ApiState;

/// How long a client that is over a limit is told to wait.
const COME_BACK_S: u64 = 30;

/// Refuses one more job of `user` while too many are queued or running.
pub(crate) async fn refuse_over_limit(state: &ApiState, tx: &mut Tx, user: UserId) -> Result<(), Problem> {
    let refuse = |whose: &str, max: i64| {
        let detail =
            format!("{whose} {max} jobs queued or running, which is the limit; try again when some have ended");
        Err(Problem::new(Code::RateLimited, detail).retry_after(COME_BACK_S))
    };
    if tx.jobs().active_of(user).await? >= state.config.max_jobs_per_user {
        return refuse("you have", state.config.max_jobs_per_user);
    }
    if tx.jobs().active_total().await? >= state.config.max_jobs_total {
        return refuse("there are", state.config.max_jobs_total);
    }
    Ok(())
}

/// Whether a job that was just stored goes to the queue at once. It does when it is due and its user has few others;
/// past the window the sweep sends them in fair turns, so that one user's thousands don't fill the queue.
pub(crate) async fn may_send(
    state: &ApiState,
    tx: &mut Tx,
    job: &Job,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    Ok(job.run_at <= now
        && tx.jobs().active_of(job.created_by).await? <= state.config.dispatch_window
        && !tx.jobs().paused().await?)
}

/// Sends a job to the queue. Failing to is no error: the job is stored, and the sweep sends it.
pub(crate) async fn send(state: &ApiState, id: JobId, class: PriorityClass) {
    match tokio::time::timeout(state.config.dispatch_timeout(), state.queue.dispatch(&[(id, class)])).await {
        Ok(Ok(())) => {
            if let Err(error) = mark(state, id).await {
                tracing::warn!(job_id = %id, error = &error as &dyn std::error::Error, "sent, but not marked as sent");
            }
        }
        Ok(Err(error)) => {
            tracing::warn!(job_id = %id, error = &error as &dyn std::error::Error, "not sent; the sweep will");
        }
        Err(_) => tracing::warn!(job_id = %id, "the queue did not take the job in time; the sweep will send it"),
    }
}

async fn mark(state: &ApiState, id: JobId) -> Result<(), StorageError> {
    let mut tx = state.db.begin().await?;
    let now = tx.now().await?;
    tx.jobs().mark_dispatched(&[id], now).await?;
    tx.commit().await
}
