//! The self-test rows of a model file, which are predicted at every load.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

use crate::frame::{Column, Frame};
use crate::model::{Estimator, MAX_SELF_TEST_ROWS, RawRow, SelfTest, Signature};

/// Chooses evenly spaced held-out rows, in the form of a request.
pub(super) fn choose(frame: &Frame, held_out: &[usize]) -> Vec<Map<String, Value>> {
    let count = held_out.len().min(MAX_SELF_TEST_ROWS);
    let rows = (0..count).map(|i| held_out[i * held_out.len() / count]);
    let value = |column: &Column, row: usize| match column {
        Column::Number(values) => Some(values[row]).filter(|value| !value.is_nan()).map(|value| json!(value)),
        Column::Boolean(values) => values[row].map(|value| json!(value)),
        Column::Category { names, codes } => names.get(codes[row] as usize).map(|name| json!(name)),
        Column::Datetime(values) => date(values[row]).map(|date| json!(date)),
    };
    let of_row = |row: usize| {
        let columns = frame.columns.iter();
        columns.filter_map(|column| Some((column.name.clone(), value(&column.values, row)?))).collect()
    };
    rows.map(of_row).collect()
}

/// A date in ISO 8601, which every column of dates accepts; `None` for a missing one.
fn date(seconds: f64) -> Option<String> {
    let date = DateTime::from_timestamp_micros((seconds * 1e6).round() as i64).filter(|_| !seconds.is_nan());
    date.map(|date| date.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Adds the predictions of the model.
pub(super) fn answer(rows: Vec<Map<String, Value>>, signature: &Signature, estimator: &Estimator) -> Vec<SelfTest> {
    let readers = signature.text_readers();
    let mut encoded = RawRow::new(signature.width());
    let answered = rows.into_iter().filter_map(|features| {
        // The rows were created from the columns of the signature.
        signature.encode_json(&readers, &features, &mut encoded).ok()?;
        let mut expected = vec![0.0; signature.task.outputs()];
        estimator.predict(&signature.task, &encoded.raw, &encoded.unseen, &mut expected);
        Some(SelfTest { features, expected })
    });
    answered.collect()
}
