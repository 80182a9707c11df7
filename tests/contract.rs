//! Tests the server against its OpenAPI document: schemathesis sends requests that the document allows and requests that it
//! forbids, and checks every response.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command as AsyncCommand;
use trainyard_testkit::{Stack, System};

use crate::support::{BINARY, quick_job};

/// The time limit of the run.
const TIME_LIMIT: Duration = Duration::from_secs(180);
/// Requests of each kind per operation.
const MAX_EXAMPLES: &str = "12";

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_difference_between_document_and_server() {
    let settings = [
        // Generated uploads and bulk submissions stay small.
        ("TRAINYARD__API__MAX_DATASET_BYTES", "1000000"),
        ("TRAINYARD__API__MAX_JOBS_PER_USER", "50"),
    ];
    let system = System::start_with(BINARY, Stack::Embedded, 0, &settings);
    let admin = system.client().admin().await;
    // A served model, a finished job and a schedule, for requests that need one.
    admin.trained(quick_job("titanic-rf")).await;
    let nightly = json!({"name": "before", "cron": "@yearly", "paused": true, "spec": quick_job("titanic-rf")});
    admin.post("/schedules", nightly).await.expect(201);

    let own_account = admin.get("/me").await.expect(200)["id"].as_str().unwrap().to_owned();

    let seed = std::env::var("SEED").unwrap_or_else(|_| "1".into());
    let report = tempfile::tempdir().unwrap();
    let run = AsyncCommand::from(schemathesis(&admin, &own_account, &seed, report.path())).kill_on_drop(true).output();
    let output = tokio::time::timeout(TIME_LIMIT, run).await.expect("schemathesis ends within its time").unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let summary = text.find("== SUMMARY ==").map_or(text.as_str(), |at| &text[at..]);
    // Written to stderr directly: the test harness shows captured output of failed tests only.
    let _ = writeln!(std::io::stderr(), "schemathesis, seed {seed} {summary}");
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    admin.get("/health/ready").await.expect(200);
}

fn schemathesis(admin: &trainyard_testkit::Client, own_account: &str, seed: &str, folder: &Path) -> Command {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let program = root.join("target/tools/schemathesis/bin/schemathesis");
    assert!(program.exists(), "schemathesis is not installed: run scripts/ensure schemathesis");
    let mut command = Command::new(program);
    let settings = root.join("tests/schemathesis");
    command.env("SCHEMATHESIS_HOOKS", settings.join("hooks.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("OWN_ACCOUNT", own_account);
    command.current_dir(folder).arg("--config-file").arg(settings.join("config.toml"));
    command.args(["run", &format!("{}/openapi.json", admin.api_url())]);
    command.args(["-H", &format!("Authorization: Bearer {}", admin.token())]);
    command.args(["--seed", seed, "--max-examples", MAX_EXAMPLES, "--no-color"]);
    command
}
