//! Stores some orders in one transaction.

use std::collections::{HashMap, HashSet};
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

/// An order that passed every check, with its jobs.
struct Accepted<'o> {
    /// Its place among the orders.
    place: usize,
    order: &'o Order,
    jobs: Vec<Job>,
}

/// Stores `orders`, each whole or not at all; answers them in their order.
pub(super) async fn store(
    ports: &Ports,
    quota: &Arc<Quota>,
    orders: &[Arc<Order>],
) -> Result<Vec<Answer>, StorageError> {
    let mut tx = ports.db.begin().await?;
    let now = tx.now().await?;
    let datasets = find_datasets(&mut tx, orders).await?;
    let (mut answers, mut accepted, mut keys) = (Vec::new(), Vec::new(), HashSet::new());
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
                    let made = specs.into_iter().map(|(spec, dataset)| {
                        let request_id = order.actor.request_id();
                        Job::submitted(spec, dataset.id, order.principal.user_id, request_id, now)
                    });
                    accepted.push(Accepted { place, order, jobs: made.collect() });
                    Ok(Stored::Raced) // until it is stored
                }
                Err(problem) => Err(problem),
            }
        });
    }
    if accepted.is_empty() {
        return Ok(answers);
    }
    number(&mut accepted);
    let sent = choose(ports, &mut tx, &mut accepted, now).await?;
    let jobs: Vec<Job> = accepted.iter().flat_map(|accepted| accepted.jobs.clone()).collect();
    tx.jobs().submit(&jobs).await?;
    let accepted = remember(ports, &mut tx, accepted, now).await?;
    tx.audit().insert_many(&accepted.iter().map(|accepted| audit(accepted, now)).collect::<Vec<_>>()).await?;
    tx.commit().await?;

    let mut stored = HashSet::new();
    for Accepted { place, order, jobs } in accepted {
        quota.add(order.principal.user_id, jobs.len());
        jobs.iter().for_each(tell);
        stored.extend(jobs.iter().map(|job| job.id));
        answers[place] = Ok(Stored::Jobs(jobs.iter().map(|job| job.id).collect()));
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
fn number(accepted: &mut [Accepted<'_>]) {
    let jobs = || accepted.iter().flat_map(|accepted| &accepted.jobs);
    let mut ids: Vec<JobId> = jobs().map(|job| job.id).collect();
    ids.sort();
    let jobs = accepted.iter_mut().flat_map(|accepted| &mut accepted.jobs);
    jobs.zip(ids).for_each(|(job, id)| job.id = id);
}

/// Which jobs go to the queue at once: those that are due, as far as their user's window goes. The rest the sweep sends in
/// fair turns, so that one user's thousands don't fill the queue.
async fn choose(
    ports: &Ports,
    tx: &mut Tx,
    accepted: &mut [Accepted<'_>],
    now: DateTime<Utc>,
) -> Result<Vec<(JobId, PriorityClass)>, StorageError> {
    let mut sent = Vec::new();
    if tx.jobs().paused().await? {
        return Ok(sent);
    }
    let mut free: HashMap<(UserId, PriorityClass), i64> = HashMap::new();
    for job in accepted.iter_mut().flat_map(|accepted| &mut accepted.jobs).filter(|job| job.run_at <= now) {
        let class = PriorityClass::of(job.spec.priority);
        let whose = (job.created_by, class);
        if !free.contains_key(&whose) {
            let window = ports.config.dispatch_window;
            free.insert(whose, tx.jobs().free_window(job.created_by, class, window, now).await?);
        }
        if let Some(free) = free.get_mut(&whose).filter(|free| **free > 0) {
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
    now: DateTime<Utc>,
) -> Result<Vec<Accepted<'o>>, StorageError> {
    let expires_at = now + Duration::seconds(ports.config.idempotency_ttl_s);
    let mut kept = Vec::with_capacity(accepted.len());
    for accepted in accepted {
        if let Some((key, digest)) = accepted.order.key() {
            let ids: Vec<_> = accepted.jobs.iter().map(|job| job.id).collect();
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

fn audit(accepted: &Accepted<'_>, now: DateTime<Utc>) -> AuditEntry {
    let spec = &accepted.jobs[0].spec;
    let first = accepted.jobs[0].id;
    let (action, detail) = if accepted.order.is_bulk() {
        ("training.submit_bulk", json!({"jobs": accepted.jobs.len(), "first": first}))
    } else {
        ("training.submit", json!({"name": spec.name, "algorithm": spec.algorithm, "dataset": spec.dataset}))
    };
    AuditEntry {
        id: uuid_at(now),
        at: now,
        actor: Some(accepted.order.principal.user_id),
        action: action.to_owned(),
        subject: format!("job:{first}"),
        request_id: accepted.order.actor.request_id(),
        detail,
    }
}

fn tell(job: &Job) {
    let algorithm = job.spec.algorithm.as_str();
    metrics::counter!(catalogue::JOBS_SUBMITTED_TOTAL, "algorithm" => algorithm).increment(1);
    tracing::info!(job_id = %job.id, request_id = job.request_id.as_deref(), algorithm, "job accepted");
}
