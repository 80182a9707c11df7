//! `trainyard models`.

mod export;
mod history;
mod traffic;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::error::ClientError;
use crate::client::output::{Output, list, pairs, plain};
use crate::client::paging::{ListArgs, show_page};
use crate::client::server::Server;
use crate::client::{report, show};

use export::ExportArgs;
use history::{HistoryArgs, RollbackArgs};
use traffic::{GuardArgs, TrafficCommand};

/// List, show and export models, move aliases, distribute traffic, delete versions.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  trainyard models
  trainyard models show demo
  trainyard models show demo --version 2
  trainyard models card demo --version 2 > demo-v2.md
  trainyard models alias demo production 4 --max-error-rate 0.05 --max-p99-ms 50
  trainyard models history demo
  trainyard models rollback demo
  trainyard models traffic set demo 3=90 4=10 --shadow 5
  trainyard models export demo --version 2 --format onnx --output demo.onnx
  trainyard models delete demo --version 2"
)]
pub struct ModelsArgs {
    /// The action; the default is `list`.
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
    /// Options of the default action.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Actions on models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List models with their newest version.
    List(ListArgs),
    /// Show a model's versions, or one version with its metrics.
    Show {
        /// The model's name.
        name: String,
        /// Show one version with its metrics.
        #[arg(long)]
        version: Option<i64>,
    },
    /// Print the model card of a version: Markdown with its data, parameters, metrics and warnings.
    Card {
        /// The model's name.
        name: String,
        /// The version; the default is the version that `production` points at, or else the newest one.
        #[arg(long)]
        version: Option<i64>,
    },
    /// Point an alias at a version; predictions use `production` by default.
    Alias {
        /// The model's name.
        name: String,
        /// The alias.
        alias: String,
        /// The version.
        version: i64,
        /// Delete the weights of the model's traffic, which otherwise prevent a move of `production`.
        #[arg(long)]
        force: bool,
        /// Limits on the version.
        #[command(flatten)]
        guard: GuardArgs,
    },
    /// Show which version an alias pointed at, and when.
    History(HistoryArgs),
    /// Move an alias to the version that it pointed at before.
    Rollback(RollbackArgs),
    /// Show, set or delete the weights and the shadow versions of a model.
    #[command(subcommand)]
    Traffic(TrafficCommand),
    /// Download a version, by default as ONNX with its preprocessing.
    Export(ExportArgs),
    /// Remove an alias.
    Unalias {
        /// The model's name.
        name: String,
        /// The alias.
        alias: String,
    },
    /// Delete a model, or one of its versions, with its artifacts.
    Delete {
        /// The model's name.
        name: String,
        /// Only this version.
        #[arg(long)]
        version: Option<i64>,
        /// Delete even if an alias points at the version, or the traffic of the model uses it.
        #[arg(long)]
        force: bool,
    },
}

/// Runs the command.
pub(crate) async fn run(args: ModelsArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    match args.command {
        None => show_page(&["models"], args.list, &[], server, output, table).await,
        Some(ModelsCommand::List(args)) => show_page(&["models"], args, &[], server, output, table).await,
        Some(ModelsCommand::Show { name, version: Some(version) }) => {
            let url = server.at(&["models", &name, "versions", &version.to_string()]);
            let answer = server.get(url).await?;
            output.result(&answer.raw, || version_in_full(&answer.body));
            Ok(())
        }
        Some(ModelsCommand::Show { name, version: None }) => {
            let answer = server.get(server.at(&["models", &name])).await?;
            output.result(&answer.raw, || versions(&answer.body["versions"]));
            Ok(())
        }
        Some(ModelsCommand::Card { name, version }) => card(&name, version, server, output).await,
        Some(ModelsCommand::Alias { name, alias, version, force, guard }) => {
            let mut url = server.at(&["models", &name, "aliases", &alias]);
            if force {
                url.query_pairs_mut().append_pair("force", "true");
            }
            let mut body = json!({"version": version});
            if let Some(guard) = guard.to_json() {
                body["guard"] = guard;
            }
            let answer = server.send_json(Method::PUT, url, &body).await?;
            print_done(output, &answer.raw, &format!("{alias} of {name} is version {version}"))
        }
        Some(ModelsCommand::History(args)) => history::show_history(args, server, output).await,
        Some(ModelsCommand::Rollback(args)) => history::roll_back(args, server, output).await,
        Some(ModelsCommand::Export(args)) => export::run(args, server, output).await,
        Some(ModelsCommand::Traffic(command)) => traffic::run(command, server, output).await,
        Some(ModelsCommand::Unalias { name, alias }) => {
            let url = server.at(&["models", &name, "aliases", &alias]);
            let answer = server.send(|http| http.delete(url.clone())).await?;
            print_done(output, &answer.raw, &format!("{name} has no alias {alias} any more"))
        }
        Some(ModelsCommand::Delete { name, version, force }) => delete(&name, version, force, server, output).await,
    }
}

/// Prints the card of a version.
async fn card(name: &str, version: Option<i64>, server: &Server, output: Output) -> Result<(), ClientError> {
    let version = match version {
        Some(version) => version,
        None => default_version(&server.get(server.at(&["models", name])).await?.body)
            .ok_or_else(|| ClientError::Usage(format!("{name} has no version")))?,
    };
    let url = server.at(&["models", name, "versions", &version.to_string(), "card"]);
    let text = server.download(url).await?.text().await.map_err(|error| ClientError::Protocol(error.to_string()))?;
    output.result(&json!(text).to_string(), || text.clone());
    Ok(())
}

/// The version that `production` points at, or else the newest one.
fn default_version(model: &Value) -> Option<i64> {
    model["aliases"]["production"].as_i64().or_else(|| model["versions"][0]["version"].as_i64())
}

async fn delete(
    name: &str,
    version: Option<i64>,
    force: bool,
    server: &Server,
    output: Output,
) -> Result<(), ClientError> {
    let number = version.map(|version| version.to_string());
    let mut url = match &number {
        Some(number) => server.at(&["models", name, "versions", number]),
        None => server.at(&["models", name]),
    };
    if force {
        url.query_pairs_mut().append_pair("force", "true");
    }
    let answer = server.send(|http| http.delete(url.clone())).await?;
    let what = number.map(|number| format!(" version {number}")).unwrap_or_default();
    print_done(output, &answer.raw, &format!("{name}{what} is deleted"))
}

fn print_done(output: Output, raw: &str, message: &str) -> Result<(), ClientError> {
    output.message(message);
    if output.json {
        output.result(raw, String::new);
    }
    Ok(())
}

fn table(models: &Value) -> String {
    let mut table = list(&["model", "production", "newest", "algorithm", "target", "features", "published"]);
    for model in models.as_array().into_iter().flatten() {
        let latest = &model["latest"];
        table.add_row([
            show::text(&model["name"]),
            show::text(&model["aliases"]["production"]),
            show::text(&latest["version"]),
            show::text(&latest["algorithm"]),
            show::text(&latest["target"]),
            shortened(&latest["features"]),
            show::moment(&latest["created_at"]),
        ]);
    }
    plain(&table)
}

fn versions(versions: &Value) -> String {
    let mut table = list(&["version", "aliases", "algorithm", "score", "target", "features", "size", "published"]);
    for version in versions.as_array().into_iter().flatten() {
        table.add_row([
            show::text(&version["version"]),
            show::text(&version["aliases"]),
            show::text(&version["algorithm"]),
            score(&version["metrics"]),
            show::text(&version["target"]),
            shortened(&version["features"]),
            show::bytes(&version["size"]),
            show::moment(&version["created_at"]),
        ]);
    }
    plain(&table)
}

fn version_in_full(version: &Value) -> String {
    let dataset = format!("{} v{}", show::text(&version["dataset"]), version["dataset_version"]);
    let head = pairs(&[
        ("model", format!("{} version {}", show::text(&version["name"]), version["version"])),
        ("aliases", show::text(&version["aliases"])),
        ("algorithm", show::text(&version["algorithm"])),
        ("target", show::text(&version["target"])),
        ("features", show::text(&version["features"])),
        ("dataset", dataset),
        ("job", show::text(&version["job_id"])),
        ("size", show::bytes(&version["size"])),
        ("sha-256", show::text(&version["sha256"])),
        ("published", show::moment(&version["created_at"])),
    ]);
    format!("{head}\n{}", report::metrics(&version["metrics"]))
}

/// The metric to compare versions by.
fn score(metrics: &Value) -> String {
    let named = [("accuracy", "accuracy"), ("r2", "R²")];
    let found = named.iter().find(|(key, _)| !metrics[*key].is_null());
    found.map(|(key, name)| format!("{name} {}", show::text(&metrics[*key]))).unwrap_or_default()
}

fn shortened(features: &Value) -> String {
    match features.as_array() {
        Some(list) if list.len() > 4 => format!("{} and {} more", show::text(&json!(list[..3])), list.len() - 3),
        _ => show::text(features),
    }
}
