//! Generated copies are up to date.

use std::process::Command;

use serde_json::Value;

use crate::chart::{SETS, folder, list, name, root};

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn the_readme_is_generated_from_the_values() {
    let output = Command::new(root().join("scripts/chart-readme")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made = String::from_utf8(output.stdout).unwrap();
    assert!(made == read("charts/trainyard/README.md"), "charts/trainyard/README.md is old: run `make generate`");
    let values = read("charts/trainyard/values.yaml");
    let listed = values.lines().filter(|line| line.contains(": ") && !line.trim_start().starts_with('#')).count();
    assert_eq!(made.lines().filter(|line| line.starts_with("| `")).count(), listed);
}

#[test]
fn the_chart_has_the_version_of_the_binary() {
    let chart = read("charts/trainyard/Chart.yaml");
    let version = env!("CARGO_PKG_VERSION");
    assert!(chart.contains(&format!("\nversion: {version}\n")), "{chart}");
    assert!(chart.contains(&format!("\nappVersion: \"{version}\"\n")), "{chart}");
}

/// `metrics.runbookUrl` of the production set.
const RUNBOOK: &str = "https://wiki.example.com/trainyard/runbook";

/// A file of `dashboards/` as rendered with the production set.
fn linked(text: String) -> String {
    text.replace("https://trainyard.example/docs/runbook.md", RUNBOOK)
}

#[test]
fn every_dashboard_and_alert_of_the_repository_is_in_the_chart() {
    let set = SETS.iter().find(|set| set.name == "production").unwrap();
    let files = std::fs::read_dir(root().join("dashboards")).unwrap().map(|entry| entry.unwrap().path());
    let dashboards: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    assert!(!dashboards.is_empty());
    for path in dashboards {
        let file = path.file_name().unwrap().to_str().unwrap();
        let carries = |map: &&Value| map["data"][file].is_string();
        let map = set.all("ConfigMap").find(carries).unwrap_or_else(|| panic!("{file} is in no ConfigMap"));
        let carried: Value = serde_json::from_str(map["data"][file].as_str().unwrap()).unwrap();
        let own: Value = serde_json::from_str(&linked(std::fs::read_to_string(&path).unwrap())).unwrap();
        assert_eq!(carried, own, "{file}");
        assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1", "{}", name(map));
        assert!(map.to_string().len() < 1_000_000, "{file} is too large for a ConfigMap");
    }
    let alerts = read("dashboards/alerts.yaml");
    let rules = list(&set.get("PrometheusRule", "trainyard")["spec"]["groups"]).iter();
    let rules: Vec<_> = rules.flat_map(|group| list(&group["rules"])).collect();
    assert_eq!(rules.len(), alerts.matches(" alert: ").count() + alerts.matches(" record: ").count());
    let links = rules.iter().filter_map(|rule| rule["annotations"]["runbook_url"].as_str());
    let unlinked: Vec<_> = links.filter(|link| !link.starts_with(RUNBOOK)).collect();
    assert!(unlinked.is_empty(), "not where production.yaml has the runbook: {unlinked:?}");
    assert!(
        alerts.matches("{{").count() == serde_json::to_string(&rules).unwrap().matches("{{").count(),
        "templates stay"
    );
}

#[test]
fn every_value_named_in_the_charts_texts_exists() {
    let values = read("charts/trainyard/README.md");
    let notes = std::fs::read_to_string(folder().join("templates/NOTES.txt")).unwrap();
    let guide = read("docs/deployment.md");
    let guide = guide.split("\n## ").find(|section| section.starts_with("Helm")).unwrap();
    let sections = [
        "worker.",
        "api.",
        "auth.",
        "webhooks.",
        "artifacts.",
        "ingress.",
        "networkPolicy.",
        "metrics.",
        "migrations.",
    ];
    let tokens = |text: String| -> Vec<String> {
        let tokens = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_');
        tokens.map(|token| token.trim_end_matches('.').to_owned()).collect()
    };
    for token in tokens(notes.split("{{").map(|part| part.split_once("}}").map_or(part, |(_, rest)| rest)).collect()) {
        if sections.iter().any(|section| token.starts_with(section)) {
            assert!(values.contains(&format!("`{token}`")), "NOTES.txt names {token}");
        }
    }
    let configuration = read("docs/configuration.md");
    for token in tokens(guide.to_owned()) {
        if sections.iter().any(|section| token.starts_with(section)) && !token.contains("..") {
            let known = values.contains(&format!("`{token}`")) || values.contains(&format!("`{token}."));
            assert!(known || configuration.contains(&format!("`{token}`")), "docs/deployment.md names {token}");
        }
    }
}
