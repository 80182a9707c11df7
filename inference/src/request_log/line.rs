//! The lines of a request: one JSON object per row.

use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Map, Value, json};
use trainyard_ml::predict::{Column, Columns};

use super::{Content, Entry};
use crate::loaded_model::LoadedModel;
use crate::v2::infer;
use crate::v2::tensor_body::TensorBody;
use crate::views::answer::OutcomeView;

/// A row with its prediction.
#[derive(Serialize)]
struct Line<'a> {
    time: &'a str,
    request_id: &'a str,
    model: &'a str,
    version: i64,
    latency_ms: f64,
    /// The index of the row in its request.
    row: usize,
    /// Number of rows in the request.
    rows: usize,
    features: Map<String, Value>,
    /// The answer for the row, as of `POST /inference`.
    prediction: Value,
}

/// Passes the line of each row to `write`, without a line break. The request was answered, so it can be read again.
pub(super) fn write_lines(entry: &Entry, max_rows: usize, mut write: impl FnMut(&[u8])) {
    let answered = &entry.answered;
    let record = &answered.loaded.record;
    let time = entry.received_at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let rows = match &answered.content {
        Content::Rows { request, answer } => of_rows(request, answer),
        Content::Tensors { request, outputs } => of_tensors(&answered.loaded, request, outputs, max_rows),
    };
    for (row, (features, prediction)) in rows.into_iter().enumerate() {
        let line = Line {
            time: &time,
            request_id: answered.request_id.as_str(),
            model: &record.model,
            version: record.version,
            latency_ms: answered.latency.as_secs_f64() * 1e3,
            row,
            rows: answered.rows,
            features,
            prediction,
        };
        // Values that were read from JSON can be written as JSON.
        write(&serde_json::to_vec(&line).unwrap_or_default());
    }
}

/// The rows of `POST /inference` with their answers.
fn of_rows(request: &[u8], answer: &[u8]) -> Vec<(Map<String, Value>, Value)> {
    let object = |body: &[u8]| serde_json::from_slice::<Map<String, Value>>(body).unwrap_or_default();
    let (mut request, mut answer) = (object(request), object(answer));
    if let Some(Value::Object(features)) = request.remove("features") {
        // The line has both.
        answer.remove("model");
        answer.remove("version");
        return vec![(features, Value::Object(answer))];
    }
    let list = |body: &mut Map<String, Value>, name: &str| match body.remove(name) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let rows = list(&mut request, "instances").into_iter().zip(list(&mut answer, "predictions"));
    rows.filter_map(|(features, prediction)| match features {
        Value::Object(features) => Some((features, prediction)),
        _ => None,
    })
    .collect()
}

/// The rows of tensors with their predictions, in the form of `POST /inference`.
fn of_tensors(
    loaded: &LoadedModel,
    body: &TensorBody,
    outputs: &[f64],
    max_rows: usize,
) -> Vec<(Map<String, Value>, Value)> {
    let Ok(request) = infer::read(loaded, body, max_rows) else { return Vec::new() };
    let signature = loaded.predictor.signature();
    let row = |(row, outputs): (usize, &[f64])| {
        let names = signature.features.iter().map(|feature| feature.name.clone());
        let features = names
            .enumerate()
            .map(|(feature, name)| (name, value(&request.inputs.columns, signature.features.len(), feature, row)));
        let prediction = serde_json::to_value(OutcomeView { loaded, outputs }).unwrap_or_default();
        (features.collect(), prediction)
    };
    outputs.chunks_exact(signature.task.outputs()).enumerate().map(row).collect()
}

/// A value of a row; NaN is null.
fn value(columns: &Columns<'_>, features: usize, feature: usize, row: usize) -> Value {
    match columns {
        Columns::Matrix(numbers) => json!(numbers[row * features + feature]),
        Columns::Each(columns) => match &columns[feature] {
            Column::Numbers(numbers) => json!(numbers[row]),
            Column::Booleans(values) => json!(values[row]),
            Column::Texts(texts) => json!(texts[row]),
        },
    }
}
