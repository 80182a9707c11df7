//! Answers inference requests, with the limits, the engine and the metrics of `POST /inference`.

use std::time::Instant;

use trainyard_http::{Problem, json};
use trainyard_ml::predict::ColumnError;
use trainyard_telemetry::TraceParent;

use super::answer::{self, InferAnswer, Predictions};
use super::inputs::{self, Inputs};
use super::outputs::{self, Selected};
use super::refusal;
use super::request::InferRequest;
use super::tensor_body::TensorBody;
use crate::loaded_model::LoadedModel;
use crate::lookup_problem;
use crate::registry::VersionSelector;
use crate::service::{Service, off_thread};
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
        context: TraceParent,
    ) -> Result<InferAnswer, Problem> {
        let began = Instant::now();
        let max_rows = self.config.max_instances;
        let loaded = self.find(selector).await.inspect_err(lookup_problem::count)?;
        if body.len() <= SMALL_BODY_BYTES {
            return answer(&loaded, &body, max_rows, Phases::new(began), context);
        }
        let (_waiting, permit) = self.admit().await.inspect_err(lookup_problem::count)?;
        let phases = Phases::new(began).queued();
        off_thread(move || {
            let answer = answer(&loaded, &body, max_rows, phases, context);
            drop(permit);
            answer
        })
        .await
    }
}

fn answer(
    loaded: &LoadedModel,
    body: &TensorBody,
    max_rows: usize,
    mut phases: Phases,
    context: TraceParent,
) -> Result<InferAnswer, Problem> {
    let (json, binary) = body.parts();
    let request = read(loaded, json, binary, max_rows).inspect_err(|_| loaded.record_refusal(&phases))?;
    let rows = request.inputs.rows;
    phases.input_done();
    let mut span = loaded.start_span(context, rows);
    let outputs = loaded.predictor.predict_columns(&request.inputs.columns, rows).map_err(|error| {
        loaded.record_refusal(&phases);
        span.fail("refused");
        unusable(loaded, &error)
    })?;
    phases.infer_done();
    let predictions = Predictions { loaded, outputs: &outputs };
    let written = answer::write(predictions, request.id.as_deref(), &request.outputs).map_err(Problem::internal);
    phases.output_done();
    loaded.record_success(rows, &phases);
    written
}

/// A request that fits the model.
struct ValidRequest<'a> {
    id: Option<String>,
    inputs: Inputs<'a>,
    outputs: Vec<Selected>,
}

fn read<'a>(
    loaded: &LoadedModel,
    json: &'a [u8],
    binary: &'a [u8],
    max_rows: usize,
) -> Result<ValidRequest<'a>, Problem> {
    let InferRequest { id, parameters, inputs, outputs } = json::parse_borrowed(json)?;
    let outputs = outputs::select(&loaded.target, outputs.as_deref(), parameters.unwrap_or_default())?;
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
