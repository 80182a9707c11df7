//! Startup, shutdown, and errors for invalid settings.

use std::process::Command;

use serde_json::json;
use trainyard_testkit::{Stack, System};

use crate::support::{BINARY, shared};

fn refused(settings: &[(&str, &str)], arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    command.env_clear().envs(settings.iter().copied()).current_dir(&folder);
    let output = command.args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn wrong_settings_stop_the_start_by_name() {
    let says = |settings: &[(&str, &str)], hint: &str| {
        let text = refused(settings, &["api"]);
        assert!(text.contains(hint), "{hint:?} is not in {text}");
    };
    says(&[], "database.url");
    says(&[("TRAINYARD__WORKER__SLOTS", "3")], "TRAINYARD__WORKER__SLOTS");
    says(&[("TRAINYARD__WORKER__LEASE_S", "soon")], "TRAINYARD__WORKER__LEASE_S");
    says(&[("DATABASE_URL", "sqlite://x.db"), ("JWT_SECRET", "short")], "JWT_SECRET");
    says(&[("SKIP_AUTH", "true")], "development");
    says(&[("TRAINYARD__WORKER__CONCURRENCY", "0")], "worker.concurrency must be from 1 to");
    says(&[("TRAINYARD__API__UPLOAD_TIMEOUT_S", "-1")], "api.upload_timeout_s must be from 1 to");
    let text = refused(&[("DATABASE_URL", "postgres://user:p@ss@host:notaport/db")], &["api"]);
    assert!(text.contains("database.url (DATABASE_URL)") && text.contains("postgres://user:password@host"), "{text}");
    assert!(!text.contains("p@ss") && !text.contains(".rs:"), "{text}");
    assert!(refused(&[], &["up", "--port", "80"]).contains("--port"));
    assert!(refused(&[], &["fly"]).contains("fly"));
}

#[test]
fn an_unusable_folder_stops_the_start_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for key in ["API__UPLOAD_DIR", "INFERENCE__CACHE_DIR", "WORKER__WORK_DIR"] {
        let output = Command::new(BINARY)
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("data"))
            .env(format!("TRAINYARD__{key}"), &file)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let named = format!("{}: can't", key.to_lowercase().replace("__", "."));
        assert!(!output.status.success() && text.contains(&named) && text.contains("/file"), "{named}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_folder_is_refused() {
    let system = shared(Stack::Embedded);
    let data = system.folder().join("data");
    let output = system.command("up").args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(&data).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("another"), "{output:?}");
}

#[test]
fn the_healthcheck_command_reports_readiness() {
    let system = shared(Stack::Embedded);
    let check = |url: &str| Command::new(BINARY).args(["healthcheck", "--url", url]).output().unwrap().status.code();
    assert_eq!(check(&system.urls()[0].1), Some(0));
    assert_eq!(check("http://127.0.0.1:1"), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_authentication_is_for_development_only() {
    let settings = &[("SKIP_AUTH", "true")];
    let start = || System::start_with(BINARY, Stack::Embedded, 1, settings);
    let system = tokio::task::spawn_blocking(start).await.unwrap();
    assert_eq!(system.client().get("/me").await.expect(200)["role"], "admin");
    system.client().get("/admin/users").await.expect(200);
    system.client().infer(json!({"model": "none", "features": {}})).await.problem(404);
}
