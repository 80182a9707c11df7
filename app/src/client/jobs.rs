//! `trainyard jobs`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::error::ClientError;
use crate::client::events::{Event, Events};
use crate::client::output::{Output, list, plain};
use crate::client::paging::{ListArgs, show_page};
use crate::client::server::Server;
use crate::client::{report, show, train, watch};

/// List, show, cancel and retry training jobs.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  trainyard jobs
  trainyard jobs list --status failed --limit 5
  trainyard jobs show 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11 --watch
  trainyard jobs logs 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11 --follow
  trainyard jobs cancel 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
  trainyard jobs retry --all-failed --error-code crashed"
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
    /// Cancel a job: a queued one at once, a running one within two seconds.
    Cancel {
        /// The job's id.
        id: String,
    },
    /// Retry a failed or cancelled job, or all failed jobs that match a filter.
    Retry(RetryArgs),
}

/// The jobs to retry.
#[derive(Debug, Args)]
pub struct RetryArgs {
    /// The job's id.
    #[arg(required_unless_present = "all_failed", conflicts_with = "all_failed")]
    pub id: Option<String>,
    /// Retry all failed jobs that match the filter, at most the newest thousand.
    #[arg(long)]
    pub all_failed: bool,
    /// Only jobs for this model.
    #[arg(long, requires = "all_failed")]
    pub name: Option<String>,
    /// Only jobs of this algorithm.
    #[arg(long, requires = "all_failed")]
    pub algorithm: Option<String>,
    /// Only jobs that failed with this error code, such as crashed.
    #[arg(long, requires = "all_failed", value_name = "CODE")]
    pub error_code: Option<String>,
}

/// The filter of a list.
#[derive(Debug, Args)]
pub struct JobListArgs {
    /// Only jobs that are queued, running, succeeded, failed or cancelled.
    #[arg(long)]
    pub status: Option<String>,
    /// Only jobs for this model.
    #[arg(long)]
    pub name: Option<String>,
    /// Only jobs of this algorithm.
    #[arg(long)]
    pub algorithm: Option<String>,
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
        Some(JobsCommand::Cancel { id }) => post_action(&id, "cancel", server, output).await,
        Some(JobsCommand::Retry(RetryArgs { id: Some(id), .. })) => post_action(&id, "retry", server, output).await,
        Some(JobsCommand::Retry(args)) => retry_all(args, server, output).await,
    }
}

async fn list_jobs(args: JobListArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let filters = [("status", args.status), ("name", args.name), ("algorithm", args.algorithm)];
    show_page(&["training"], args.page, &filters, server, output, table).await
}

fn table(jobs: &Value) -> String {
    let mut table = list(&["job", "model", "algorithm", "status", "progress", "created", "took"]);
    for job in jobs.as_array().into_iter().flatten() {
        let version = job["model"]["version"].as_i64().map(|version| format!(" v{version}")).unwrap_or_default();
        table.add_row([
            show::text(&job["job_id"]),
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

async fn retry_all(args: RetryArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let filter = json!({"name": args.name, "algorithm": args.algorithm, "error_code": args.error_code});
    let answer = server.send_json(Method::POST, server.at(&["training", "retry"]), &filter).await?;
    let retried = show::text(&answer.body["retried"]);
    output.result(&answer.raw, || format!("{retried}\n"));
    output.message(format!("{retried} jobs are queued again, skipped {}", show::text(&answer.body["skipped_total"])));
    if answer.body["more"] == true {
        output.message("there may be more matching jobs: repeat the command");
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
