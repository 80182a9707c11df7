//! `trainyard jobs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::client::bulk_action::{self, BulkArgs};
use crate::client::error::ClientError;
use crate::client::events::{Event, Events};
use crate::client::job_filter::FilterArgs;
use crate::client::output::{Output, list, plain};
use crate::client::paging::{ListArgs, show_page};
use crate::client::server::Server;
use crate::client::{predict_dataset, report, show, train, watch};

/// List, show, cancel and retry training and prediction jobs.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  trainyard jobs
  trainyard jobs list --status failed,cancelled --name '!demo' --limit 5
  trainyard jobs list --search memory
  trainyard jobs list --kind prediction
  trainyard jobs show 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11 --watch
  trainyard jobs logs 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11 --follow
  trainyard jobs result 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11 --output result.csv
  trainyard jobs cancel 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
  trainyard jobs cancel --all --status queued --name demo
  trainyard jobs retry --all --error-code crashed"
)]
pub struct JobsArgs {
    /// The action; the default is `list`.
    #[command(subcommand)]
    pub command: Option<JobsCommand>,
    /// Options of the default action.
    #[command(flatten)]
    pub list: JobListArgs,
}

/// Actions on jobs.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, newest first.
    List(JobListArgs),
    /// Show one job with its metrics.
    Show {
        /// The job's id.
        id: String,
        /// Watch the job until it ends.
        #[arg(long)]
        watch: bool,
    },
    /// Show the log of a job.
    Logs {
        /// The job's id.
        id: String,
        /// Follow the log until the job ends.
        #[arg(long, short)]
        follow: bool,
    },
    /// Download the result of a prediction job that has succeeded.
    Result {
        /// The job's id.
        id: String,
        /// The file to write [default: standard output].
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Cancel a job, or with --all every queued and running job that matches a filter. A running job stops within two
    /// seconds.
    Cancel(BulkArgs),
    /// Retry a failed or cancelled job, or with --all every failed job that matches a filter.
    Retry(BulkArgs),
}

/// Options of a list.
#[derive(Debug, Args)]
pub struct JobListArgs {
    /// Which jobs to list.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// The page of the list.
    #[command(flatten)]
    pub page: ListArgs,
}

/// Runs the command.
pub(crate) async fn run(args: JobsArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    match args.command {
        None => list_jobs(args.list, server, output).await,
        Some(JobsCommand::List(args)) => list_jobs(args, server, output).await,
        Some(JobsCommand::Show { id, watch: true }) => train::follow(server, output, &id).await,
        Some(JobsCommand::Show { id, watch: false }) => {
            let job = server.get(server.at(&["training", &id])).await?;
            output.result(&job.raw, || report::job(&job.body));
            Ok(())
        }
        Some(JobsCommand::Logs { id, follow }) => logs(&id, follow, server, output).await,
        Some(JobsCommand::Result { id, output: file }) => {
            predict_dataset::download(server, output, &id, file.as_deref()).await
        }
        Some(JobsCommand::Cancel(BulkArgs { id: Some(id), .. })) => post_action(&id, "cancel", server, output).await,
        Some(JobsCommand::Retry(BulkArgs { id: Some(id), .. })) => post_action(&id, "retry", server, output).await,
        Some(JobsCommand::Cancel(args)) => bulk_action::run("cancel", "queued,running", args, server, output).await,
        Some(JobsCommand::Retry(args)) => bulk_action::run("retry", "failed", args, server, output).await,
    }
}

async fn list_jobs(args: JobListArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    show_page(&["training"], args.page, &args.filter.parameters(), server, output, table).await
}

fn table(jobs: &Value) -> String {
    let mut table = list(&["job", "kind", "model", "algorithm", "status", "progress", "created", "took"]);
    for job in jobs.as_array().into_iter().flatten() {
        let version = job["model"]["version"].as_i64().map(|version| format!(" v{version}")).unwrap_or_default();
        table.add_row([
            show::text(&job["job_id"]),
            show::text(&job["kind"]),
            format!("{}{version}", show::text(&job["name"])),
            show::text(&job["algorithm"]),
            show::text(&job["status"]),
            format!("{:.0} %", job["progress"].as_f64().unwrap_or(0.0) * 100.0),
            show::moment(&job["created_at"]),
            job["duration_s"].as_f64().map(show::seconds).unwrap_or_default(),
        ]);
    }
    plain(&table)
}

/// Prints one line per event as it arrives; with `--json` one list of all events.
async fn logs(id: &str, follow: bool, server: &Server, output: Output) -> Result<(), ClientError> {
    let mut events = Vec::new();
    let each = |event: Event| {
        if let Some(line) = watch::log_line(&event) {
            if output.json {
                events.push(event.data);
            } else {
                output.result("", || format!("{}  {line}", show::moment(&event.data["at"])));
            }
        }
    };
    Events::default().read(server, id, follow, each).await?;
    if output.json {
        output.result(&Value::Array(events).to_string(), String::new);
    }
    Ok(())
}

async fn post_action(id: &str, action: &str, server: &Server, output: Output) -> Result<(), ClientError> {
    let url = server.at(&["training", id, action]);
    let answer = server.send(|http| http.post(url.clone())).await?;
    let status = show::text(&answer.body["status"]);
    let then = if action == "cancel" && status == "running" { "; it will stop within seconds" } else { "" };
    output.message(format!("job {id} is {status}{then}"));
    if output.json {
        output.result(&answer.raw, String::new);
    }
    Ok(())
}
