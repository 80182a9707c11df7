//! `trainyard predict --csv`: a CSV in, the same CSV with the prediction added out, up to a thousand rows a request.

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

/// Rows in one request: at most this many,
const MOST_ROWS: usize = 1_000;
/// and cells, so that wide tables stay far below the server's limit for a body.
const MOST_CELLS: usize = 200_000;

/// Predicts every row of the CSV at `path`; `request` says with which model.
pub(crate) async fn run(
    mut request: Map<String, Value>,
    path: &Path,
    server: &Server,
    output: Output,
) -> Result<(), ClientError> {
    let (header, rows) = read(path)?;
    let taken = features(&request, server).await;
    let ignored: Vec<&str> = match &taken {
        Some(taken) => header.iter().filter(|name| !taken.contains(*name)).collect(),
        None => Vec::new(),
    };
    if !ignored.is_empty() {
        output.say(format!("columns that the model does not take are left out: {}", ignored.join(", ")));
    }
    let mut predictions = Vec::with_capacity(rows.len());
    let size = (MOST_CELLS / header.len().max(1)).clamp(1, MOST_ROWS);
    for (chunk, rows) in rows.chunks(size).enumerate() {
        let instances = rows.iter().map(|row| instance(&header, row, taken.as_ref())).collect();
        request.insert("instances".into(), Value::Array(instances));
        let answer = server.send_json(Method::POST, server.inference(), &json!(request)).await;
        let mut answer = answer.map_err(|error| located(error, chunk * size))?.body;
        if let Value::Array(part) = answer["predictions"].take() {
            predictions.extend(part);
        }
        // The rest of the file goes to the version that answered first, whatever is published meanwhile.
        request.remove("alias");
        request.insert("model".into(), answer["model"].take());
        request.insert("version".into(), answer["version"].take());
    }
    if predictions.len() != rows.len() {
        return Err(ClientError::Protocol(format!("{} predictions for {} rows", predictions.len(), rows.len())));
    }
    warn(&predictions, output);
    let whole = json!({"predictions": predictions, "model": request["model"], "version": request["version"]});
    output.result(&whole.to_string(), || with_predictions(&header, &rows, &predictions));
    output.say(format!(
        "{} rows predicted by {} version {}",
        rows.len(),
        show::text(&whole["model"]),
        whole["version"]
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
        return Err(unusable(&"there is no row below the header"));
    }
    Ok((header, rows))
}

/// The features of the model, when the API tells them; a CSV usually has more columns than those.
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

fn instance(header: &StringRecord, row: &StringRecord, taken: Option<&HashSet<String>>) -> Value {
    let cells = header.iter().zip(row).filter(|(name, _)| taken.is_none_or(|taken| taken.contains(*name)));
    Value::Object(cells.map(|(name, cell)| (name.to_owned(), values::cell(cell))).collect())
}

/// `instances[3]` of a later request is another row of the file.
fn located(error: ClientError, offset: usize) -> ClientError {
    let ClientError::Refused(mut refusal) = error else { return error };
    for (field, _) in &mut refusal.fields {
        let number = field.strip_prefix("instances[").and_then(|rest| rest.split_once(']'));
        if let Some((Ok(row), rest)) = number.map(|(number, rest)| (number.parse::<usize>(), rest)) {
            // Rows are counted from 1 and the header is the first line, as editors show them.
            *field = format!("line {}{rest}", offset + row + 2);
        }
    }
    ClientError::Refused(refusal)
}

/// Each warning once, with the number of rows it holds for.
fn warn(predictions: &[Value], output: Output) {
    const MOST: usize = 10;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for warning in predictions.iter().filter_map(|prediction| prediction["warnings"].as_array()).flatten() {
        *counts.entry(warning.as_str().unwrap_or_default()).or_default() += 1;
    }
    for (warning, rows) in counts.iter().take(MOST) {
        output.say(format!("warning: {warning} ({rows} rows)"));
    }
    if counts.len() > MOST {
        output.say(format!("… and {} more kinds of warnings", counts.len() - MOST));
    }
}

fn with_predictions(header: &StringRecord, rows: &[StringRecord], predictions: &[Value]) -> String {
    let first = predictions.first().and_then(Value::as_object).into_iter().flatten();
    let added: Vec<&String> = first.map(|(name, _)| name).filter(|name| *name != "warnings").collect();
    let cell = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = added.iter().map(|name| match header.iter().any(|column| column == name.as_str()) {
        // The file has the true values: both are wanted.
        true => format!("predicted_{name}"),
        false => (*name).clone(),
    });
    // Writing to memory does not fail, and `flexible` rows can't come out of a reader that is not.
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
        let text = with_predictions(&header, &rows, &[json!({"prob": 0.9, "survived": true, "warnings": ["w"]})]);
        assert_eq!(text, "sex,survived,prob,predicted_survived\nfemale,1,0.9,true\n");
    }

    #[test]
    fn refused_rows_are_named_by_their_line() {
        let body = r#"{"errors": [{"field": "instances[1].age", "message": "must be a number, not a string"}]}"#;
        let error = located(ClientError::Refused(Box::new(Refusal::read(422, body))), 1_000);
        assert_eq!(error.lines(), ["error: line 1003.age: must be a number, not a string"]);
    }

    #[test]
    fn only_columns_the_model_takes_are_sent() {
        let (header, row) = (StringRecord::from(vec!["age", "name"]), StringRecord::from(vec!["NA", "Allen"]));
        let taken = HashSet::from(["age".to_owned()]);
        assert_eq!(instance(&header, &row, Some(&taken)), json!({"age": null}));
        assert_eq!(instance(&header, &row, None), json!({"age": null, "name": "Allen"}));
    }
}
