//! Checks that the binary accepts the arguments and environment variables that the chart sets.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::chart::{MINIMAL, Rendered, SETS, list, name, render};

/// Variables that the object store and TLS libraries read.
const CONVENTIONAL: [&str; 6] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL", "SSL_CERT_FILE", "SSL_CERT_DIR"];
/// Variables that the value sets add with extraEnv.
const OPERATORS: [&str; 2] = ["HTTPS_PROXY", "NO_PROXY"];

fn trainyard() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainyard"));
    command.env_clear();
    command
}

#[test]
fn every_variable_is_in_the_configuration_reference() {
    let reference = trainyard().args(["config", "--markdown"]).output().unwrap();
    let reference = String::from_utf8(reference.stdout).unwrap();
    let known: HashSet<_> = reference.split('`').skip(1).step_by(2).chain(CONVENTIONAL).chain(OPERATORS).collect();
    for set in SETS.iter() {
        for (owner, pod) in set.pods() {
            let containers = list(&pod["spec"]["containers"]).iter();
            for variable in containers.flat_map(|container| list(&container["env"])) {
                let variable = variable["name"].as_str().unwrap();
                assert!(known.contains(variable), "{} {}: {variable}", set.name, name(owner));
            }
        }
    }
}

#[test]
fn the_binary_knows_every_command_line() {
    for set in SETS.iter() {
        for (owner, pod) in set.pods() {
            for container in list(&pod["spec"]["containers"]) {
                let arguments = list(&container["args"]).iter().map(|argument| argument.as_str().unwrap());
                let output = trainyard().args(arguments).arg("--help").output().unwrap();
                assert!(output.status.success(), "{} {}: {output:?}", set.name, name(owner));
            }
        }
    }
}

/// The value of a variable in the pod. A Secret that the chart does not create has an example value.
fn value(set: &Rendered, variable: &Value) -> String {
    if let Some(value) = variable["value"].as_str() {
        return value.to_owned();
    }
    let from = &variable["valueFrom"]["secretKeyRef"];
    let Some(secret) = from["name"].as_str().and_then(|secret| set.find("Secret", secret)) else {
        return match variable["name"].as_str().unwrap() {
            "TRAINYARD__WEBHOOKS__SECRET" => format!("whsec_{}", STANDARD.encode([7; 32])),
            "REDIS_URL" => "redis://redis:6379".into(),
            _ => "x".repeat(40),
        };
    };
    let key = from["key"].as_str().unwrap();
    String::from_utf8(STANDARD.decode(secret["data"][key].as_str().unwrap()).unwrap()).unwrap()
}

/// Starts the binary with the environment of a role's pod and a reachable database, so that all settings are parsed.
fn start(set: &Rendered, role: &str, folder: &Path) -> Output {
    let variables = list(&set.pod(role)["spec"]["containers"][0]["env"]).iter();
    let variables = variables.map(|variable| (variable["name"].as_str().unwrap(), value(set, variable)));
    let database = format!("sqlite://{}", folder.join("trainyard.db").display());
    trainyard().envs(variables).env("DATABASE_URL", database).arg("migrate").output().unwrap()
}

#[test]
fn the_binary_takes_every_value() {
    let folder = tempfile::tempdir().unwrap();
    for set in SETS.iter() {
        for role in ["api", "worker", "inference", "migrate"].into_iter().filter(|role| set.find_pod(role).is_some()) {
            let output = start(set, role, folder.path());
            assert!(output.status.success(), "{} {role}: {}", set.name, String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn settings_are_set_on_their_roles_and_large_numbers_stay_integers() {
    let set = SETS.iter().find(|set| set.name == "production").unwrap();
    let variable = |role, name| crate::chart::env(set.pod(role), name);
    assert_eq!(variable("api", "TRAINYARD__DATABASE__MAX_CONNECTIONS"), Some("32"));
    assert_eq!(variable("worker", "TRAINYARD__DATABASE__MAX_CONNECTIONS"), Some("8"));
    assert_eq!(variable("api", "TRAINYARD__API__MAX_DATASET_BYTES"), Some("1073741824"));
    assert_eq!(variable("worker", "TRAINYARD__API__MAX_DATASET_BYTES"), None);
    assert_eq!(variable("worker", "TRAINYARD__LOG__FILTER"), Some("info,trainyard_worker=debug"));

    let folder = tempfile::tempdir().unwrap();
    let values = folder.path().join("large.yaml");
    let large =
        "{worker: {childMemoryMb: 2000000, graceSeconds: 1000000}, migrations: {activeDeadlineSeconds: 1000000}}";
    std::fs::write(&values, large).unwrap();
    let set = render(MINIMAL, &["--values", values.to_str().unwrap()]);
    assert_eq!(crate::chart::env(set.pod("worker"), "TRAINYARD__WORKER__CHILD_MEMORY_MB"), Some("2000000"));
    assert_eq!(crate::chart::env(set.pod("worker"), "TRAINYARD__WORKER__GRACE_S"), Some("1000000"));
    assert_eq!(set.get("Job", "-migrate")["spec"]["activeDeadlineSeconds"], 1_000_000);
}

#[test]
fn a_setting_that_does_not_exist_stops_the_migration_and_with_it_the_upgrade() {
    let set = render(MINIMAL, &["--set", "settings.worker.lease_seconds=60"]);
    let folder = tempfile::tempdir().unwrap();
    let output = start(&set, "migrate", folder.path());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && error.contains("worker.lease_seconds"), "{error}");
}
