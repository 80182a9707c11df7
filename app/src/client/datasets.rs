//! `trainyard datasets`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Body;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::Value;

use crate::client::error::ClientError;
use crate::client::output::{Output, list, pairs, plain};
use crate::client::paging::{ListArgs, show_page};
use crate::client::server::Server;
use crate::client::show;

/// At least as long as the server's own upload timeout.
const UPLOAD_LIMIT: Duration = Duration::from_secs(15 * 60);

/// List, show, upload and delete datasets.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  trainyard datasets
  trainyard datasets show titanic
  trainyard datasets upload measurements.csv --name measurements
  trainyard datasets upload measurements.csv.gz --name measurements"
)]
pub struct DatasetsArgs {
    /// The action; the default is `list`.
    #[command(subcommand)]
    pub command: Option<DatasetsCommand>,
    /// Options of the default action.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Actions on datasets.
#[derive(Debug, Subcommand)]
pub enum DatasetsCommand {
    /// List datasets.
    List(ListArgs),
    /// Show the column profile of a dataset, or its first rows.
    Show {
        /// The dataset's name.
        name: String,
        /// Show the first rows instead of the column profile.
        #[arg(long)]
        preview: bool,
    },
    /// Upload a CSV with a header line as a new version; *.csv.gz is sent compressed.
    Upload {
        /// The CSV file.
        file: PathBuf,
        /// The dataset's name [default: the file's name].
        #[arg(long)]
        name: Option<String>,
    },
    /// Delete a dataset with all its versions.
    Delete {
        /// The dataset's name.
        name: String,
    },
}

/// Runs the command.
pub(crate) async fn run(args: DatasetsArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    match args.command {
        None => show_page(&["datasets"], args.list, &[], server, output, table).await,
        Some(DatasetsCommand::List(args)) => show_page(&["datasets"], args, &[], server, output, table).await,
        Some(DatasetsCommand::Show { name, preview: false }) => {
            let answer = server.get(server.at(&["datasets", &name])).await?;
            output.result(&answer.raw, || profile(&answer.body));
            Ok(())
        }
        Some(DatasetsCommand::Show { name, preview: true }) => {
            let answer = server.get(server.at(&["datasets", &name, "preview"])).await?;
            output.result(&answer.raw, || preview(&answer.body));
            Ok(())
        }
        Some(DatasetsCommand::Upload { file, name }) => upload(&file, name, server, output).await,
        Some(DatasetsCommand::Delete { name }) => {
            let url = server.at(&["datasets", &name]);
            server.send(|http| http.delete(url.clone())).await?;
            output.message(format!("{name} is deleted"));
            Ok(())
        }
    }
}

async fn upload(path: &Path, name: Option<String>, server: &Server, output: Output) -> Result<(), ClientError> {
    let unreadable = |error| ClientError::Usage(format!("{}: {error}", path.display()));
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let gzipped = file_name.ends_with(".gz");
    let stem = file_name.trim_end_matches(".gz").trim_end_matches(".csv");
    let mut url = server.at(&["datasets"]);
    url.query_pairs_mut().append_pair("name", name.as_deref().unwrap_or(stem));
    // Each attempt opens the file: `send` repeats the request if the token has expired.
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let files = std::sync::Mutex::new(Some(file));
    let answer = server
        .send(|http| {
            let reopened = || std::fs::File::open(path).ok();
            let file = files.lock().ok().and_then(|mut first| first.take()).or_else(reopened);
            let request = http.post(url.clone()).timeout(UPLOAD_LIMIT).header(CONTENT_TYPE, "text/csv");
            let request = if gzipped { request.header(CONTENT_ENCODING, "gzip") } else { request };
            match file {
                Some(file) => request
                    .header(reqwest::header::CONTENT_LENGTH, length)
                    .body(Body::from(tokio::fs::File::from_std(file))),
                None => request,
            }
        })
        .await?;
    output.result(&answer.raw, || profile(&answer.body));
    let (name, version) = (show::text(&answer.body["name"]), show::text(&answer.body["version"]));
    output.message(format!("{name} version {version} is uploaded"));
    Ok(())
}

fn table(datasets: &Value) -> String {
    let mut table = list(&["dataset", "version", "rows", "columns", "size", "uploaded"]);
    for dataset in datasets.as_array().into_iter().flatten() {
        table.add_row([
            show::text(&dataset["name"]),
            show::text(&dataset["version"]),
            show::text(&dataset["rows"]),
            show::text(&dataset["column_count"]),
            show::bytes(&dataset["bytes"]),
            show::moment(&dataset["created_at"]),
        ]);
    }
    plain(&table)
}

fn profile(dataset: &Value) -> String {
    let head = pairs(&[
        ("dataset", format!("{} version {}", show::text(&dataset["name"]), dataset["version"])),
        ("rows", show::text(&dataset["rows"])),
        ("size", show::bytes(&dataset["bytes"])),
        ("sha-256", show::text(&dataset["sha256"])),
    ]);
    let mut table = list(&["column", "type", "missing", "distinct", "range or most frequent"]);
    for column in dataset["columns"].as_array().into_iter().flatten() {
        table.add_row([
            show::text(&column["name"]),
            show::text(&column["dtype"]),
            show::text(&column["missing"]),
            show::text(&column["distinct"]),
            content(column),
        ]);
    }
    let warnings = dataset["warnings"].as_array().into_iter().flatten();
    let warnings: String = warnings.map(|warning| format!("\nwarning: {}", show::text(warning))).collect();
    format!("{head}\n{}{warnings}", plain(&table))
}

fn content(column: &Value) -> String {
    if column["min"].is_number() {
        return format!("{} to {}", show::bound(&column["min"]), show::bound(&column["max"]));
    }
    let top = column["top"].as_array().into_iter().flatten().take(3);
    let shown = top.map(|top| format!("{} ({})", show::text(&top["value"]), show::text(&top["count"])));
    shown.collect::<Vec<_>>().join(", ")
}

fn preview(preview: &Value) -> String {
    let columns: Vec<String> = preview["columns"].as_array().into_iter().flatten().map(show::text).collect();
    let mut table = list(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for row in preview["rows"].as_array().into_iter().flatten() {
        table.add_row(row.as_array().into_iter().flatten().map(show::text));
    }
    plain(&table)
}
