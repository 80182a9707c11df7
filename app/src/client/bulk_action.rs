//! `trainyard jobs cancel --all` and `trainyard jobs retry --all`: bulk actions.

use std::io::{self, BufRead as _, IsTerminal, Write as _};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::Method;
use serde_json::json;
use tokio::time::Instant;

use crate::client::error::ClientError;
use crate::client::job_filter::FilterArgs;
use crate::client::output::Output;
use crate::client::server::{Answer, Server};
use crate::client::show;

/// Time between two polls of the progress.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// How long the server may be unavailable before the command ends; the action continues.
const UNAVAILABLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The job or the jobs of an action.
#[derive(Debug, Args)]
pub struct BulkArgs {
    /// The job's id.
    #[arg(required_unless_present = "all", conflicts_with_all = ["all", "FilterArgs"])]
    pub id: Option<String>,
    /// All jobs that match the filter, at most 100,000.
    #[arg(long)]
    pub all: bool,
    /// Which jobs.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Do not ask for confirmation of --all.
    #[arg(long, short)]
    pub yes: bool,
}

/// Counts the jobs, asks for confirmation, starts the action and shows its progress until it has finished. `default_status`
/// applies without `--status`.
pub(crate) async fn run(
    action: &'static str,
    default_status: &str,
    args: BulkArgs,
    server: &Server,
    output: Output,
) -> Result<(), ClientError> {
    let mut filter = args.filter;
    filter.status.get_or_insert_with(|| default_status.to_owned());
    let mut body = json!({"action": action, "filter": filter.clone().set()});
    if !args.yes {
        let count = confirm(action, &filter, server, output).await?;
        body["expect_count"] = json!(count);
    }
    let started = server.send_json(Method::POST, server.at(&["training", "actions"]), &body).await?;
    let finished = follow(&show::text(&started.body["action_id"]), server, output).await?;
    report(action, &finished, output)
}

/// Asks whether to change the matching jobs. Returns their number.
async fn confirm(action: &str, filter: &FilterArgs, server: &Server, output: Output) -> Result<i64, ClientError> {
    let mut url = server.at(&["training", "count"]);
    for (name, value) in filter.clone().set() {
        url.query_pairs_mut().append_pair(&name, value.as_str().unwrap_or_default());
    }
    let answer = server.get(url).await?;
    let count = answer.body["count"].as_i64().unwrap_or_default();
    if answer.body["more"] == true {
        return Err(ClientError::Usage(format!("more than {count} jobs match; add filters")));
    }
    if !io::stdin().is_terminal() {
        let message = format!("{count} jobs match; add --yes to {action} them without confirmation");
        return Err(ClientError::Usage(message));
    }
    let asked = tokio::task::spawn_blocking({
        let question = format!("{action} {count} jobs? [y/N] ");
        move || {
            let mut line = String::new();
            io::stderr().write_all(question.as_bytes())?;
            io::stderr().flush()?;
            io::stdin().lock().read_line(&mut line)?;
            io::Result::Ok(line)
        }
    });
    let line = asked.await.map_err(|error| ClientError::Protocol(error.to_string()))?;
    let line = line.map_err(|error| ClientError::Local("the answer can't be read".into(), error))?;
    if matches!(line.trim().to_lowercase().as_str(), "y" | "yes") {
        Ok(count)
    } else {
        output.message("nothing was changed");
        Err(ClientError::Usage("the action was not confirmed".into()))
    }
}

/// Shows the progress of an action until it has finished. Survives a restart of the server.
async fn follow(id: &str, server: &Server, output: Output) -> Result<Answer, ClientError> {
    let bar = io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} jobs");
        style.into_iter().for_each(|style| bar.set_style(style));
        bar
    });
    let mut unavailable_since: Option<Instant> = None;
    loop {
        match server.get(server.at(&["training", "actions", id])).await {
            Ok(answer) => {
                unavailable_since = None;
                if let Some(bar) = &bar {
                    bar.set_length(answer.body["total"].as_u64().unwrap_or_default());
                    bar.set_position(answer.body["processed"].as_u64().unwrap_or_default());
                }
                if answer.body["status"] != "running" {
                    bar.iter().for_each(ProgressBar::finish_and_clear);
                    return Ok(answer);
                }
            }
            Err(error) if error.exit_code() == 5 => {
                let since = *unavailable_since.get_or_insert_with(Instant::now);
                if since.elapsed() > UNAVAILABLE_TIMEOUT {
                    output.message(format!("the action {id} continues when the server is available again"));
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}

fn report(action: &str, answer: &Answer, output: Output) -> Result<(), ClientError> {
    let body = &answer.body;
    let changed = show::text(&body["changed"]);
    output.result(&answer.raw, || format!("{changed}\n"));
    let done = if action == "cancel" { "cancelled" } else { "queued again" };
    output.message(format!("{changed} jobs are {done}, skipped {}", show::text(&body["skipped"])));
    for skipped in body["skipped_jobs"].as_array().into_iter().flatten().filter(|_| !output.json) {
        output.message(format!("  {}: {}", show::text(&skipped["job_id"]), show::text(&skipped["reason"])));
    }
    match body["error"].as_str() {
        Some(error) => Err(ClientError::Protocol(format!("the action failed: {error}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    fn parse(args: &[&str]) -> Result<BulkArgs, clap::Error> {
        let command = BulkArgs::augment_args(Command::new("test").no_binary_name(true));
        BulkArgs::from_arg_matches(&command.try_get_matches_from(args)?)
    }

    #[test]
    fn an_action_is_for_one_job_or_for_all_that_match() {
        assert_eq!(parse(&["some-id"]).unwrap().id.as_deref(), Some("some-id"));
        let all = parse(&["--all", "--name", "!demo", "--yes"]).unwrap();
        assert!(all.yes && all.filter.name.as_deref() == Some("!demo"));
        for wrong in [&[][..], &["some-id", "--all"], &["some-id", "--name", "demo"], &["--name", "demo"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
