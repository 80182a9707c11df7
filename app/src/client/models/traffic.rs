//! `trainyard models traffic`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::print_done;
use crate::client::error::ClientError;
use crate::client::output::{Output, list, pairs, plain};
use crate::client::server::Server;
use crate::client::show;

/// Actions on the traffic of a model.
#[derive(Debug, Subcommand)]
pub enum TrafficCommand {
    /// Show the weights and the shadow versions of a model.
    Show {
        /// The model's name.
        name: String,
    },
    /// Replace the weights and the shadow versions of a model.
    Set(SetArgs),
    /// Delete the weights and the shadow versions of a model, so that `production` answers.
    Clear {
        /// The model's name.
        name: String,
    },
}

/// The traffic of a model.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// The model's name.
    pub name: String,
    /// Weights of versions, such as 3=90 4=10. Without weights `production` answers.
    #[arg(value_name = "VERSION=WEIGHT", value_parser = weight)]
    pub weights: Vec<(String, i64)>,
    /// A version that gets copies of the requests; can be repeated. Its predictions are compared and never returned.
    #[arg(long, value_name = "VERSION")]
    pub shadow: Vec<i64>,
    /// Limits on the versions that `production` does not point at.
    #[command(flatten)]
    pub guard: GuardArgs,
}

/// Limits on the predictions of a new version. If one is exceeded, the version is rolled back.
#[derive(Debug, Default, Args)]
pub struct GuardArgs {
    /// Highest share of failed predictions, such as 0.05.
    #[arg(long, value_name = "SHARE")]
    pub max_error_rate: Option<f64>,
    /// Highest 99th percentile of the duration of a prediction, in milliseconds.
    #[arg(long, value_name = "MS")]
    pub max_p99_ms: Option<f64>,
    /// How long the version is watched, in seconds [default: 600].
    #[arg(long, value_name = "SECONDS")]
    pub guard_for_s: Option<i64>,
    /// Least number of predictions before a limit counts [default: 100].
    #[arg(long, value_name = "COUNT")]
    pub min_requests: Option<i64>,
}

impl GuardArgs {
    /// The guard of a request; `None` without an option.
    pub(super) fn to_json(&self) -> Option<Value> {
        let fields = [
            ("max_error_rate", self.max_error_rate.map(Value::from)),
            ("max_p99_ms", self.max_p99_ms.map(Value::from)),
            ("for_s", self.guard_for_s.map(Value::from)),
            ("min_requests", self.min_requests.map(Value::from)),
        ];
        let given: Map<_, _> = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        (!given.is_empty()).then_some(Value::Object(given))
    }
}

/// Runs the command.
pub(super) async fn run(command: TrafficCommand, server: &Server, output: Output) -> Result<(), ClientError> {
    match command {
        TrafficCommand::Show { name } => {
            let answer = server.get(server.at(&["models", &name, "traffic"])).await?;
            output.result(&answer.raw, || render(&answer.body));
            Ok(())
        }
        TrafficCommand::Set(args) => {
            let url = server.at(&["models", &args.name, "traffic"]);
            let answer = server.send_json(Method::PUT, url, &body(args)?).await?;
            output.result(&answer.raw, || render(&answer.body));
            Ok(())
        }
        TrafficCommand::Clear { name } => {
            let url = server.at(&["models", &name, "traffic"]);
            let answer = server.send(|http| http.delete(url.clone())).await?;
            print_done(output, &answer.raw, &format!("the traffic of {name} is deleted; production answers"))
        }
    }
}

fn body(args: SetArgs) -> Result<Value, ClientError> {
    let mut versions = Map::new();
    for (version, weight) in args.weights {
        if versions.insert(version.clone(), weight.into()).is_some() {
            return Err(ClientError::Usage(format!("version {version} is given twice")));
        }
    }
    let mut body = json!({"versions": versions, "shadow": args.shadow});
    if let Some(guard) = args.guard.to_json() {
        body["guard"] = guard;
    }
    Ok(body)
}

/// Parses `version=weight`. The server checks the version.
fn weight(text: &str) -> Result<(String, i64), String> {
    let wrong = || format!("'{text}' is not of the form VERSION=WEIGHT, such as 4=10");
    let (version, weight) = text.split_once('=').ok_or_else(wrong)?;
    Ok((version.to_owned(), weight.parse().map_err(|_| wrong())?))
}

fn render(traffic: &Value) -> String {
    let Some(versions) = traffic["versions"].as_object().filter(|versions| !versions.is_empty()) else {
        let shadow = show::text(&traffic["shadow"]);
        return pairs(&[("answers", "production".to_owned()), ("shadow", shadow)]);
    };
    let sum: f64 = versions.values().filter_map(Value::as_f64).sum();
    let mut table = list(&["version", "weight", "share", "guard"]);
    let mut rows: Vec<_> = versions.iter().collect();
    rows.sort_by_key(|(version, _)| version.parse::<i64>().unwrap_or_default());
    for (version, weight) in rows {
        let share = 100.0 * weight.as_f64().unwrap_or_default() / sum;
        table.add_row([version.clone(), show::text(weight), format!("{share:.1} %"), guard(traffic, version)]);
    }
    for version in traffic["shadow"].as_array().into_iter().flatten() {
        table.add_row([show::text(version), "shadow".to_owned(), String::new(), String::new()]);
    }
    plain(&table)
}

/// What the guard of a version has counted.
fn guard(traffic: &Value, version: &str) -> String {
    let guards = traffic["guards"].as_array().into_iter().flatten();
    let own = guards.filter(|guard| show::text(&guard["version"]) == version).map(|guard| {
        let [requests, failed, slow] = ["requests", "failed", "slow"].map(|name| show::text(&guard[name]));
        format!("{requests} predictions, {failed} failed, {slow} slow")
    });
    own.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        args: SetArgs,
    }

    fn parsed(line: &str) -> Result<Value, String> {
        let args = CommandLine::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?.args;
        body(args).map_err(|error| error.to_string())
    }

    #[test]
    fn weights_and_shadows_become_a_request() {
        assert_eq!(
            parsed("set m 3=90 4=10 --shadow 5 --shadow 6").unwrap(),
            json!({"versions": {"3": 90, "4": 10}, "shadow": [5, 6]})
        );
        assert_eq!(parsed("set m --shadow 5").unwrap(), json!({"versions": {}, "shadow": [5]}));
        let guarded = parsed("set m 4=1 --max-error-rate 0.05 --guard-for-s 60").unwrap();
        assert_eq!(guarded["guard"], json!({"max_error_rate": 0.05, "for_s": 60}));
        for wrong in ["set m 3", "set m 3=x", "set m 3=1 3=2"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_are_shown_in_the_order_of_versions() {
        let guards = json!([{"version": 10, "requests": 7, "failed": 1, "slow": 0}]);
        let text = render(&json!({"versions": {"10": 10, "3": 30}, "shadow": [5], "guards": guards}));
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines[1..], ["3 30 75.0 %", "10 10 25.0 % 7 predictions, 1 failed, 0 slow", "5 shadow"]);
        let text = render(&json!({"versions": {}, "shadow": [5]}));
        assert!(text.contains("production") && text.contains('5'), "{text}");
    }
}
