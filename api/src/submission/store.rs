//! Answers some orders together: reads what they need, checks them, has `write` store them, and sends the jobs.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use trainyard_domain::{DatasetName, Job, JobId};
use trainyard_http::Problem;
use trainyard_storage::{StorageError, Tx};
use trainyard_telemetry::catalogue;

use super::order::Datasets;
use super::write::{Accepted, write};
use super::{Known, Order, Quota, Stored, ready, send, traced};
use crate::state::Ports;

pub(super) type Answer = Result<Stored, Problem>;

/// Stores `orders`, each whole or not at all; answers them in their order.
pub(super) async fn store(
    ports: &Ports,
    quota: &Quota,
    known: &Known,
    orders: &[Arc<Order>],
) -> Result<Vec<Answer>, StorageError> {
    let Facts { now, paused, datasets, mut answers } = read(ports, known, orders).await?;
    // No connection is held here: a large request is validated on another thread, for as long as the thread is busy.
    let mut accepted = Vec::new();
    for (place, order) in orders.iter().enumerate() {
        if answers[place].is_some() {
            continue;
        }
        match order.validate(&datasets, ports).await {
            Ok(specs) => {
                let job = |(spec, dataset_id)| {
                    let request_id = order.actor.request_id();
                    let job = Job::submitted(spec, dataset_id, order.principal.user_id, request_id, now);
                    Job { traceparent: order.traceparent.clone(), ..job }
                };
                accepted.push(Accepted { place, order, jobs: specs.into_iter().map(job).collect() });
            }
            Err(problem) => answers[place] = Some(Err(problem)),
        }
    }
    let mut answers: Vec<Answer> = answers.into_iter().map(|answer| answer.unwrap_or(Ok(Stored::Raced))).collect();
    number(&mut accepted);
    let stored = write(ports, quota, accepted, &mut answers, now).await?;

    let mut jobs = Vec::new();
    for Accepted { place, jobs: stored, .. } in stored {
        stored.iter().for_each(count_submitted);
        answers[place] = Ok(Stored::Jobs(stored.iter().map(|job| job.id).collect()));
        jobs.extend(stored);
    }
    // While the queue is paused workers would only drop them. The answers need not wait for the queue.
    let due = jobs.iter().filter(|job| !paused && job.run_at <= now);
    let (traces, due): (Vec<_>, Vec<_>) = due.map(|job| (traced(job), ready(job))).unzip();
    if !due.is_empty() {
        let ports = ports.clone();
        tokio::spawn(async move { send(&ports, &due, traces).await });
    }
    Ok(answers)
}

/// What the database says about a batch of orders before any of them is validated.
struct Facts {
    now: DateTime<Utc>,
    paused: bool,
    datasets: Datasets,
    /// One for each order; `None` where the order has to be validated and stored.
    answers: Vec<Option<Answer>>,
}

async fn read(ports: &Ports, known: &Known, orders: &[Arc<Order>]) -> Result<Facts, StorageError> {
    let mut tx = ports.db.glance().await?;
    let (now, paused, datasets) = datasets(&mut tx, known, orders).await?;
    let (mut answers, mut keys) = (Vec::with_capacity(orders.len()), HashSet::new());
    for order in orders {
        let mut answer = answered_before(&mut tx, order, now).await?;
        if answer.is_none()
            && let Some((key, _)) = order.key()
            && !keys.insert((order.principal.user_id, key))
        {
            // Of two with one key the second looks again when the first is stored.
            answer = Some(Ok(Stored::Raced));
        }
        answers.push(answer);
    }
    // Gives the connection back warm.
    tx.commit().await?;
    Ok(Facts { now, paused, datasets, answers })
}

async fn datasets(
    tx: &mut Tx,
    known: &Known,
    orders: &[Arc<Order>],
) -> Result<(DateTime<Utc>, bool, Datasets), StorageError> {
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
    Ok((now, paused, datasets))
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

/// Gives the jobs ids that sort as they were sent.
fn number(accepted: &mut [Accepted<'_>]) {
    let mut ids: Vec<JobId> = accepted.iter().flat_map(|accepted| &accepted.jobs).map(|job| job.id).collect();
    ids.sort();
    let jobs = accepted.iter_mut().flat_map(|accepted| &mut accepted.jobs);
    jobs.zip(ids).for_each(|(job, id)| job.id = id);
}

/// Counts a job that is stored. The log names it in the line of its request, which is there anyway.
pub(crate) fn count_submitted(job: &Job) {
    let algorithm = job.spec.algorithm.as_str();
    metrics::counter!(catalogue::JOBS_SUBMITTED_TOTAL, "algorithm" => algorithm).increment(1);
    tracing::debug!(job_id = %job.id, request_id = job.request_id.as_deref(), algorithm, "job accepted");
}
