//! Stores some orders in one transaction.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::{DatasetName, Job, JobId};
use trainyard_http::Problem;
use trainyard_storage::{AuditEntry, StorageError, Tx};
use trainyard_telemetry::catalogue;

use super::order::Datasets;
use super::{Known, Order, Quota, Stored, ready, send, traced};
use crate::state::Ports;

type Answer = Result<Stored, Problem>;

/// An order that passed every check.
struct Accepted<'o> {
    /// Its place among the orders.
    place: usize,
    order: &'o Order,
    /// Its jobs, among those of all orders.
    jobs: Range<usize>,
}

/// Stores `orders`, each whole or not at all; answers them in their order.
pub(super) async fn store(
    ports: &Ports,
    quota: &Arc<Quota>,
    known: &Known,
    orders: &[Arc<Order>],
) -> Result<Vec<Answer>, StorageError> {
    let mut tx = ports.db.glance().await?;
    let Intake { now, paused, datasets } = intake(&mut tx, known, orders).await?;
    let (mut answers, mut accepted, mut jobs, mut keys) = (Vec::new(), Vec::new(), Vec::new(), HashSet::new());
    for (place, order) in orders.iter().enumerate() {
        answers.push(if let Some(before) = answered_before(&mut tx, order, now).await? {
            before
        } else if order.key().is_some_and(|(key, _)| !keys.insert((order.principal.user_id, key))) {
            // Of two with one key the second looks again when the first is stored.
            Ok(Stored::Raced)
        } else {
            let specs = order.validate(&datasets, ports).await;
            match admit(&mut tx, quota, order).await?.and(specs) {
                Ok(specs) => {
                    let first = jobs.len();
                    jobs.extend(specs.into_iter().map(|(spec, dataset_id)| {
                        let request_id = order.actor.request_id();
                        let job = Job::submitted(spec, dataset_id, order.principal.user_id, request_id, now);
                        Job { traceparent: order.traceparent.clone(), ..job }
                    }));
                    accepted.push(Accepted { place, order, jobs: first..jobs.len() });
                    Ok(Stored::Raced) // until it is stored
                }
                Err(problem) => Err(problem),
            }
        });
    }
    // Gives the connection back warm.
    tx.commit().await?;
    if accepted.is_empty() {
        return Ok(answers);
    }
    number(&mut jobs);
    // Without a key to remember, all there is to store is one statement.
    let mut tx = if accepted.iter().any(|accepted| accepted.order.key().is_some()) {
        let mut tx = ports.db.begin().await?;
        (accepted, jobs) = remember(ports, &mut tx, accepted, &jobs, now).await?;
        tx
    } else {
        ports.db.act().await?
    };
    let trail: Vec<_> =
        accepted.iter().map(|accepted| audit(accepted.order, &jobs[accepted.jobs.clone()], now)).collect();
    tx.jobs().submit(&jobs, &trail).await?;
    tx.commit().await?;

    for Accepted { place, order, jobs: range } in accepted {
        let jobs = &jobs[range];
        quota.add(order.principal.user_id, jobs.len());
        jobs.iter().for_each(tell);
        answers[place] = Ok(Stored::Jobs(jobs.iter().map(|job| job.id).collect()));
    }
    // While the queue is paused workers would only drop them. The answers need not wait for the queue.
    let due = jobs.iter().filter(|job| !paused && job.run_at <= now);
    let (traces, due): (Vec<_>, Vec<_>) = due.map(|job| (traced(job), ready(job))).unzip();
    let ports = ports.clone();
    tokio::spawn(async move { send(&ports, &due, traces).await });
    Ok(answers)
}

/// What a batch of orders begins with.
struct Intake {
    now: DateTime<Utc>,
    paused: bool,
    datasets: Datasets,
}

async fn intake(tx: &mut Tx, known: &Known, orders: &[Arc<Order>]) -> Result<Intake, StorageError> {
    let mut datasets = Datasets::new();
    let mut begun = None;
    for name in orders.iter().flat_map(|order| order.datasets()) {
        if datasets.contains_key(name) {
            continue;
        }
        let found = match DatasetName::parse(name) {
            Ok(parsed) => {
                let (now, paused, id) = tx.jobs().intake(&parsed).await?;
                begun.get_or_insert((now, paused));
                match id {
                    Some(id) => known.dataset(tx, id).await?,
                    None => None,
                }
            }
            Err(_) => None,
        };
        datasets.insert(name.to_owned(), found);
    }
    let (now, paused) = match begun {
        Some(begun) => begun,
        None => (tx.now().await?, tx.jobs().paused().await?),
    };
    Ok(Intake { now, paused, datasets })
}

/// The answer that an earlier request with this key got, or gets in the way of.
async fn answered_before(tx: &mut Tx, order: &Order, now: DateTime<Utc>) -> Result<Option<Answer>, StorageError> {
    let Some((key, digest)) = order.key() else { return Ok(None) };
    Ok(match tx.idempotency().find(order.principal.user_id, key).await? {
        // Too old to count; the new one takes its place.
        Some(record) if record.expires_at <= now => None,
        Some(record) if record.body_sha256 == digest => Some(Ok(Stored::Jobs(record.jobs))),
        Some(_) => Some(Err(Problem::conflict("this Idempotency-Key was used with another body"))),
        None => None,
    })
}

async fn admit(tx: &mut Tx, quota: &Quota, order: &Order) -> Result<Result<(), Problem>, StorageError> {
    quota.admit(tx, order.principal.user_id, order.jobs()).await
}

/// Gives the jobs ids that sort as they were sent.
fn number(jobs: &mut [Job]) {
    let mut ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    ids.sort();
    jobs.iter_mut().zip(ids).for_each(|(job, id)| job.id = id);
}

/// Stores the keys; answers the orders that are left, and their jobs. An order whose key another process has stored
/// meanwhile is left out; its answer stays "raced".
async fn remember<'o>(
    ports: &Ports,
    tx: &mut Tx,
    accepted: Vec<Accepted<'o>>,
    jobs: &[Job],
    now: DateTime<Utc>,
) -> Result<(Vec<Accepted<'o>>, Vec<Job>), StorageError> {
    let expires_at = now + Duration::seconds(ports.config.idempotency_ttl_s);
    let (mut kept, mut kept_jobs) = (Vec::with_capacity(accepted.len()), Vec::with_capacity(jobs.len()));
    for accepted in accepted {
        let jobs = &jobs[accepted.jobs.clone()];
        if let Some((key, digest)) = accepted.order.key() {
            let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
            let user = accepted.order.principal.user_id;
            match tx.idempotency().insert(user, key, digest, &ids, now, expires_at).await {
                Err(StorageError::Conflict) => continue,
                stored => stored?,
            }
        }
        let first = kept_jobs.len();
        kept_jobs.extend_from_slice(jobs);
        kept.push(Accepted { jobs: first..kept_jobs.len(), ..accepted });
    }
    Ok((kept, kept_jobs))
}

fn audit(order: &Order, jobs: &[Job], now: DateTime<Utc>) -> AuditEntry {
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

/// Counts a job that is stored. The log names it in the line of its request, which is there anyway.
pub(crate) fn tell(job: &Job) {
    let algorithm = job.spec.algorithm.as_str();
    metrics::counter!(catalogue::JOBS_SUBMITTED_TOTAL, "algorithm" => algorithm).increment(1);
    tracing::debug!(job_id = %job.id, request_id = job.request_id.as_deref(), algorithm, "job accepted");
}
