//! Rules of the repository that a test can check: imports, generated files, file headers and language.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod language;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crate → the workspace crates that it may depend on. Every other dependency is forbidden.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("tls", &[]),
    ("telemetry", &["tls"]),
    ("csv", &["domain"]),
    ("ml", &["csv", "domain"]),
    ("storage", &["domain"]),
    ("queue", &["domain", "telemetry"]),
    ("artifacts", &["domain", "telemetry", "tls"]),
    ("http", &["domain", "storage", "queue", "artifacts", "telemetry", "tls"]),
    ("api", &["csv", "domain", "ml", "storage", "queue", "artifacts", "telemetry", "http"]),
    ("worker", &["domain", "storage", "queue", "artifacts", "telemetry", "tls", "ml"]),
    ("inference", &["domain", "storage", "queue", "artifacts", "telemetry", "http", "ml"]),
    ("web", &["http"]),
    ("testkit", &["tls"]),
    ("bench", &["domain", "telemetry", "http", "testkit", "ml"]),
    ("bench-ml", &["csv", "domain", "ml"]),
    ("load", &["testkit"]),
];

/// Library → the crates that may use it.
const KEPT_IN: &[(&str, &[&str])] = &[
    ("sqlx", &["storage"]),
    ("redis", &["queue"]),
    ("apalis", &["worker"]),
    ("apalis-core", &["queue", "worker"]),
    ("object_store", &["artifacts"]),
    ("axum", &["http", "api", "inference", "web", "app", "bench"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("opentelemetry-proto", &["telemetry", "testkit"]),
    ("linfa", &["ml", "bench-ml"]),
    ("linfa-svm", &["ml"]),
    ("linfa-trees", &["ml"]),
    ("linfa-logistic", &["ml"]),
    ("jsonwebtoken", &["http"]),
    ("bcrypt", &["http"]),
    ("ring", &["http", "worker"]),
    ("prost", &["telemetry", "inference", "ml", "testkit"]),
    ("tonic", &["inference"]),
    ("tonic-health", &["inference"]),
    ("tonic-reflection", &["inference"]),
];

/// Crates that the binary is built from, ours and build-time ones included, on Linux. Each costs compile time: raise the
/// number only when a new dependency is worth that.
const MAX_CRATES: usize = 410;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The normal dependencies of each crate, by short crate name (`app` for the binary).
fn dependencies() -> Vec<(String, Vec<String>)> {
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap();
    let short = |name: &str| if name == "trainyard" { "app".into() } else { name.replace("trainyard-", "") };
    let packages = metadata.packages.iter().map(|package| {
        let shipped = package.dependencies.iter().filter(|d| d.kind == cargo_metadata::DependencyKind::Normal);
        (short(&package.name), shipped.map(|d| d.name.clone()).collect())
    });
    packages.collect()
}

fn git_files(ending: &str) -> Vec<PathBuf> {
    let listed =
        Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(root()).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files = listed.lines().filter(|line| line.ends_with(ending)).map(|line| root().join(line));
    files.filter(|path| path.exists()).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn crates_import_only_the_allowed_crates() {
    for (name, dependencies) in dependencies() {
        let ours = dependencies.iter().filter_map(|d| d.strip_prefix("trainyard-"));
        if let Some((_, allowed)) = MAY_IMPORT.iter().find(|(crate_name, _)| *crate_name == name) {
            let excess: Vec<_> = ours.filter(|d| !allowed.contains(d)).collect();
            assert!(excess.is_empty(), "{name} must not import {excess:?}");
        } else {
            assert_eq!(name, "app", "list in tests/tidy/main.rs what {name} may import");
            assert!(!dependencies.contains(&"trainyard-testkit".to_owned()), "the binary must not ship the testkit");
        }
    }
}

#[test]
fn libraries_are_used_only_by_the_crates_that_own_them() {
    for (name, dependencies) in dependencies() {
        for (library, homes) in KEPT_IN {
            let used = dependencies.iter().any(|d| d == library);
            assert!(!used || homes.contains(&name.as_str()), "{name} must not use {library}; only {homes:?} may");
        }
    }
}

#[test]
fn the_number_of_crates_grows_on_purpose() {
    let arguments = ["tree", "--locked", "-p", "trainyard", "-e", "normal,build", "--prefix", "none", "--no-dedupe"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let listed = String::from_utf8(output.stdout).unwrap();
    // A line is `name version`, followed by a path or `(proc-macro)`.
    let crates: BTreeSet<_> = listed.lines().filter_map(|line| line.split(" (").next()).collect();
    let count = crates.len();
    assert!(count <= MAX_CRATES, "{count} crates, {MAX_CRATES} allowed: drop one, or raise MAX_CRATES and say why");
    assert!(count + 10 > MAX_CRATES, "{count} crates: lower MAX_CRATES");
}

#[test]
fn every_source_file_has_a_header_and_at_most_400_lines() {
    for path in git_files(".rs") {
        let text = read(&path);
        assert!(text.starts_with("//!"), "{} must begin with a //! line that describes it", path.display());
        // Nobody reads generated messages line by line.
        if text.contains("@generated by prost-build") {
            continue;
        }
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines; split it, the limit is 400", path.display());
    }
}

#[test]
fn generated_files_are_up_to_date() {
    let generated = [
        ("configuration.md", vec!["config", "--markdown"]),
        ("metrics.md", vec!["metrics"]),
        ("openapi.json", vec!["openapi"]),
    ];
    for (file, arguments) in generated {
        let output = Command::new(env!("CARGO_BIN_EXE_trainyard")).args(&arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let committed = read(&root().join("docs").join(file));
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            committed,
            "docs/{file} is out of date: run `make generate`"
        );
    }
}

#[test]
fn documents_name_existing_make_targets_and_every_crate() {
    let makefiles = read(&root().join("Makefile")) + &read(&root().join("release.mk"));
    let targets: BTreeSet<_> =
        makefiles.lines().filter_map(|line| line.split_once(": ##")).map(|(name, _)| name).collect();
    for path in git_files(".md") {
        let text = read(&path);
        let named = text.split("`make ").skip(1).filter_map(|rest| rest.split('`').next());
        for target in named.flat_map(|words| words.split_whitespace()).filter(|word| !word.contains('=')) {
            assert!(targets.contains(target), "{} names `make {target}`, which no makefile has", path.display());
        }
    }
    let architecture = read(&root().join("ARCHITECTURE.md"));
    for manifest in git_files("Cargo.toml") {
        let folder = manifest.parent().unwrap().strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        assert!(architecture.contains(&format!("{folder}/")), "ARCHITECTURE.md does not describe {folder}/");
    }
}

#[test]
fn documents_name_existing_source_files() {
    for path in git_files(".md").into_iter().filter(|path| !path.starts_with(root().join("docs/reports"))) {
        let text = read(&path);
        let named = text.split('`').skip(1).step_by(2).filter(|code| code.contains('/') && code.ends_with(".rs"));
        for file in named {
            let exists = ["", "shared"].iter().any(|folder| root().join(folder).join(file).exists());
            assert!(exists, "{} names {file}, which does not exist", path.display());
        }
    }
}

#[test]
fn the_image_is_built_from_every_crate() {
    let dockerignore = read(&root().join(".dockerignore"));
    for manifest in git_files("Cargo.toml") {
        let folder = manifest.parent().unwrap().strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let top = folder.split('/').next().unwrap();
        let there = top.is_empty() || dockerignore.lines().any(|line| line.strip_prefix('!') == Some(top));
        assert!(there, ".dockerignore excludes {folder}/, and cargo needs every member of the workspace");
    }
}

#[test]
fn compose_variables_are_listed_in_the_example() {
    let name = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap().to_owned();
    let variables = |file: &str, start: &str| -> BTreeSet<_> {
        let text = read(&root().join(file));
        let names = text.split(start).skip(1).map(name);
        // Settings of the binary may also be in `.env`; the binary checks them.
        names.filter(|name| !name.starts_with("TRAINYARD__")).collect()
    };
    let mut used = variables("docker-compose.yml", "${");
    used.extend(variables("deploy/secrets.sh", "\"${"));
    let mut listed = variables(".env.example", "\n#");
    listed.remove("");
    assert_eq!(used, listed, "left: what docker-compose.yml and deploy/secrets.sh use; right: what .env.example lists");
}
