//! What one request asks for: a job, or many of which all or none are taken.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use sha2::{Digest, Sha256};
use trainyard_domain::{DatasetId, IndexedDataset, JobSpec};
use trainyard_http::middleware::TraceContext;
use trainyard_http::{Principal, Problem};
use trainyard_telemetry::Span;

use super::validate::{Rules, validate, within};
use crate::audit::Actor;
use crate::idempotency::IdempotencyKey;
use crate::routes::training::request::{CompleteRequest, TrainingRequest};
use crate::state::Ports;

/// Datasets by the name that requests use, in their newest version; `None` where there is none.
pub(super) type Datasets = HashMap<String, Option<Arc<IndexedDataset>>>;

/// One request to train.
#[derive(Debug)]
pub(crate) struct Order {
    requests: Vec<CompleteRequest>,
    /// Whether fields are named with the job they are of.
    bulk: bool,
    key: IdempotencyKey,
    /// Of what is asked for; made for orders with a key alone.
    digest: String,
    pub(super) principal: Principal,
    pub(super) actor: Actor,
    /// Where in a trace it is submitted.
    pub(super) traceparent: Option<String>,
    /// Alive while somebody waits for the answer.
    caller: Weak<()>,
}

impl Order {
    /// An order for one job.
    ///
    /// # Errors
    /// When the server fails.
    pub(crate) async fn one(
        body: TrainingRequest,
        key: IdempotencyKey,
        principal: Principal,
        actor: Actor,
    ) -> Result<Self, Problem> {
        Self::new(vec![body], false, key, principal, actor).await
    }

    /// An order for many jobs.
    ///
    /// # Errors
    /// When the server fails.
    pub(crate) async fn bulk(
        bodies: Vec<TrainingRequest>,
        key: IdempotencyKey,
        principal: Principal,
        actor: Actor,
    ) -> Result<Self, Problem> {
        Self::new(bodies, true, key, principal, actor).await
    }

    async fn new(
        bodies: Vec<TrainingRequest>,
        bulk: bool,
        key: IdempotencyKey,
        principal: Principal,
        actor: Actor,
    ) -> Result<Self, Problem> {
        let long = bodies.iter().map(|body| body.features.len()).sum::<usize>() > INLINE_FEATURES;
        let has_key = key.as_str().is_some();
        let complete = move || {
            let requests: Vec<_> = bodies.into_iter().map(TrainingRequest::complete).collect();
            let digest = if has_key { digest(&requests, bulk) } else { String::new() };
            (requests, digest)
        };
        let (requests, digest) = compute(long, complete).await?;
        Ok(Self { requests, bulk, key, digest, principal, actor, traceparent: None, caller: Weak::new() })
    }

    /// The same, abandoned once `caller` is dropped.
    pub(super) fn awaited_by(self, caller: &Arc<()>) -> Self {
        Self { caller: Arc::downgrade(caller), ..self }
    }

    /// Whether nobody waits for the answer any more: the request timed out, or its client went away.
    pub(super) fn is_abandoned(&self) -> bool {
        self.caller.strong_count() == 0
    }

    /// The same, submitted within `span`, so that its runs go on from there; where nobody records that, from where the
    /// caller said.
    pub(crate) fn traced(self, span: &Span, trace: &TraceContext) -> Self {
        let place = span.place().or(trace.sent());
        Self { traceparent: place.map(|place| place.to_string()), ..self }
    }

    /// Its idempotency key, with the digest of what is asked for.
    pub(super) fn key(&self) -> Option<(&str, &str)> {
        self.key.as_str().map(|key| (key, self.digest.as_str()))
    }

    /// Whether it asks for many.
    pub(super) fn is_bulk(&self) -> bool {
        self.bulk
    }

    /// The name of each job's dataset, in the order of the jobs.
    pub(super) fn datasets(&self) -> impl Iterator<Item = &str> {
        self.requests.iter().map(|request| request.dataset.as_str())
    }

    /// Validates every job. `datasets` holds those that [`Order::datasets`] names.
    ///
    /// # Errors
    /// Every refused field.
    pub(super) async fn validate(
        self: &Arc<Self>,
        datasets: &Datasets,
        ports: &Ports,
    ) -> Result<Vec<(JobSpec, DatasetId)>, Problem> {
        let found: Vec<_> = self.datasets().map(|name| datasets.get(name).cloned().flatten()).collect();
        let named = self.requests.iter().zip(&found).map(|(request, dataset)| features(request, dataset.as_deref()));
        let named: usize = named.sum();
        if self.bulk && named > MAX_NAMED_FEATURES {
            let message =
                format!("name {named} features in all; one request may name {MAX_NAMED_FEATURES}: send several");
            return Err(Problem::field("jobs", message));
        }
        let (order, rules) = (Arc::clone(self), Rules::of(ports));
        compute(named > INLINE_FEATURES, move || order.validate_each(&found, rules)).await?
    }

    fn validate_each(
        &self,
        datasets: &[Option<Arc<IndexedDataset>>],
        rules: Rules,
    ) -> Result<Vec<(JobSpec, DatasetId)>, Problem> {
        let (mut specs, mut refused) = (Vec::with_capacity(self.requests.len()), Vec::new());
        for (i, (request, dataset)) in self.requests.iter().zip(datasets).enumerate() {
            match (validate(request, dataset.as_deref(), rules), dataset) {
                (Ok(spec), Some(dataset)) => specs.push((spec, dataset.id)),
                (Ok(_), None) => {}
                (Err(errors), _) if self.bulk => refused.extend(within(&format!("jobs[{i}]."), errors)),
                (Err(errors), _) => refused.extend(errors),
            }
            if refused.len() > MAX_ERRORS {
                break;
            }
        }
        if refused.is_empty() { Ok(specs) } else { Err(Problem::validation(refused)) }
    }
}

/// Of a request for one job, or of all jobs of a bulk request together.
fn digest(requests: &[CompleteRequest], bulk: bool) -> String {
    match requests {
        [one] if !bulk => one.digest(),
        many => {
            let mut all = Sha256::new();
            many.iter().for_each(|request| all.update(request.digest()));
            hex::encode(all.finalize())
        }
    }
}

/// Most errors that are looked for in one request; an answer shows fewer.
const MAX_ERRORS: usize = 10_000;
/// Most features that the jobs of one request may name in all, `*` expanded: their names are stored with each job.
const MAX_NAMED_FEATURES: usize = 1_000_000;
/// As many features are checked within a millisecond, so at once; more are left to a thread for long computations.
const INLINE_FEATURES: usize = 2_000;

/// How many features a request names, `*` expanded.
fn features(request: &CompleteRequest, dataset: Option<&IndexedDataset>) -> usize {
    match (request.draft.features.as_slice(), dataset) {
        ([star], Some(dataset)) if star == "*" => dataset.columns().len(),
        (names, _) => names.len(),
    }
}

/// Runs `work`, on a thread for long computations when it is `long`.
async fn compute<T: Send + 'static>(long: bool, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    if long { tokio::task::spawn_blocking(work).await.map_err(Problem::internal) } else { Ok(work()) }
}
