//! Writes the jobs of some orders in one transaction, within the limits.
//!
//! At first the jobs are written and the quotas' upper bounds decide. If those refuse, the orders are admitted one by one
//! under the quotas' locks, which counts jobs. Whatever is refused, raced or abandoned is left out, and the transaction is
//! undone and written anew without it, so that every round has fewer orders than the one before.

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::{DatasetId, Job};
use trainyard_storage::{Admission, AuditEntry, JobDemand, StorageError, Tx};

use super::store::Answer;
use super::{Order, Quota};
use crate::state::Ports;

/// An order that passed every check.
pub(super) struct Accepted<'o> {
    /// Its place among the answers.
    pub(super) place: usize,
    pub(super) order: &'o Order,
    pub(super) jobs: Vec<Job>,
}

/// Stores orders; returns those that are stored, and puts the refusals of others into `answers`.
pub(super) async fn write<'o>(
    ports: &Ports,
    quota: &Quota,
    mut accepted: Vec<Accepted<'o>>,
    answers: &mut [Answer],
    now: DateTime<Utc>,
) -> Result<Vec<Accepted<'o>>, StorageError> {
    let mut counts_first = quota.counts_first(accepted.iter().map(|accepted| accepted.order.principal.user_id));
    // Of two transactions that store the same keys, neither waits for the other while the other waits for it.
    accepted.sort_by_key(|accepted| (accepted.order.principal.user_id, accepted.order.key().map(|(key, _)| key)));
    loop {
        accepted.retain(|accepted| !accepted.order.is_abandoned());
        if accepted.is_empty() {
            return Ok(accepted);
        }
        let mut tx = ports.db.begin().await?;
        remember(ports, &mut tx, &mut accepted, now).await?;
        if counts_first && !admit(quota, &mut tx, &mut accepted, answers).await? {
            continue;
        }
        let trail: Vec<_> = accepted.iter().map(|accepted| audit(accepted, now)).collect();
        // The ids were given in the order sent; the rows are written in the order of the ids.
        let mut jobs: Vec<&Job> = accepted.iter().flat_map(|accepted| &accepted.jobs).collect();
        jobs.sort_unstable_by_key(|job| job.id);
        if counts_first {
            tx.jobs().submit(&jobs, &trail).await?;
        } else if !tx.jobs().submit_within(&jobs, &trail, quota.limits).await? {
            counts_first = true;
            continue;
        }
        if accepted.iter().any(|accepted| accepted.order.is_abandoned()) {
            continue;
        }
        tx.commit().await?;
        return Ok(accepted);
    }
}

/// Stores the keys. An order whose key another process has stored meanwhile is left out; its answer stays "raced".
async fn remember(
    ports: &Ports,
    tx: &mut Tx,
    accepted: &mut Vec<Accepted<'_>>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let expires_at = now + Duration::seconds(ports.config.idempotency_ttl_s);
    let mut kept = Vec::with_capacity(accepted.len());
    for accepted in accepted.drain(..) {
        if let Some((key, digest)) = accepted.order.key() {
            let ids: Vec<_> = accepted.jobs.iter().map(|job| job.id).collect();
            let user = accepted.order.principal.user_id;
            match tx.idempotency().insert(user, key, digest, &ids, now, expires_at).await {
                Err(StorageError::Conflict) => continue,
                stored => stored?,
            }
        }
        kept.push(accepted);
    }
    *accepted = kept;
    Ok(())
}

/// Holds the orders against the limits. `false`: some are refused, which takes them out of `accepted`.
async fn admit(
    quota: &Quota,
    tx: &mut Tx,
    accepted: &mut Vec<Accepted<'_>>,
    answers: &mut [Answer],
) -> Result<bool, StorageError> {
    let demands: Vec<JobDemand> = accepted.iter().map(demand).collect();
    let mut admissions = tx.jobs().admit(&demands, quota.limits).await?.into_iter();
    let before = accepted.len();
    accepted.retain(|accepted| {
        let user = accepted.order.principal.user_id;
        match admissions.next() {
            Some(Admission::Admitted) => return true,
            Some(Admission::UserFull) => {
                quota.count_first_for(Some(user));
                answers[accepted.place] = Err(quota.user_full());
            }
            Some(Admission::TotalFull) => {
                quota.count_first_for(None);
                answers[accepted.place] = Err(quota.full());
            }
            // "Raced": the next look finds the data set's newest version, or none.
            Some(Admission::DatasetDeleted) | None => {}
        }
        false
    });
    Ok(accepted.len() == before)
}

/// What an order asks of the quotas.
fn demand(accepted: &Accepted<'_>) -> JobDemand {
    let mut datasets: Vec<DatasetId> = accepted.jobs.iter().map(|job| job.dataset_id).collect();
    datasets.sort();
    datasets.dedup();
    let jobs = i64::try_from(accepted.jobs.len()).unwrap_or(i64::MAX);
    JobDemand { user: accepted.order.principal.user_id, datasets, jobs, replaces: Vec::new() }
}

fn audit(accepted: &Accepted<'_>, now: DateTime<Utc>) -> AuditEntry {
    let Accepted { order, jobs, .. } = accepted;
    let Job { id: first, spec, .. } = &jobs[0];
    let (action, detail) = if order.is_bulk() {
        ("training.submit_bulk", json!({"jobs": jobs.len(), "first": first}))
    } else {
        ("training.submit", json!({"name": spec.name, "algorithm": spec.algorithm, "dataset": spec.dataset}))
    };
    AuditEntry {
        id: uuid_at(now),
        at: now,
        actor: Some(order.principal.user_id),
        action: action.to_owned(),
        subject: format!("job:{first}"),
        request_id: order.actor.request_id(),
        detail,
    }
}
