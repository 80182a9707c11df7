//! What one request asks for: a job, or many of which all or none are taken.

use sha2::{Digest, Sha256};
use trainyard_domain::spec::Draft;
use trainyard_domain::{Algorithm, Dataset, FieldError, JobSpec};
use trainyard_http::middleware::TraceContext;
use trainyard_http::{Principal, Problem};
use trainyard_telemetry::Span;

use crate::audit::Actor;
use crate::idempotency::IdempotencyKey;
use crate::routes::training::request::TrainingRequest;
use crate::state::Ports;

/// One request to train.
#[derive(Debug)]
pub(crate) struct Order {
    bodies: Vec<TrainingRequest>,
    /// Whether fields are named with the job they are of.
    bulk: bool,
    key: IdempotencyKey,
    /// Of what is asked for; made for orders with a key alone.
    digest: String,
    pub(super) principal: Principal,
    pub(super) actor: Actor,
    /// Where in a trace it is submitted.
    pub(super) traceparent: Option<String>,
}

impl Order {
    /// An order for one job.
    pub(crate) fn one(body: TrainingRequest, key: IdempotencyKey, principal: Principal, actor: Actor) -> Self {
        Self::new(vec![body], false, key, principal, actor)
    }

    /// An order for many jobs.
    pub(crate) fn bulk(bodies: Vec<TrainingRequest>, key: IdempotencyKey, principal: Principal, actor: Actor) -> Self {
        Self::new(bodies, true, key, principal, actor)
    }

    fn new(bodies: Vec<TrainingRequest>, bulk: bool, key: IdempotencyKey, principal: Principal, actor: Actor) -> Self {
        let digest = match (key.as_str(), bodies.as_slice()) {
            (None, _) => String::new(),
            (Some(_), [one]) if !bulk => one.digest(),
            (Some(_), many) => {
                let mut all = Sha256::new();
                many.iter().for_each(|body| all.update(body.digest()));
                hex::encode(all.finalize())
            }
        };
        Self { bodies, bulk, key, digest, principal, actor, traceparent: None }
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

    /// How many jobs it asks for.
    pub(super) fn jobs(&self) -> usize {
        self.bodies.len()
    }

    /// Whether it asks for many.
    pub(super) fn is_bulk(&self) -> bool {
        self.bulk
    }

    /// The names of the data sets it trains on, with repeats.
    pub(super) fn datasets(&self) -> impl Iterator<Item = &str> {
        self.bodies.iter().map(TrainingRequest::dataset)
    }

    /// Everything that can be refused before training is refused here. `dataset` finds what [`Order::datasets`] named.
    pub(super) fn check<'d>(
        &self,
        dataset: impl Fn(&str) -> Option<&'d Dataset>,
        ports: &Ports,
    ) -> Result<Vec<(JobSpec, &'d Dataset)>, Problem> {
        let (mut specs, mut refused) = (Vec::with_capacity(self.bodies.len()), Vec::new());
        for (i, body) in self.bodies.iter().enumerate() {
            match dataset(body.dataset()).map(|dataset| (check(body, dataset, ports), dataset)) {
                Some((Ok(spec), dataset)) => specs.push((spec, dataset)),
                Some((Err(errors), _)) => refused.extend(self.placed(i, errors)),
                None => {
                    let unknown = FieldError::new("dataset", "is not the name of a data set");
                    refused.extend(self.placed(i, vec![unknown]));
                }
            }
            // Somebody who sends a thousand wrong jobs learns enough from the first few.
            if refused.len() > MAX_ERRORS {
                break;
            }
        }
        if refused.is_empty() { Ok(specs) } else { Err(Problem::validation(refused)) }
    }

    /// Names fields with the job they are of, where there are many.
    fn placed(&self, i: usize, errors: Vec<FieldError>) -> impl Iterator<Item = FieldError> {
        let bulk = self.bulk;
        errors.into_iter().map(move |FieldError { field, message }| {
            FieldError::new(if bulk { format!("jobs[{i}].{field}") } else { field }, message)
        })
    }
}

/// Most errors that a refusal names.
const MAX_ERRORS: usize = 100;

/// The draft of one job for the domain to check, and what is refused already.
pub(crate) fn draft(body: TrainingRequest, ports: &Ports) -> (Draft, Vec<FieldError>) {
    let (draft, mut refused) = body.draft(ports.webhooks);
    if draft.algorithm == Algorithm::Noop.as_str() {
        if !ports.config.allow_noop {
            refused.push(FieldError::new("algorithm", "noop is for benchmarks; api.allow_noop turns it on"));
        }
        if draft.webhook_url.is_some() {
            refused.push(FieldError::new("webhook_url", "must be null for noop, which ends without a word"));
        }
    }
    (draft, refused)
}

fn check(body: &TrainingRequest, dataset: &Dataset, ports: &Ports) -> Result<JobSpec, Vec<FieldError>> {
    let (draft, mut refused) = draft(body.clone(), ports);
    let target_missing = refused.iter().any(|error| error.field == "target");
    match draft.check(dataset) {
        Ok(spec) if refused.is_empty() => Ok(spec),
        Ok(_) => Err(refused),
        Err(errors) => {
            refused.extend(errors.into_iter().filter(|error| !(target_missing && error.field == "target")));
            Err(refused)
        }
    }
}
