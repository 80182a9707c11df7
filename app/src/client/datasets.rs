//! `trainyard datasets`.

mod profile;
mod upload;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::client::error::ClientError;
use crate::client::output::{Output, list, plain};
use crate::client::paging::{ListArgs, show_page};
use crate::client::server::Server;
use crate::client::show;
use profile::profile;
pub use upload::UploadArgs;

/// List, show, upload and delete datasets.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  trainyard datasets
  trainyard datasets show titanic
  trainyard datasets upload measurements.csv --dry-run
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
    /// Upload a table as a new version.
    Upload(UploadArgs),
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
        Some(DatasetsCommand::Upload(args)) => upload::upload(&args, server, output).await,
        Some(DatasetsCommand::Delete { name }) => {
            let url = server.at(&["datasets", &name]);
            server.send(|http| http.delete(url.clone())).await?;
            output.message(format!("{name} is deleted"));
            Ok(())
        }
    }
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

fn preview(preview: &Value) -> String {
    let columns: Vec<String> = preview["columns"].as_array().into_iter().flatten().map(show::text).collect();
    let mut table = list(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for row in preview["rows"].as_array().into_iter().flatten() {
        table.add_row(row.as_array().into_iter().flatten().map(show::text));
    }
    plain(&table)
}
