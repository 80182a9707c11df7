//! Answers inference requests, with the limits, the engine and the metrics of `POST /inference`.

use std::time::Instant;

use trainyard_http::{Problem, json};
use trainyard_ml::predict::ColumnError;
use trainyard_telemetry::TraceParent;

use super::answer::{self, InferAnswer, Predictions};
use super::inputs::{self, Inputs};
use super::message;
use super::message_answer;
use super::outputs::{self, Selected};
use super::refusal;
use super::request::InferRequest;
use super::tensor_body::{Parts, TensorBody};
use crate::loaded_model::LoadedModel;
use crate::lookup_problem;
use crate::registry::{Found, VersionSelector};
use crate::request_log::{Answered, Content};
use crate::service::{RequestContext, Service, off_thread};
use crate::shadow::{CopiedRequest, ShadowCopy};
use crate::version_statistics::Phases;

/// Bodies up to this size are processed on the async thread. Tensors have more rows per byte than the objects of
/// `POST /inference`, so the limit is lower.
const SMALL_BODY_BYTES: usize = 8 << 10;

impl Service {
    /// Predicts with the tensors in `body`.
    pub(crate) async fn infer(
        &self,
        selector: VersionSelector<'_>,
        body: TensorBody,
        context: RequestContext,
    ) -> Result<InferAnswer, Problem> {
        let (began, sample) = (Instant::now(), self.sample());
        let max_rows = self.config.max_instances;
        let Found { loaded, shadows } = self.find(selector).await.inspect_err(lookup_problem::count)?;
        let predicted = if body.len() <= SMALL_BODY_BYTES {
            answer(&loaded, &body, max_rows, Phases::new(began), context.trace)?
        } else {
            let (_waiting, permit) = self.admit().await.inspect_err(lookup_problem::count_overload)?;
            let (phases, loaded, body) = (Phases::new(began).queued(), loaded.clone(), body.clone());
            off_thread(move || {
                let predicted = answer(&loaded, &body, max_rows, phases, context.trace);
                drop(permit);
                predicted
            })
            .await?
        };
        let Predicted { answer, rows, outputs } = predicted;
        if let Some(shadows) = shadows {
            let (answered, size) = (loaded.clone(), body.len());
            let request = CopiedRequest::Tensors(body.clone(), outputs.clone());
            self.shadow_queue.push(ShadowCopy { answered, shadows, request, size });
        }
        if let Some(sample) = sample {
            let content = Content::Tensors { request: body, outputs };
            sample.push(Answered { request_id: context.id, loaded, latency: began.elapsed(), rows, content });
        }
        Ok(answer)
    }
}

/// An answer, and what shadow versions and the request log need.
struct Predicted {
    answer: InferAnswer,
    rows: usize,
    /// [`trainyard_ml::model::Task::outputs`] numbers per row.
    outputs: Vec<f64>,
}

fn answer(
    loaded: &LoadedModel,
    body: &TensorBody,
    max_rows: usize,
    mut phases: Phases,
    context: TraceParent,
) -> Result<Predicted, Problem> {
    let attempt = loaded.attempt();
    let request = match read(loaded, body, max_rows) {
        Ok(request) => request,
        Err(refused) => {
            attempt.refused(&phases);
            return Err(refused);
        }
    };
    let rows = request.inputs.rows;
    phases.input_done();
    let mut span = loaded.start_span(context, rows);
    let outputs = match loaded.counting().predict_columns(&request.inputs.columns, rows) {
        Ok(outputs) => outputs,
        Err(error) => {
            attempt.refused(&phases);
            span.fail("refused");
            return Err(unusable(loaded, &error));
        }
    };
    phases.infer_done();
    let predictions = Predictions { loaded, outputs: &outputs };
    let answer = match body.parts() {
        Parts::Json(..) => {
            answer::write(predictions, request.id.as_deref(), &request.outputs).map_err(Problem::internal)?
        }
        Parts::Message(_) => InferAnswer::Message(message_answer::write(predictions, request.id, &request.outputs)?),
    };
    phases.output_done();
    attempt.answered(rows, &phases);
    Ok(Predicted { answer, rows, outputs })
}

/// The output vectors of a shadow version for a copied body; `None` if it can't predict the rows.
pub(crate) fn predict_copy(shadow: &LoadedModel, body: &TensorBody, max_rows: usize) -> Option<Vec<f64>> {
    let request = read(shadow, body, max_rows).ok()?;
    shadow.predictor.predict_columns(&request.inputs.columns, request.inputs.rows).ok()
}

/// A request that fits the model.
pub(crate) struct ValidRequest<'a> {
    /// Returned in the answer.
    pub(crate) id: Option<String>,
    /// The rows.
    pub(crate) inputs: Inputs<'a>,
    /// The outputs to answer.
    pub(crate) outputs: Vec<Selected>,
}

/// Reads a request for the model.
pub(crate) fn read<'a>(
    loaded: &LoadedModel,
    body: &'a TensorBody,
    max_rows: usize,
) -> Result<ValidRequest<'a>, Problem> {
    let (json, binary) = match body.parts() {
        Parts::Json(json, binary) => (json, binary),
        Parts::Message(message) => return message::read(loaded, message, max_rows),
    };
    let InferRequest { id, parameters, inputs, outputs } = json::parse_borrowed(json)?;
    let outputs = outputs.into_iter().flatten().map(Ok);
    let outputs = outputs::select(&loaded.target, outputs, parameters.unwrap_or_default())?;
    let inputs = inputs.into_iter().map(|tensor| Ok(tensor.into()));
    let inputs = inputs::read(loaded.predictor.signature(), inputs, binary, max_rows)?;
    Ok(ValidRequest { id, inputs, outputs })
}

fn unusable(loaded: &LoadedModel, error: &ColumnError) -> Problem {
    match error {
        ColumnError::Value { feature, row, mismatch } => {
            let name = loaded.predictor.signature().features.get(*feature).map_or("", |feature| &feature.name);
            let name = trainyard_domain::shown(name);
            refusal(format!("the input '{name}' is not valid: element {row} {mismatch}"))
        }
        ColumnError::OutOfRange { .. } => refusal(error.to_string()),
    }
}
