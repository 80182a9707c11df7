//! `trainyard predict`: predicts one row from the command line, the rows of a CSV, or a dataset of the server.

use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::client::batch;
use crate::client::error::ClientError;
use crate::client::output::{Output, pairs};
use crate::client::server::Server;
use crate::client::{predict_dataset, show, values};

/// Predict with a published model.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trainyard predict --model demo sex=female age=29 pclass=1
  trainyard predict --model demo --version 2 --json-row '{\"sex\": \"female\", \"age\": 29}'
  trainyard predict --model demo --explain sex=female age=29 pclass=1
  trainyard predict --model demo --csv passengers.csv > predictions.csv
  trainyard predict --model demo --dataset passengers --output predictions.csv
  trainyard predict --model demo --dataset passengers --watch

--csv sends the rows of a local file in requests. --dataset submits a job that predicts a dataset of the server: for large
tables, without keeping this command running. Upload a file with: trainyard datasets upload.

Values: 29 is a number, true and false are booleans, '\"29\"' in quotes is a string, and so is all other text; an empty
value is missing. Missing features are imputed as in training, with a warning.")]
pub struct PredictArgs {
    /// The model; optional if the server has only one model.
    #[arg(long)]
    pub model: Option<String>,
    /// A version instead of the one that `production` points at.
    #[arg(long, conflicts_with = "alias")]
    pub version: Option<i64>,
    /// An alias instead of `production`.
    #[arg(long)]
    pub alias: Option<String>,
    /// One row as a JSON object.
    #[arg(long, value_name = "JSON", conflicts_with_all = ["csv", "features"])]
    pub json_row: Option<String>,
    /// Rows from a CSV with a header line; prints the CSV with predictions added. `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "features")]
    pub csv: Option<PathBuf>,
    /// Predict every row of this dataset of the server, in a job.
    #[arg(long, value_name = "NAME", requires = "model", conflicts_with_all = ["csv", "json_row", "explain", "features"])]
    pub dataset: Option<String>,
    /// Options of the job.
    #[command(flatten)]
    pub job: JobOptions,
    /// Show how much each feature contributes to the prediction. Not possible for the algorithm svm.
    #[arg(long, conflicts_with = "csv")]
    pub explain: bool,
    /// One row as name=value pairs.
    #[arg(value_name = "NAME=VALUE", value_parser = values::pair)]
    pub features: Vec<(String, Value)>,
}

/// Options of a job that predicts a dataset.
#[derive(Debug, Args)]
#[group(id = "job_options", multiple = true, requires = "dataset")]
pub struct JobOptions {
    /// With --dataset: columns of the dataset in the result, all or none [default: all].
    #[arg(long, value_name = "WHICH")]
    pub columns: Option<String>,
    /// With --dataset: wait for the job and write the result to this file; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// With --dataset: watch the job until it ends.
    #[arg(long)]
    pub watch: bool,
    /// With --dataset: priority from -10 to 10; jobs with a higher priority run first [default: 0].
    #[arg(long, allow_negative_numbers = true)]
    pub priority: Option<i64>,
    /// With --dataset: time limit of a run, in seconds [default: 3600].
    #[arg(long)]
    pub timeout_s: Option<i64>,
    /// With --dataset: maximum number of attempts after retryable failures [default: 3].
    #[arg(long)]
    pub max_attempts: Option<i64>,
    /// With --dataset: idempotency key; repeating the command with the same key does not submit another job.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

/// Requests predictions.
pub(crate) async fn run(args: PredictArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let mut request = Map::new();
    let selection = [
        ("model", args.model.map(Value::from)),
        ("version", args.version.map(Value::from)),
        ("alias", args.alias.map(Value::from)),
    ];
    request.extend(selection.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    if let Some(dataset) = args.dataset {
        request.insert("dataset".into(), dataset.into());
        return predict_dataset::run(request, args.job, server, output).await;
    }
    if let Some(path) = args.csv {
        return batch::run(request, &path, server, output).await;
    }
    let row = match args.json_row {
        Some(text) => serde_json::from_str(&text)
            .map_err(|error| ClientError::Usage(format!("--json-row is not a JSON object: {error}")))?,
        None => values::object(args.features).map_err(ClientError::Usage)?,
    };
    request.insert("features".into(), Value::Object(row));
    if args.explain {
        request.insert("explain".into(), Value::Bool(true));
    }
    let answer = server.send_json(Method::POST, server.inference(), &json!(request)).await?;
    output.result(&answer.raw, || render(&answer.body));
    Ok(())
}

/// The prediction first, then the details.
fn render(answer: &Value) -> String {
    const DETAILS: [&str; 7] = ["prob", "probabilities", "model", "version", "threshold", "explanation", "warnings"];
    let fields = answer.as_object().into_iter().flatten();
    let mut lines: Vec<(&str, String)> = fields
        .filter(|(name, _)| !DETAILS.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), show::text(value)))
        .collect();
    lines.push(("probability", show::text(&answer["prob"])));
    lines.push(("threshold", show::text(&answer["threshold"])));
    let classes = answer["probabilities"].as_object().into_iter().flatten();
    let classes: Vec<_> = classes.map(|(class, share)| format!("{class} {}", show::text(share))).collect();
    lines.push(("classes", classes.join(", ")));
    lines.push(("model", format!("{} version {}", show::text(&answer["model"]), show::text(&answer["version"]))));
    let contributions = contributions(&answer["explanation"]);
    lines.extend(contributions.iter().map(|(name, text)| (name.as_str(), text.clone())));
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        lines.push(("warning", show::text(warning)));
    }
    pairs(&lines)
}

/// The mean of the model, then the features with the largest contributions first.
fn contributions(explanation: &Value) -> Vec<(String, String)> {
    let Some(parts) = explanation["contributions"].as_object() else { return Vec::new() };
    let mut parts: Vec<(&String, f64)> =
        parts.iter().map(|(name, value)| (name, value.as_f64().unwrap_or_default())).collect();
    parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let scale = show::text(&explanation["scale"]).replace('_', "-");
    let baseline = ("mean".to_owned(), format!("{} ({scale})", show::text(&explanation["baseline"])));
    let parts = parts.into_iter().map(|(name, value)| (format!("  {name}"), format!("{value:+.4}")));
    std::iter::once(baseline).chain(parts).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct CommandLine {
        #[command(flatten)]
        args: PredictArgs,
    }

    #[test]
    fn options_of_a_job_need_a_dataset_and_a_dataset_needs_a_model() {
        let parsed = |line: &str| CommandLine::try_parse_from(line.split(' ')).map(|line| line.args);
        let args = parsed("predict --model m --dataset d --columns none --priority -3 --watch").unwrap();
        assert_eq!((args.dataset.as_deref(), args.job.columns.as_deref()), (Some("d"), Some("none")));
        assert_eq!((args.job.priority, args.job.watch), (Some(-3), true));
        for wrong in ["--dataset d", "--model m --output x.csv", "--model m --dataset d --csv x", "--model m --watch"] {
            assert!(parsed(&format!("predict {wrong}")).is_err(), "{wrong}");
        }
        assert!(parsed("predict --model m sex=female").is_ok());
    }

    #[test]
    fn the_prediction_comes_first() {
        let text = render(&json!({"prob": 0.971_23, "survived": true, "model": "demo", "version": 3,
            "warnings": ["age is missing"]}));
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines, ["survived true", "probability 0.9712", "model demo version 3", "warning age is missing"]);
        let tuned = render(&json!({"prob": 0.4, "survived": true, "model": "demo", "version": 3, "threshold": 0.3125}));
        assert!(tuned.lines().any(|line| line.split_whitespace().eq(["threshold", "0.3125"])), "{tuned}");
    }

    #[test]
    fn an_explanation_has_the_largest_contribution_first() {
        let explanation = json!({"scale": "probability", "value": 0.9, "baseline": 0.38,
            "contributions": {"age": -0.02, "sex": 0.5, "pclass": 0.04}});
        let text = render(&json!({"survived": true, "explanation": explanation}));
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert!(lines.contains(&"mean 0.3800 (probability)".to_owned()), "{lines:?}");
        let at = |line: &str| lines.iter().position(|found| found == line).unwrap();
        assert!(at("sex +0.5000") < at("pclass +0.0400") && at("pclass +0.0400") < at("age -0.0200"), "{lines:?}");
    }
}
