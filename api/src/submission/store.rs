//! Stores some orders in one transaction.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::{Dataset, DatasetName, Job, JobId, PriorityClass, UserId};
use trainyard_http::Problem;
use trainyard_storage::{AuditEntry, StorageError, Tx};
use trainyard_telemetry::catalogue;

use super::{Order, Quota, Stored, send};
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
    orders: &[Arc<Order>],
) -> Result<Vec<Answer>, StorageError> {
    let mut tx = ports.db.begin().await?;
    let (now, paused) = tx.jobs().now_and_paused().await?;
    let datasets = find_datasets(&mut tx, orders).await?;
    let (mut answers, mut accepted, mut jobs, mut keys) = (Vec::new(), Vec::new(), Vec::new(), HashSet::new());
    for (place, order) in orders.iter().enumerate() {
        answers.push(if let Some(before) = answered_before(&mut tx, order, now).await? {
            before
        } else if order.key().is_some_and(|(key, _)| !keys.insert((order.principal.user_id, key))) {
            // Of two with one key the second looks again when the first is stored.
            Ok(Stored::Raced)
        } else {
            let specs = order.check(|name| datasets.get(name).and_then(Option::as_ref), ports);
            match admit(&mut tx, quota, order).await?.and(specs) {
                Ok(specs) => {
                    let first = jobs.len();
                    jobs.extend(specs.into_iter().map(|(spec, dataset)| {
                        let request_id = order.actor.request_id();
                        Job::submitted(spec, dataset.id, order.principal.user_id, request_id, now)
                    }));
                    accepted.push(Accepted { place, order, jobs: first..jobs.len() });
                    Ok(Stored::Raced) // until it is stored
                }
                Err(problem) => Err(problem),
            }
        });
    }
    if accepted.is_empty() {
        return Ok(answers);
    }
    number(&mut jobs);
    // The rest, and all of them while the queue is paused, the sweep sends.
    let sent = if paused { Vec::new() } else { choose(ports, &mut tx, &mut jobs, now).await? };
    tx.jobs().submit(&jobs).await?;
    let accepted = remember(ports, &mut tx, accepted, &jobs, now).await?;
    let trail: Vec<_> =
        accepted.iter().map(|accepted| audit(accepted.order, &jobs[accepted.jobs.clone()], now)).collect();
    tx.audit().insert_many(&trail).await?;
    tx.commit().await?;

    let mut stored = HashSet::new();
    for Accepted { place, order, jobs: range } in accepted {
        let jobs = &jobs[range];
        quota.add(order.principal.user_id, jobs.len());
        jobs.iter().for_each(tell);
        let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
        stored.extend(ids.iter().copied());
        answers[place] = Ok(Stored::Jobs(ids));
    }
    // The answers need not wait for the queue.
    let (ports, sent) = (ports.clone(), sent.into_iter().filter(|(id, _)| stored.contains(id)).collect::<Vec<_>>());
    tokio::spawn(async move { send(&ports, &sent).await });
    Ok(answers)
}

async fn find_datasets(tx: &mut Tx, orders: &[Arc<Order>]) -> Result<HashMap<String, Option<Dataset>>, StorageError> {
    let mut found = HashMap::new();
    for name in orders.iter().flat_map(|order| order.datasets()) {
        if !found.contains_key(name) {
            let dataset = match DatasetName::parse(name) {
                Ok(parsed) => tx.datasets().latest(&parsed).await?,
                Err(_) => None,
            };
            found.insert(name.to_owned(), dataset);
        }
    }
    Ok(found)
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

async fn admit(tx: &mut Tx, quota: &Arc<Quota>, order: &Order) -> Result<Result<(), Problem>, StorageError> {
    quota.admit(tx, order.principal.user_id, order.jobs()).await
}

/// Gives the jobs ids that sort as they were sent.
fn number(jobs: &mut [Job]) {
    let mut ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    ids.sort();
    jobs.iter_mut().zip(ids).for_each(|(job, id)| job.id = id);
}

/// Which jobs go to the queue at once: those that are due, as far as their user's window goes. The rest waits for the
/// sweep's fair turns, so that one user's thousands don't fill the queue.
async fn choose(
    ports: &Ports,
    tx: &mut Tx,
    jobs: &mut [Job],
    now: DateTime<Utc>,
) -> Result<Vec<(JobId, PriorityClass)>, StorageError> {
    let mut sent = Vec::new();
    let mut free: HashMap<(UserId, PriorityClass), i64> = HashMap::new();
    for job in jobs.iter_mut().filter(|job| job.run_at <= now) {
        let class = PriorityClass::of(job.spec.priority);
        let whose = (job.created_by, class);
        let free = match free.entry(whose) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let window = ports.config.dispatch_window;
                unknown.insert(tx.jobs().free_window(job.created_by, class, window, now).await?)
            }
        };
        if *free > 0 {
            *free -= 1;
            job.dispatched_at = Some(now);
            sent.push((job.id, class));
        }
    }
    Ok(sent)
}

/// Stores the keys. An order whose key another process has stored meanwhile is taken back; its answer stays "raced".
async fn remember<'o>(
    ports: &Ports,
    tx: &mut Tx,
    accepted: Vec<Accepted<'o>>,
    jobs: &[Job],
    now: DateTime<Utc>,
) -> Result<Vec<Accepted<'o>>, StorageError> {
    let expires_at = now + Duration::seconds(ports.config.idempotency_ttl_s);
    let mut kept = Vec::with_capacity(accepted.len());
    for accepted in accepted {
        if let Some((key, digest)) = accepted.order.key() {
            let ids: Vec<_> = jobs[accepted.jobs.clone()].iter().map(|job| job.id).collect();
            let user = accepted.order.principal.user_id;
            match tx.idempotency().insert(user, key, digest, &ids, now, expires_at).await {
                Err(StorageError::Conflict) => {
                    tx.jobs().take_back(&ids).await?;
                    continue;
                }
                stored => stored?,
            }
        }
        kept.push(accepted);
    }
    Ok(kept)
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

/// Counts and logs a job that is stored.
pub(crate) fn tell(job: &Job) {
    let algorithm = job.spec.algorithm.as_str();
    metrics::counter!(catalogue::JOBS_SUBMITTED_TOTAL, "algorithm" => algorithm).increment(1);
    tracing::info!(job_id = %job.id, request_id = job.request_id.as_deref(), algorithm, "job accepted");
}
