//! `trainyard schedules`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::error::ClientError;
use crate::client::output::{Output, list, plain};
use crate::client::paging::{ListArgs, show_page};
use crate::client::server::Server;
use crate::client::show;

/// List, create, pause, trigger and delete schedules.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  trainyard schedules
  trainyard schedules create --name nightly --cron '30 2 * * *' --timezone Europe/Berlin --spec job.json
  trainyard schedules pause 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11"
)]
pub struct SchedulesArgs {
    /// The action; the default is `list`.
    #[command(subcommand)]
    pub command: Option<SchedulesCommand>,
    /// Options of the default action.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Actions on schedules.
#[derive(Debug, Subcommand)]
pub enum SchedulesCommand {
    /// List schedules, newest first.
    List(ListArgs),
    /// Create a schedule that submits a job periodically.
    Create(CreateArgs),
    /// Pause a schedule.
    Pause {
        /// The schedule's id.
        id: String,
    },
    /// Resume a schedule; the times during the pause are skipped.
    Resume {
        /// The schedule's id.
        id: String,
    },
    /// Submit the job of a schedule now.
    Trigger {
        /// The schedule's id.
        id: String,
    },
    /// Delete a schedule; its jobs are kept.
    Delete {
        /// The schedule's id.
        id: String,
    },
}

/// The job and the times of a new schedule.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The schedule's name.
    #[arg(long)]
    pub name: String,
    /// Cron expression: minute, hour, day of month, month, day of week; or a nickname such as @daily.
    #[arg(long)]
    pub cron: String,
    /// Time zone of the cron expression [default: UTC].
    #[arg(long)]
    pub timezone: Option<String>,
    /// How to handle times missed while the servers were down: skip, one or all [default: one].
    #[arg(long)]
    pub catch_up: Option<String>,
    /// How to handle a time at which the last job still runs: allow, skip or replace [default: skip].
    #[arg(long)]
    pub overlap: Option<String>,
    /// JSON file with the job, as for `POST /training`.
    #[arg(long, value_name = "FILE")]
    pub spec: PathBuf,
}

/// Runs the command.
pub(crate) async fn run(args: SchedulesArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    match args.command {
        None => show_page(&["schedules"], args.list, &[], server, output, table).await,
        Some(SchedulesCommand::List(args)) => show_page(&["schedules"], args, &[], server, output, table).await,
        Some(SchedulesCommand::Create(args)) => create(args, server, output).await,
        Some(SchedulesCommand::Pause { id }) => set_paused(&id, true, server, output).await,
        Some(SchedulesCommand::Resume { id }) => set_paused(&id, false, server, output).await,
        Some(SchedulesCommand::Trigger { id }) => {
            let url = server.at(&["schedules", &id, "trigger"]);
            let answer = server.send(|http| http.post(url.clone())).await?;
            let job = show::text(&answer.body["job_id"]);
            output.result(&answer.raw, || format!("{job}\n"));
            output.message(format!("follow it with: trainyard jobs show {job} --watch"));
            Ok(())
        }
        Some(SchedulesCommand::Delete { id }) => {
            let url = server.at(&["schedules", &id]);
            server.send(|http| http.delete(url.clone())).await?;
            output.message(format!("schedule {id} is deleted"));
            Ok(())
        }
    }
}

async fn create(args: CreateArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let unusable = |error: &dyn std::fmt::Display| ClientError::Usage(format!("{}: {error}", args.spec.display()));
    let text = std::fs::read_to_string(&args.spec).map_err(|error| unusable(&error))?;
    let spec: Value = serde_json::from_str(&text).map_err(|error| unusable(&error))?;
    let mut body = json!({"name": args.name, "cron": args.cron, "spec": spec});
    // Options that are not given are omitted, so that the server's defaults apply.
    for (name, value) in [("timezone", args.timezone), ("catch_up", args.catch_up), ("overlap", args.overlap)] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    let answer = server.send_json(Method::POST, server.at(&["schedules"]), &body).await?;
    output.result(&answer.raw, || format!("{}\n", show::text(&answer.body["id"])));
    output.message(format!("the first run is at {}", show::moment(&answer.body["next_run_at"])));
    Ok(())
}

async fn set_paused(id: &str, paused: bool, server: &Server, output: Output) -> Result<(), ClientError> {
    let answer = server.send_json(Method::PATCH, server.at(&["schedules", id]), &json!({"paused": paused})).await?;
    if output.json {
        output.result(&answer.raw, String::new);
    }
    output.message(match paused {
        true => format!("schedule {id} is paused"),
        false => format!("schedule {id} runs next at {}", show::moment(&answer.body["next_run_at"])),
    });
    Ok(())
}

fn table(schedules: &Value) -> String {
    let mut table = list(&["schedule", "name", "cron", "time zone", "model", "next run", "last error"]);
    for schedule in schedules.as_array().into_iter().flatten() {
        let next = &schedule["next_run_at"];
        table.add_row([
            show::text(&schedule["id"]),
            show::text(&schedule["name"]),
            show::text(&schedule["cron"]),
            show::text(&schedule["timezone"]),
            show::text(&schedule["spec"]["name"]),
            if schedule["paused"] == true { "paused".to_owned() } else { show::moment(next) },
            show::text(&schedule["last_error"]),
        ]);
    }
    plain(&table)
}
