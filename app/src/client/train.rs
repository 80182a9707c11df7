//! `trainyard train`.

use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde_json::{Map, Value, json};
use url::Url;

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::server::{Answer, Server};
use crate::client::{report, show, values, watch};

/// Submit a training job.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trainyard train --dataset titanic --algorithm random_forest --features sex,age,pclass --name demo --watch
  trainyard train --name digits --dataset digits --target digit --features '*' --algorithm svm --param c=10
  trainyard train --name demo --algorithm decision_tree --features sex,age --param max_depth=null --json | jq -r .job_id
  trainyard train --name churn --dataset customers --target left --features '*' --algorithm svm --column-type zip=category

With --watch the command ends with the job: 0 succeeded, 1 failed, 6 cancelled. Ctrl-C leaves the job running.")]
pub struct TrainArgs {
    /// Name of the model; the job publishes a new version.
    #[arg(long)]
    pub name: String,
    /// Training algorithm: random_forest, extra_trees, gradient_boosting, decision_tree, svm, logistic_regression, ridge, auto.
    #[arg(long)]
    pub algorithm: String,
    /// Feature columns, comma-separated; '*' uses every usable column except the target.
    #[arg(long, value_delimiter = ',', required = true)]
    pub features: Vec<String>,
    /// Dataset to train on [default: titanic].
    #[arg(long)]
    pub dataset: Option<String>,
    /// Column to predict [default: survived].
    #[arg(long)]
    pub target: Option<String>,
    /// A parameter of the algorithm, such as n_trees=200; can be repeated.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = values::pair)]
    pub params: Vec<(String, Value)>,
    /// JSON file with an object of parameters; --param overrides it.
    #[arg(long, value_name = "FILE")]
    pub params_json: Option<PathBuf>,
    /// Task: classification or regression [default: decided by the target].
    #[arg(long)]
    pub task: Option<String>,
    /// Label whose probability is predicted as prob, for targets with two classes, such as ill or 1.
    #[arg(long, value_name = "LABEL")]
    pub positive_class: Option<String>,
    /// Type of a column for this job, such as zip=category; can be repeated. Types: number, category, boolean, datetime,
    /// text.
    #[arg(long = "column-type", value_name = "COLUMN=TYPE", value_parser = values::text_pair)]
    pub column_types: Vec<(String, String)>,
    /// What happens to features that contain the target: warn, drop or refuse [default: warn].
    #[arg(long)]
    pub on_leak: Option<String>,
    /// Give the new version the alias production only if this metric is better than that of the version in production:
    /// accuracy, roc_auc, log_loss, f1, precision, recall, r2, rmse or mae.
    #[arg(long, value_name = "METRIC")]
    pub auto_promote: Option<String>,
    /// Least improvement for --auto-promote, in the unit of the metric [default: 0].
    #[arg(long, value_name = "AMOUNT", requires = "auto_promote")]
    pub min_improvement: Option<f64>,
    /// Seed of the random number generator [default: 42].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Priority from -10 to 10; jobs with a higher priority run first [default: 0].
    #[arg(long, allow_negative_numbers = true)]
    pub priority: Option<i64>,
    /// Time limit of the run, in seconds [default: 3600].
    #[arg(long)]
    pub timeout_s: Option<i64>,
    /// Maximum number of attempts after retryable failures [default: 3].
    #[arg(long)]
    pub max_attempts: Option<i64>,
    /// Idempotency key: repeating the command with the same key does not submit another job.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Watch the job until it ends.
    #[arg(long)]
    pub watch: bool,
}

/// Submits a job, and watches it if requested.
pub(crate) async fn run(args: TrainArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let (watched, key) = (args.watch, args.idempotency_key.clone());
    let body = request_body(args)?;
    let accepted = submit(server, &server.at(&["training"]), &body, key.as_deref()).await?;
    let job_id = show::text(&accepted.body["job_id"]);
    output.message(format!("job {job_id} is {}", show::text(&accepted.body["status"])));
    if !watched {
        output.result(&accepted.raw, || format!("{job_id}\n"));
        output.message(format!("follow it with: trainyard jobs show {job_id} --watch"));
        return Ok(());
    }
    follow(server, output, &job_id).await
}

/// Watches a job until it ends and prints the result.
pub(crate) async fn follow(server: &Server, output: Output, job_id: &str) -> Result<(), ClientError> {
    let last = watch::until_final(server, output, job_id).await?;
    output.result(&last.raw, || report::job(&last.body));
    watch::check_outcome(&last.body)?;
    let last = last.body;
    if last["kind"] == "prediction" {
        output.message(format!("download the result with: trainyard jobs result {job_id} --output result.csv"));
        return Ok(());
    }
    let (name, version) = (show::text(&last["model"]["name"]), show::text(&last["model"]["version"]));
    let feature = show::text(&last["spec"]["features"][0]);
    // Only the first version always gets the alias `production`.
    let pin = if version == "1" { String::new() } else { format!(" --version {version}") };
    output.message(format!(
        "{name} version {version} is published; try: trainyard predict --model {name}{pin} {feature}=…"
    ));
    Ok(())
}

/// Submits a job at `url`. Repeating the call with the same `key` submits no other job.
pub(crate) async fn submit(server: &Server, url: &Url, body: &Value, key: Option<&str>) -> Result<Answer, ClientError> {
    let submit = |http: &reqwest::Client| {
        let request = http.request(Method::POST, url.clone()).json(body);
        match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        }
    };
    server.send(submit).await
}

fn request_body(args: TrainArgs) -> Result<Value, ClientError> {
    let mut params = match &args.params_json {
        Some(path) => read_params(path)?,
        None => Map::new(),
    };
    params.extend(values::object(args.params).map_err(ClientError::Usage)?);
    let mut body = Map::new();
    let optional = [
        ("dataset", args.dataset.map(Value::from)),
        ("target", args.target.map(Value::from)),
        ("params", (!params.is_empty()).then(|| Value::from(params))),
        ("task", args.task.map(Value::from)),
        ("positive_class", args.positive_class.as_deref().map(values::label)),
        ("column_types", (!args.column_types.is_empty()).then(|| args.column_types.into_iter().collect())),
        ("on_leak", args.on_leak.map(Value::from)),
        ("auto_promote", args.auto_promote.map(|metric| auto_promote(&metric, args.min_improvement))),
        ("seed", args.seed.map(Value::from)),
        ("priority", args.priority.map(Value::from)),
        ("timeout_s", args.timeout_s.map(Value::from)),
        ("max_attempts", args.max_attempts.map(Value::from)),
    ];
    body.insert("name".into(), json!(args.name));
    body.insert("algorithm".into(), json!(args.algorithm));
    body.insert("features".into(), json!(args.features));
    // Options that are not given are omitted, so that the server's defaults apply.
    body.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(Value::Object(body))
}

fn auto_promote(metric: &str, min_improvement: Option<f64>) -> Value {
    match min_improvement {
        Some(amount) => json!({"metric": metric, "min_improvement": amount}),
        None => json!({"metric": metric}),
    }
}

fn read_params(path: &std::path::Path) -> Result<Map<String, Value>, ClientError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ClientError::Usage(format!("--params-json {}: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| ClientError::Usage(format!("--params-json {} is not a JSON object: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        args: TrainArgs,
    }

    fn parsed(line: &str) -> Value {
        request_body(CommandLine::try_parse_from(line.split(' ')).unwrap().args).unwrap()
    }

    #[test]
    fn only_given_options_are_sent() {
        assert_eq!(
            parsed("train --name m --algorithm svm --features sex,age"),
            json!({"name": "m", "algorithm": "svm", "features": ["sex", "age"]})
        );
    }

    #[test]
    fn the_options_of_the_table_are_sent() {
        let body = parsed(
            "train --name m --algorithm svm --features zip --task classification --positive-class 1 \
             --column-type zip=category --column-type a=b=number --on-leak drop",
        );
        assert_eq!((&body["task"], &body["on_leak"]), (&json!("classification"), &json!("drop")));
        assert_eq!(body["positive_class"], json!(1));
        assert_eq!(body["column_types"], json!({"zip": "category", "a=b": "number"}));
        let named = parsed("train --name m --algorithm svm --features zip --positive-class ill");
        assert_eq!(named["positive_class"], json!("ill"));
    }

    #[test]
    fn a_guarded_promotion_is_sent_as_an_object() {
        let job = "train --name m --algorithm svm --features sex --auto-promote roc_auc";
        assert_eq!(parsed(job)["auto_promote"], json!({"metric": "roc_auc"}));
        let body = parsed(&format!("{job} --min-improvement 0.01"));
        assert_eq!(body["auto_promote"], json!({"metric": "roc_auc", "min_improvement": 0.01}));
        let alone = "train --name m --algorithm svm --features sex --min-improvement 1";
        assert!(CommandLine::try_parse_from(alone.split(' ')).is_err(), "it belongs to --auto-promote");
    }

    #[test]
    fn parameters_keep_their_types() {
        let body = parsed(
            "train --name m --algorithm random_forest --features * --param n_trees=200 --param max_depth=null \
             --param max_features=log2 --priority -3 --seed 7",
        );
        assert_eq!(body["params"], json!({"n_trees": 200, "max_depth": null, "max_features": "log2"}));
        assert_eq!((&body["priority"], &body["seed"]), (&json!(-3), &json!(7)));
    }
}
