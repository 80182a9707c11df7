//! `trainyard train`.

use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::server::Server;
use crate::client::{report, show, values, watch};

/// Submit a training job.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trainyard train --dataset titanic --algorithm random_forest --features sex,age,pclass --name demo --watch
  trainyard train --name digits --dataset digits --target digit --features '*' --algorithm svm --param c=10
  trainyard train --name demo --algorithm decision_tree --features sex,age --param max_depth=null --json | jq -r .job_id

With --watch the command ends with the job: 0 succeeded, 1 failed, 6 cancelled. Ctrl-C leaves the job running.")]
pub struct TrainArgs {
    /// Name of the model to make a version of.
    #[arg(long)]
    pub name: String,
    /// How to train: random_forest, decision_tree, svm, logistic_regression.
    #[arg(long)]
    pub algorithm: String,
    /// Feature columns, separated by commas; '*' takes every usable column but the target.
    #[arg(long, value_delimiter = ',', required = true)]
    pub features: Vec<String>,
    /// Data set to train on [default: titanic].
    #[arg(long)]
    pub dataset: Option<String>,
    /// Column to predict [default: survived].
    #[arg(long)]
    pub target: Option<String>,
    /// A parameter of the algorithm, such as n_trees=200; may be repeated.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = values::pair)]
    pub params: Vec<(String, Value)>,
    /// A file with parameters as a JSON object; --param wins over it.
    #[arg(long, value_name = "FILE")]
    pub params_json: Option<PathBuf>,
    /// Fixes every random draw [default: 42].
    #[arg(long)]
    pub seed: Option<u64>,
    /// From -10 to 10; higher runs first [default: 0].
    #[arg(long, allow_negative_numbers = true)]
    pub priority: Option<i64>,
    /// Longest run in seconds [default: 3600].
    #[arg(long)]
    pub timeout_s: Option<i64>,
    /// How often a retryable failure is tried [default: 3].
    #[arg(long)]
    pub max_attempts: Option<i64>,
    /// Sent along so that repeating the command does not submit twice.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Follow the job to its end.
    #[arg(long)]
    pub watch: bool,
}

/// Submits a job, and follows it when asked to.
pub(crate) async fn run(args: TrainArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let (watched, key) = (args.watch, args.idempotency_key.clone());
    let body = order(args)?;
    let url = server.at(&["training"]);
    let submit = |http: &reqwest::Client| {
        let request = http.request(Method::POST, url.clone()).json(&body);
        match &key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        }
    };
    let accepted = server.send(submit).await?;
    let job_id = show::text(&accepted.body["job_id"]);
    output.say(format!("job {job_id} is {}", show::text(&accepted.body["status"])));
    if !watched {
        output.result(&accepted.raw, || format!("{job_id}\n"));
        output.say(format!("follow it with: trainyard jobs show {job_id} --watch"));
        return Ok(());
    }
    follow(server, output, &job_id).await
}

/// Follows a job to its end and shows how it went.
pub(crate) async fn follow(server: &Server, output: Output, job_id: &str) -> Result<(), ClientError> {
    let last = watch::until_final(server, output, job_id).await?;
    output.result(&last.raw, || report::job(&last.body));
    watch::verdict(&last.body)?;
    let (name, version) = (show::text(&last.body["model"]["name"]), show::text(&last.body["model"]["version"]));
    let feature = show::text(&last.body["spec"]["features"][0]);
    // Only the first version is sure to be in production.
    let pin = if version == "1" { String::new() } else { format!(" --version {version}") };
    output
        .say(format!("{name} version {version} is published; try: trainyard predict --model {name}{pin} {feature}=…"));
    Ok(())
}

fn order(args: TrainArgs) -> Result<Value, ClientError> {
    let mut params = match &args.params_json {
        Some(path) => read_params(path)?,
        None => Map::new(),
    };
    params.extend(values::object(args.params).map_err(ClientError::Usage)?);
    let mut order = Map::new();
    let optional = [
        ("dataset", args.dataset.map(Value::from)),
        ("target", args.target.map(Value::from)),
        ("params", (!params.is_empty()).then(|| Value::from(params))),
        ("seed", args.seed.map(Value::from)),
        ("priority", args.priority.map(Value::from)),
        ("timeout_s", args.timeout_s.map(Value::from)),
        ("max_attempts", args.max_attempts.map(Value::from)),
    ];
    order.insert("name".into(), json!(args.name));
    order.insert("algorithm".into(), json!(args.algorithm));
    order.insert("features".into(), json!(args.features));
    // What is not given is left to the server, whose defaults are the ones documented.
    order.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(Value::Object(order))
}

fn read_params(path: &std::path::Path) -> Result<Map<String, Value>, ClientError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ClientError::Usage(format!("--params-json {}: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| ClientError::Usage(format!("--params-json {} is no JSON object: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: TrainArgs,
    }

    fn ordered(line: &str) -> Value {
        order(Line::try_parse_from(line.split(' ')).unwrap().args).unwrap()
    }

    #[test]
    fn only_what_was_given_is_sent() {
        assert_eq!(
            ordered("train --name m --algorithm svm --features sex,age"),
            json!({"name": "m", "algorithm": "svm", "features": ["sex", "age"]})
        );
    }

    #[test]
    fn parameters_keep_their_types() {
        let order = ordered(
            "train --name m --algorithm random_forest --features * --param n_trees=200 --param max_depth=null \
             --param max_features=log2 --priority -3 --seed 7",
        );
        assert_eq!(order["params"], json!({"n_trees": 200, "max_depth": null, "max_features": "log2"}));
        assert_eq!((&order["priority"], &order["seed"]), (&json!(-3), &json!(7)));
    }
}
