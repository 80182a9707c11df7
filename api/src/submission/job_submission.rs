//! One request for training or prediction: one job, or many trainings of which all or none are stored.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use sha2::{Digest, Sha256};
use tokio::time::Instant;
use trainyard_domain::spec::SourceModel;
use trainyard_domain::{DatasetId, FieldError, IndexedDataset, JobSpec, webhook};
use trainyard_http::middleware::TraceContext;
use trainyard_http::{Deadline, Principal, Problem};
use trainyard_telemetry::Span;

use super::memory;
use super::source_model::Models;
use super::validate::{validate, validate_prediction, with_prefix};
use crate::audit::Actor;
use crate::idempotency::IdempotencyKey;
use crate::routes::predictions::request::{CompletePrediction, ModelQuery};
use crate::routes::training::request::{CompleteRequest, TrainingRequest};
use crate::state::Dependencies;

/// The newest version of each dataset by name; `None` for a dataset that does not exist.
pub(super) type Datasets = HashMap<String, Option<Arc<IndexedDataset>>>;

/// What a request asks for.
#[derive(Debug)]
enum Requested {
    Trainings {
        requests: Vec<CompleteRequest>,
        /// Whether error messages name fields as `jobs[i].field`.
        bulk: bool,
    },
    Prediction(Box<CompletePrediction>),
}

/// One request for training or prediction.
#[derive(Debug)]
pub(crate) struct JobSubmission {
    requested: Requested,
    key: IdempotencyKey,
    /// SHA-256 of the request; empty without a key.
    digest: String,
    pub(super) principal: Principal,
    pub(super) actor: Actor,
    /// When the request times out.
    pub(super) deadline: Instant,
    /// The trace context of the request.
    pub(super) traceparent: Option<String>,
    /// Dropped when the client disconnects or the request times out.
    client: Weak<()>,
}

impl JobSubmission {
    /// A submission of one job.
    pub(crate) async fn one(
        body: TrainingRequest,
        key: IdempotencyKey,
        principal: Principal,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<Self, Problem> {
        Self::trainings(vec![body], false, key, principal, actor, deadline).await
    }

    /// A submission of a prediction.
    pub(crate) fn prediction(
        request: CompletePrediction,
        key: IdempotencyKey,
        principal: Principal,
        actor: Actor,
        deadline: Deadline,
    ) -> Self {
        let digest = if key.as_str().is_some() { request.digest() } else { String::new() };
        Self::new(Requested::Prediction(Box::new(request)), digest, key, principal, actor, deadline)
    }

    /// A submission of many jobs.
    pub(crate) async fn bulk(
        bodies: Vec<TrainingRequest>,
        key: IdempotencyKey,
        principal: Principal,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<Self, Problem> {
        Self::trainings(bodies, true, key, principal, actor, deadline).await
    }

    async fn trainings(
        bodies: Vec<TrainingRequest>,
        bulk: bool,
        key: IdempotencyKey,
        principal: Principal,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<Self, Problem> {
        let is_long = bodies.iter().map(|body| body.features.len()).sum::<usize>() > INLINE_FEATURES;
        let has_key = key.as_str().is_some();
        let complete = move || {
            let requests: Vec<_> = bodies.into_iter().map(TrainingRequest::complete).collect();
            let digest = if has_key { digest(&requests, bulk) } else { String::new() };
            (requests, digest)
        };
        let (requests, digest) = compute(is_long, complete).await?;
        Ok(Self::new(Requested::Trainings { requests, bulk }, digest, key, principal, actor, deadline))
    }

    fn new(
        requested: Requested,
        digest: String,
        key: IdempotencyKey,
        principal: Principal,
        actor: Actor,
        Deadline(deadline): Deadline,
    ) -> Self {
        Self { requested, key, digest, principal, actor, deadline, traceparent: None, client: Weak::new() }
    }

    /// Marks the submission as abandoned once `client` is dropped.
    pub(super) fn awaited_by(self, client: &Arc<()>) -> Self {
        Self { client: Arc::downgrade(client), ..self }
    }

    /// Whether the request timed out or its client disconnected.
    pub(super) fn is_abandoned(&self) -> bool {
        self.client.strong_count() == 0 || self.deadline <= Instant::now()
    }

    /// Makes `span` the parent of the spans of the job's runs. For a span that is not recorded, the parent is the trace
    /// context that the client sent.
    pub(crate) fn traced(self, span: &Span, trace: &TraceContext) -> Self {
        let parent = span.context().or(trace.remote_parent());
        Self { traceparent: parent.map(|parent| parent.to_string()), ..self }
    }

    /// The idempotency key and the digest of the request.
    pub(super) fn key(&self) -> Option<(&str, &str)> {
        self.key.as_str().map(|key| (key, self.digest.as_str()))
    }

    /// Whether the request was sent to the bulk route.
    pub(super) fn is_bulk(&self) -> bool {
        matches!(self.requested, Requested::Trainings { bulk: true, .. })
    }

    /// The dataset name of each job, in the order of the jobs.
    pub(super) fn datasets(&self) -> impl Iterator<Item = &str> {
        let (trainings, prediction) = match &self.requested {
            Requested::Trainings { requests, .. } => (requests.as_slice(), None),
            Requested::Prediction(request) => (&[][..], Some(request.dataset.as_str())),
        };
        trainings.iter().map(|request| request.dataset.as_str()).chain(prediction)
    }

    /// The model that a prediction needs.
    pub(super) fn model(&self) -> Option<&ModelQuery> {
        match &self.requested {
            Requested::Trainings { .. } => None,
            Requested::Prediction(request) => Some(&request.model),
        }
    }

    /// Validates every job. `datasets` and `models` hold what [`JobSubmission::datasets`] and [`JobSubmission::model`] name.
    ///
    /// # Errors
    /// 422 with every refused field.
    pub(super) async fn validate(
        self: &Arc<Self>,
        datasets: &Datasets,
        models: &Models,
        dependencies: &Dependencies,
    ) -> Result<Vec<(JobSpec, DatasetId)>, Problem> {
        let found: Vec<_> = self.datasets().map(|name| datasets.get(name).cloned().flatten()).collect();
        let (submission, webhooks) = (Arc::clone(self), dependencies.webhooks);
        let (requests, bulk) = match &self.requested {
            Requested::Trainings { requests, bulk } => (requests, *bulk),
            Requested::Prediction(request) => {
                let model = models.get(&request.model).cloned();
                let model = model.ok_or_else(|| Problem::internal("the model of a prediction was not read"))?;
                let features = (*model).as_ref().map_or(0, |model| model.version.features.len());
                let dataset = found.into_iter().next().flatten();
                let validate = move || submission.validate_prediction((*model).as_ref(), dataset, webhooks);
                return compute(features > INLINE_FEATURES, validate).await?;
            }
        };
        let counts = requests.iter().zip(&found).map(|(request, dataset)| feature_count(request, dataset.as_deref()));
        let features: usize = counts.sum();
        if bulk && features > MAX_FEATURES_PER_REQUEST {
            let message = format!(
                "name {features} features in total; at most {MAX_FEATURES_PER_REQUEST} are allowed: split the request"
            );
            return Err(Problem::field("jobs", message));
        }
        let validate = move || submission.validate_trainings(&found, webhooks);
        let valid = compute(features > INLINE_FEATURES, validate).await??;
        self.check_memory(&valid, dependencies).await?;
        Ok(valid.into_iter().map(|valid| (valid.spec, valid.dataset)).collect())
    }

    /// Refuses jobs that need more memory than every worker allows.
    async fn check_memory(&self, valid: &[ValidRequest], dependencies: &Dependencies) -> Result<(), Problem> {
        if valid.iter().all(|valid| valid.least_memory.is_none()) {
            return Ok(());
        }
        let Some(limit_mb) = memory::largest_limit_mb(dependencies).await? else { return Ok(()) };
        let mut refused = Vec::new();
        for (i, valid) in valid.iter().enumerate() {
            let refusal = valid.least_memory.and_then(|least| memory::refusal(&valid.spec, least, limit_mb));
            refused.extend(self.with_path(i, refusal.into_iter().collect()));
        }
        if refused.is_empty() { Ok(()) } else { Err(Problem::validation(refused)) }
    }

    /// The errors of a job, with the path of the job before each field in a bulk submission.
    fn with_path(&self, job: usize, errors: Vec<FieldError>) -> Vec<FieldError> {
        if self.is_bulk() { with_prefix(&format!("jobs[{job}]."), errors).collect() } else { errors }
    }

    fn validate_prediction(
        &self,
        model: Result<&SourceModel, &FieldError>,
        dataset: Option<Arc<IndexedDataset>>,
        webhooks: webhook::Rules,
    ) -> Result<Vec<(JobSpec, DatasetId)>, Problem> {
        let Requested::Prediction(request) = &self.requested else { return Ok(Vec::new()) };
        match (validate_prediction(request, model, dataset.as_deref(), webhooks), dataset) {
            (Ok(spec), Some(dataset)) => Ok(vec![(spec, dataset.id)]),
            (Ok(_), None) => Ok(Vec::new()),
            (Err(errors), _) => Err(Problem::validation(errors)),
        }
    }

    fn validate_trainings(
        &self,
        datasets: &[Option<Arc<IndexedDataset>>],
        webhooks: webhook::Rules,
    ) -> Result<Vec<ValidRequest>, Problem> {
        let Requested::Trainings { requests, .. } = &self.requested else { return Ok(Vec::new()) };
        let (mut valid, mut refused) = (Vec::with_capacity(requests.len()), Vec::new());
        for (i, (request, dataset)) in requests.iter().zip(datasets).enumerate() {
            match (validate(request, dataset.as_deref(), webhooks), dataset) {
                (Ok(spec), Some(dataset)) => {
                    let least_memory = memory::least_memory(&spec, dataset);
                    valid.push(ValidRequest { spec, dataset: dataset.id, least_memory });
                }
                (Ok(_), None) => {}
                (Err(errors), _) => refused.extend(self.with_path(i, errors)),
            }
            if refused.len() > MAX_ERRORS {
                break;
            }
        }
        if refused.is_empty() { Ok(valid) } else { Err(Problem::validation(refused)) }
    }
}

/// A job that passed validation.
struct ValidRequest {
    spec: JobSpec,
    dataset: DatasetId,
    /// See [`memory::least_memory`].
    least_memory: Option<u64>,
}

/// The digest of one request, or of all requests of a bulk submission.
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

/// Validation stops after this many errors. The response shows fewer.
const MAX_ERRORS: usize = 10_000;
/// Most features of all jobs of a bulk request, with `*` expanded: the feature names are stored with each job.
const MAX_FEATURES_PER_REQUEST: usize = 1_000_000;
/// Up to this many features are validated on the async thread, within a millisecond.
const INLINE_FEATURES: usize = 2_000;

/// The number of features that a request names, with `*` expanded.
fn feature_count(request: &CompleteRequest, dataset: Option<&IndexedDataset>) -> usize {
    match (request.draft.features.as_slice(), dataset) {
        ([star], Some(dataset)) if star == "*" => dataset.columns().len(),
        (names, _) => names.len(),
    }
}

/// Runs `work`, on a blocking thread when it takes long.
async fn compute<T: Send + 'static>(is_long: bool, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    if is_long { tokio::task::spawn_blocking(work).await.map_err(Problem::internal) } else { Ok(work()) }
}
