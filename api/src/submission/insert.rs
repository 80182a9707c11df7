//! Inserts the jobs of a batch in one transaction, within the job limits.
//!
//! The first try inserts the jobs within the quota that this process has reserved, or within the upper bounds in the quota
//! rows. If these refuse, the submissions are
//! admitted one by one under the locks of the quota rows, which counts active jobs. Refused, conflicting and abandoned
//! submissions are left out, and a new transaction inserts the others. Each refusal leaves fewer submissions.

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use tokio::time::Instant;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::{DatasetId, Job};
use trainyard_storage::{Admission, AuditEntry, JobDemand, QuotaCredit, Reservation, StorageError, Submission, Tx};

use super::batch::SubmissionResult;
use super::{JobSubmission, Quota};
use crate::state::Dependencies;

/// The database's time.
#[derive(Debug, Clone, Copy)]
pub(super) struct DatabaseTime {
    pub(super) now: DateTime<Utc>,
    /// When the response with `now` arrived.
    pub(super) read_at: Instant,
}

impl DatabaseTime {
    /// The database's time at `instant`; early by no more than one round trip.
    fn at(self, instant: Instant) -> DateTime<Utc> {
        let later = Duration::from_std(instant.saturating_duration_since(self.read_at));
        self.now + later.unwrap_or_default()
    }
}

/// A submission that passed validation.
pub(super) struct ValidSubmission<'s> {
    /// The position of its result in the batch.
    pub(super) index: usize,
    pub(super) submission: &'s JobSubmission,
    pub(super) jobs: Vec<Job>,
}

/// Inserts the jobs of `valid`; returns the submissions that were stored. The problems of refused ones go into `results`.
pub(super) async fn insert<'s>(
    dependencies: &Dependencies,
    quota: &Quota,
    mut valid: Vec<ValidSubmission<'s>>,
    results: &mut [SubmissionResult],
    time: DatabaseTime,
) -> Result<Vec<ValidSubmission<'s>>, StorageError> {
    let mut count_first = quota.counts_first(valid.iter().map(|valid| valid.submission.principal.user_id));
    let no_credit = QuotaCredit::default();
    let mut credit = &quota.credit;
    // Every transaction inserts keys in the same order, so two of them can't deadlock.
    valid.sort_by_key(|valid| (valid.submission.principal.user_id, valid.submission.key().map(|(key, _)| key)));
    loop {
        valid.retain(|valid| !valid.submission.is_abandoned());
        if valid.is_empty() {
            return Ok(valid);
        }
        // Without a key and below the limits, one statement inserts everything, and Postgres runs it without a transaction
        // block. The statement checks the deadline itself, since nobody could roll it back.
        let is_single = !count_first && valid.iter().all(|valid| valid.submission.key().is_none());
        let mut tx =
            if is_single { dependencies.db.write_autocommit().await? } else { dependencies.db.begin().await? };
        if valid.iter().any(|valid| valid.submission.is_abandoned()) {
            continue;
        }
        insert_keys(dependencies, &mut tx, &mut valid, time.now).await?;
        if count_first && !admit(quota, &mut tx, &mut valid, results).await? {
            continue;
        }
        let audit: Vec<_> = valid.iter().map(|valid| audit_entry(valid, time.now)).collect();
        // Ids follow the order of submission; rows are inserted in the order of ids.
        let mut jobs: Vec<&Job> = valid.iter().flat_map(|valid| &valid.jobs).collect();
        jobs.sort_unstable_by_key(|job| job.id);
        let mut reservation = Reservation::default();
        if count_first {
            tx.jobs().submit(&jobs, &audit).await?;
        } else {
            let first_deadline = valid.iter().map(|valid| valid.submission.deadline).min().unwrap_or(time.read_at);
            let deadline = time.at(first_deadline);
            match tx.jobs().submit_within(&jobs, &audit, quota.limits, deadline, credit).await? {
                Submission::Stored(reserved) => reservation = reserved,
                // The next try reserves quota, whatever credit other batches add meanwhile.
                Submission::CreditExpired => {
                    credit = &no_credit;
                    continue;
                }
                Submission::LimitReached => {
                    count_first = true;
                    continue;
                }
                Submission::Late => {
                    valid.retain(|valid| valid.submission.deadline > first_deadline);
                    continue;
                }
            }
        }
        if !is_single && valid.iter().any(|valid| valid.submission.is_abandoned()) {
            continue;
        }
        tx.commit().await?;
        quota.credit.add(reservation);
        return Ok(valid);
    }
}

/// Inserts the idempotency keys. A submission whose key another process has stored meanwhile is left out; its result stays
/// [`super::Outcome::Conflict`].
async fn insert_keys(
    dependencies: &Dependencies,
    tx: &mut Tx,
    valid: &mut Vec<ValidSubmission<'_>>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let expires_at = now + Duration::seconds(dependencies.config.idempotency_ttl_s);
    let mut kept = Vec::with_capacity(valid.len());
    for valid in valid.drain(..) {
        if let Some((key, digest)) = valid.submission.key() {
            let ids: Vec<_> = valid.jobs.iter().map(|job| job.id).collect();
            let user = valid.submission.principal.user_id;
            match tx.idempotency().insert(user, key, digest, &ids, now, expires_at).await {
                Err(StorageError::Conflict) => continue,
                inserted => inserted?,
            }
        }
        kept.push(valid);
    }
    *valid = kept;
    Ok(())
}

/// Checks the submissions against the job limits. `false` when some were refused; these are removed from `valid`.
async fn admit(
    quota: &Quota,
    tx: &mut Tx,
    valid: &mut Vec<ValidSubmission<'_>>,
    results: &mut [SubmissionResult],
) -> Result<bool, StorageError> {
    let demands: Vec<JobDemand> = valid.iter().map(job_demand).collect();
    let mut admissions = tx.jobs().admit(&demands, quota.limits).await?.into_iter();
    let before = valid.len();
    valid.retain(|valid| {
        let user = valid.submission.principal.user_id;
        match admissions.next() {
            Some(Admission::Admitted) => return true,
            Some(Admission::UserFull) => {
                quota.count_first_for(Some(user));
                results[valid.index] = Err(quota.user_limit_reached());
            }
            Some(Admission::TotalFull) => {
                quota.count_first_for(None);
                results[valid.index] = Err(quota.total_limit_reached());
            }
            // The result stays a conflict: the next try finds the newest version of the dataset, or none.
            Some(Admission::DatasetDeleted) | None => {}
        }
        false
    });
    Ok(valid.len() == before)
}

fn job_demand(valid: &ValidSubmission<'_>) -> JobDemand {
    let mut datasets: Vec<DatasetId> = valid.jobs.iter().map(|job| job.dataset_id).collect();
    datasets.sort();
    datasets.dedup();
    let jobs = i64::try_from(valid.jobs.len()).unwrap_or(i64::MAX);
    JobDemand { user: valid.submission.principal.user_id, datasets, jobs, replaces: Vec::new() }
}

fn audit_entry(valid: &ValidSubmission<'_>, now: DateTime<Utc>) -> AuditEntry {
    let ValidSubmission { submission, jobs, .. } = valid;
    let Job { id: first, spec, .. } = &jobs[0];
    let (action, detail) = match spec.prediction() {
        Some(prediction) => {
            let detail = json!({"model": spec.name, "version": prediction.version, "dataset": spec.dataset});
            ("prediction.submit", detail)
        }
        None if submission.is_bulk() => ("training.submit_bulk", json!({"jobs": jobs.len(), "first": first})),
        None => {
            let detail = json!({"name": spec.name, "algorithm": spec.algorithm(), "dataset": spec.dataset});
            ("training.submit", detail)
        }
    };
    AuditEntry {
        id: uuid_at(now),
        at: now,
        actor: Some(submission.principal.user_id),
        action: action.to_owned(),
        subject: format!("job:{first}"),
        request_id: submission.actor.request_id(),
        detail,
    }
}
