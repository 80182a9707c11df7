//! `trainyard predict --csv`: reads a CSV and prints the CSV with predictions added, in requests of up to a thousand
//! rows.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::path::Path;

use csv::StringRecord;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::server::Server;
use crate::client::{show, values};

/// Maximum number of rows in one request.
const MAX_ROWS: usize = 1_000;
/// Maximum number of cells in one request. Keeps the request of a wide table below the server's body limit.
const MAX_CELLS: usize = 200_000;

/// Predicts every row of the CSV at `path` with the model that `request` names.
pub(crate) async fn run(
    mut request: Map<String, Value>,
    path: &Path,
    server: &Server,
    output: Output,
) -> Result<(), ClientError> {
    let (header, rows) = read(path)?;
    let model_features = features(&request, server).await;
    let ignored: Vec<&str> = match &model_features {
        Some(known) => header.iter().filter(|name| !known.contains(*name)).collect(),
        None => Vec::new(),
    };
    if !ignored.is_empty() {
        output.message(format!("ignored columns that are not features of the model: {}", ignored.join(", ")));
    }
    let mut predictions = Vec::with_capacity(rows.len());
    let size = (MAX_CELLS / header.len().max(1)).clamp(1, MAX_ROWS);
    for (chunk, rows) in rows.chunks(size).enumerate() {
        let instances = rows.iter().map(|row| instance(&header, row, model_features.as_ref())).collect();
        request.insert("instances".into(), Value::Array(instances));
        let answer = server.send_json(Method::POST, server.inference(), &json!(request)).await;
        let mut answer = answer.map_err(|error| with_line_numbers(error, chunk * size))?.body;
        if let Value::Array(part) = answer["predictions"].take() {
            predictions.extend(part);
        }
        // The version of the first response is pinned, so that one file gets the predictions of one version.
        request.remove("alias");
        request.insert("model".into(), answer["model"].take());
        request.insert("version".into(), answer["version"].take());
    }
    if predictions.len() != rows.len() {
        return Err(ClientError::Protocol(format!("{} predictions for {} rows", predictions.len(), rows.len())));
    }
    warn(&predictions, output);
    let result = json!({"predictions": predictions, "model": request["model"], "version": request["version"]});
    output.result(&result.to_string(), || add_predictions(&header, &rows, &predictions));
    output.message(format!(
        "{} rows predicted by {} version {}",
        rows.len(),
        show::text(&result["model"]),
        result["version"]
    ));
    Ok(())
}

fn read(path: &Path) -> Result<(StringRecord, Vec<StringRecord>), ClientError> {
    let unusable = |error: &dyn std::fmt::Display| ClientError::Usage(format!("{}: {error}", path.display()));
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(|error| unusable(&error))?)
    };
    let mut reader = csv::Reader::from_reader(source);
    let header = reader.headers().map_err(|error| unusable(&error))?.clone();
    let rows: Vec<_> = reader.records().collect::<Result<_, _>>().map_err(|error| unusable(&error))?;
    if rows.is_empty() {
        return Err(unusable(&"the file has no rows below the header"));
    }
    Ok((header, rows))
}

/// The features of the model, if the API returns them. A CSV usually has more columns.
async fn features(request: &Map<String, Value>, server: &Server) -> Option<HashSet<String>> {
    let model = request.get("model")?.as_str()?;
    let version = match request.get("version") {
        Some(version) => version.to_string(),
        None => {
            let alias = request.get("alias").and_then(Value::as_str).unwrap_or("production");
            server.get(server.at(&["models", model])).await.ok()?.body["aliases"][alias].to_string()
        }
    };
    let answer = server.get(server.at(&["models", model, "versions", &version])).await.ok()?;
    let names = answer.body["features"].as_array()?.iter();
    Some(names.filter_map(|name| Some(name.as_str()?.to_owned())).collect())
}

fn instance(header: &StringRecord, row: &StringRecord, features: Option<&HashSet<String>>) -> Value {
    let cells = header.iter().zip(row).filter(|(name, _)| features.is_none_or(|features| features.contains(*name)));
    Value::Object(cells.map(|(name, cell)| (name.to_owned(), values::cell(cell))).collect())
}

/// Replaces `instances[3]` by the line in the file, for a request with rows after the first `offset` rows.
fn with_line_numbers(error: ClientError, offset: usize) -> ClientError {
    let ClientError::Refused(mut refusal) = error else { return error };
    for (field, _) in &mut refusal.fields {
        let number = field.strip_prefix("instances[").and_then(|rest| rest.split_once(']'));
        if let Some((Ok(row), rest)) = number.map(|(number, rest)| (number.parse::<usize>(), rest)) {
            // Line numbers start at 1, and the header is the first line.
            *field = format!("line {}{rest}", offset + row + 2);
        }
    }
    ClientError::Refused(refusal)
}

/// Prints each distinct warning once, with its number of rows.
fn warn(predictions: &[Value], output: Output) {
    const MAX: usize = 10;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for warning in predictions.iter().filter_map(|prediction| prediction["warnings"].as_array()).flatten() {
        *counts.entry(warning.as_str().unwrap_or_default()).or_default() += 1;
    }
    for (warning, rows) in counts.iter().take(MAX) {
        output.message(format!("warning: {warning} ({rows} rows)"));
    }
    if counts.len() > MAX {
        output.message(format!("… and {} more warnings", counts.len() - MAX));
    }
}

fn add_predictions(header: &StringRecord, rows: &[StringRecord], predictions: &[Value]) -> String {
    let first = predictions.first().and_then(Value::as_object).into_iter().flatten();
    let added: Vec<&String> = first.map(|(name, _)| name).filter(|name| *name != "warnings").collect();
    let cell = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = added.iter().map(|name| match header.iter().any(|column| column == name.as_str()) {
        // The file already has the column with the true values; both are kept.
        true => format!("predicted_{name}"),
        false => (*name).clone(),
    });
    // Writing to memory can't fail, and all rows have as many fields as the header.
    let _ = writer.write_record(header.iter().map(str::to_owned).chain(columns));
    for (row, prediction) in rows.iter().zip(predictions) {
        let predicted = added.iter().map(|name| cell(&prediction[name.as_str()]));
        let _ = writer.write_record(row.iter().map(str::to_owned).chain(predicted));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::error::Refusal;

    #[test]
    fn predictions_are_added_beside_the_true_values() {
        let header = StringRecord::from(vec!["sex", "survived"]);
        let rows = [StringRecord::from(vec!["female", "1"])];
        let text = add_predictions(&header, &rows, &[json!({"prob": 0.9, "survived": true, "warnings": ["w"]})]);
        assert_eq!(text, "sex,survived,prob,predicted_survived\nfemale,1,0.9,true\n");
    }

    #[test]
    fn errors_name_the_line_of_a_row() {
        let body = r#"{"errors": [{"field": "instances[1].age", "message": "must be a number, not a string"}]}"#;
        let error = with_line_numbers(ClientError::Refused(Box::new(Refusal::read(422, body))), 1_000);
        assert_eq!(error.lines(), ["error: line 1003.age: must be a number, not a string"]);
    }

    #[test]
    fn only_features_of_the_model_are_sent() {
        let (header, row) = (StringRecord::from(vec!["age", "name"]), StringRecord::from(vec!["NA", "Allen"]));
        let features = HashSet::from(["age".to_owned()]);
        assert_eq!(instance(&header, &row, Some(&features)), json!({"age": "NA"}));
        assert_eq!(instance(&header, &row, None), json!({"age": "NA", "name": "Allen"}));
    }
}
