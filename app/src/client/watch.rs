//! Watches a job until it ends: a progress bar on a terminal, lines otherwise. Uses the event stream, or long polls if
//! the server refuses the stream.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::{StatusCode, header};
use serde_json::Value;
use tokio::time::Instant;

use crate::client::error::ClientError;
use crate::client::events::{Event, Events};
use crate::client::output::Output;
use crate::client::report;
use crate::client::server::{Answer, REQUEST_TIMEOUT, Server};
use crate::client::show;
use crate::client::trials;

/// Duration of a long poll.
const WAIT_S: u64 = 10;
/// Minimum time between two polls.
const MIN_INTERVAL: Duration = Duration::from_millis(250);
/// How long the server may be unavailable before watching ends; the job continues.
const UNAVAILABLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Steps of the progress bar: tenths of a percent.
const STEPS: u64 = 1_000;

/// Watches `job_id` until it has a final status, or until Ctrl-C. Returns the final response.
pub(crate) async fn until_final(server: &Server, output: Output, job_id: &str) -> Result<Answer, ClientError> {
    tokio::select! {
        answer = follow(server, output, job_id) => answer,
        _ = tokio::signal::ctrl_c() => Err(ClientError::StoppedWatching(job_id.to_owned())),
    }
}

/// The exit status of a job with a final status.
pub(crate) fn check_outcome(job: &Value) -> Result<(), ClientError> {
    match job["status"].as_str() {
        Some("failed") => Err(ClientError::JobFailed(report::error(&job["error"]))),
        Some("cancelled") => Err(ClientError::JobCancelled),
        _ => Ok(()),
    }
}

async fn follow(server: &Server, output: Output, job_id: &str) -> Result<Answer, ClientError> {
    let mut display = Display::new(output);
    let mut events = Some(Events::default());
    let mut etag: Option<String> = None;
    let mut unavailable_since: Option<Instant> = None;
    loop {
        let started = Instant::now();
        if let Some(stream) = &mut events {
            let mut job = Value::Null;
            match stream.read(server, job_id, true, |event| display.show_event(&mut job, &event)).await {
                // The poll below finds out whether the job has ended.
                Ok(()) | Err(ClientError::Unreachable { .. }) => etag = None,
                Err(_) => events = None,
            }
        }
        match poll(server, job_id, etag.as_deref()).await {
            Ok(answer) => {
                unavailable_since = None;
                if answer.status != StatusCode::NOT_MODIFIED {
                    display.show(&answer.body);
                    if is_final(&answer.body) {
                        display.close();
                        return Ok(answer);
                    }
                    etag = answer.etag.filter(|_| events.is_none());
                }
            }
            // Watching continues across a restart of the server.
            Err(error) if error.exit_code() == 5 => {
                let since = *unavailable_since.get_or_insert_with(|| {
                    display.note("the server is unavailable; retrying");
                    started
                });
                if since.elapsed() > UNAVAILABLE_TIMEOUT {
                    return Err(error);
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep_until(started + MIN_INTERVAL).await;
    }
}

async fn poll(server: &Server, job_id: &str, etag: Option<&str>) -> Result<Answer, ClientError> {
    let mut url = server.at(&["training", job_id]);
    // The first poll is answered at once, later polls when the job has changed.
    if etag.is_some() {
        url.query_pairs_mut().append_pair("wait_s", &WAIT_S.to_string());
    }
    let request = |http: &reqwest::Client| {
        let request = http.get(url.clone()).timeout(REQUEST_TIMEOUT + Duration::from_secs(WAIT_S));
        match etag {
            Some(etag) => request.header(header::IF_NONE_MATCH, etag),
            None => request,
        }
    };
    server.send(request).await
}

fn is_final(job: &Value) -> bool {
    matches!(job["status"].as_str(), Some("succeeded" | "failed" | "cancelled"))
}

/// Shows progress on standard error.
enum Display {
    Bar(ProgressBar),
    Lines { output: Output, last: String },
}

impl Display {
    fn new(output: Output) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines { output, last: String::new() };
        }
        let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {prefix:10} [{bar:32}] {percent:>3} %  {elapsed}{msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▉▊▋▌▍▎▏ "));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self::Bar(bar)
    }

    fn show(&mut self, job: &Value) {
        let stage = stage(job);
        let progress = job["progress"].as_f64().unwrap_or(0.0).clamp(0.0, 1.0);
        match self {
            Self::Bar(bar) => {
                bar.set_prefix(stage);
                bar.set_position((progress * STEPS as f64) as u64);
                let eta = job["eta_s"].as_f64().map(|eta| format!(", about {} left", show::seconds(eta)));
                bar.set_message(eta.unwrap_or_default());
            }
            Self::Lines { output, last } => {
                // One line per stage and per 10 %.
                let line = match job["status"].as_str() {
                    Some("running") => format!("{stage} {:>3.0} %", (progress * 10.0).floor() * 10.0),
                    _ => stage,
                };
                if *last != line {
                    output.message(&line);
                    *last = line;
                }
            }
        }
    }

    /// Shows an event. `job` accumulates the fields of earlier events.
    fn show_event(&mut self, job: &mut Value, event: &Event) {
        match event.kind.as_str() {
            "status" => job.clone_from(&event.data),
            "progress" => {
                for key in ["progress", "phase", "eta_s"] {
                    job[key] = event.data[key].clone();
                }
            }
            "log" => {
                let line = log_line(event).unwrap_or_default();
                return self.note(&trials::row(&line).unwrap_or(line));
            }
            _ => return,
        }
        // `follow` shows the final status with its metrics.
        if !is_final(job) {
            self.show(job);
        }
    }

    fn note(&self, message: &str) {
        match self {
            Self::Bar(bar) => bar.println(message),
            Self::Lines { output, .. } => output.message(message),
        }
    }

    fn close(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// The log line of an event; `None` for an event that only reports progress.
pub(crate) fn log_line(event: &Event) -> Option<String> {
    let text = |key: &str| show::text(&event.data[key]);
    match event.kind.as_str() {
        "log" if event.data["level"] == "info" => Some(text("message")),
        "log" => Some(format!("{}: {}", text("level"), text("message"))),
        "metric" if event.data["step"].is_null() => Some(format!("{} {}", text("name"), text("value"))),
        "metric" => Some(format!("{} {} after {} steps", text("name"), text("value"), text("step"))),
        _ => None,
    }
}

fn stage(job: &Value) -> String {
    let (status, phase) = (show::text(&job["status"]), show::text(&job["phase"]));
    match (status.as_str(), job["queue_position"].as_i64()) {
        ("queued", Some(position)) => format!("queued, position {position}"),
        ("running", _) if !phase.is_empty() => phase,
        _ => status,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stages_name_status_position_and_phase() {
        assert_eq!(stage(&json!({"status": "queued", "queue_position": 3})), "queued, position 3");
        assert_eq!(stage(&json!({"status": "running", "phase": "fitting"})), "fitting");
        assert_eq!(stage(&json!({"status": "succeeded", "phase": "publishing"})), "succeeded");
    }

    #[test]
    fn the_final_status_decides_the_exit_status() {
        let code = |job: Value| check_outcome(&job).map_or_else(|error| error.exit_code(), |()| 0);
        assert_eq!(code(json!({"status": "succeeded"})), 0);
        assert_eq!(code(json!({"status": "failed", "error": {"code": "bad_data", "message": "m"}})), 1);
        assert_eq!(code(json!({"status": "cancelled"})), 6);
    }
}
