//! Checks that need no running system.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use trainyard_domain::schedule::Outcome;
use trainyard_domain::{Algorithm, FailureCode, JobKind, JobStatus};
use trainyard_telemetry::catalogue::{self, Kind};

use crate::boards::{Board, read, root};
use crate::promql::{Selector, selectors};

/// Metrics that Prometheus adds.
const NOT_OURS: [&str; 2] = ["up", "ALERTS"];

/// Every metric name that a selector may use, with its metric in the catalogue.
fn known() -> BTreeMap<String, &'static str> {
    let names = catalogue::ALL.iter().flat_map(|spec| {
        let endings: &[&str] = if spec.kind == Kind::Histogram { &["_bucket", "_sum", "_count"] } else { &[""] };
        endings.iter().map(move |ending| (format!("{}{ending}", spec.name), spec.name))
    });
    names.collect()
}

fn unknown(query: &str) -> Vec<Selector> {
    let known = known();
    let is_unknown =
        |selector: &Selector| !known.contains_key(&selector.name) && !NOT_OURS.contains(&selector.name.as_str());
    selectors(query).into_iter().filter(is_unknown).collect()
}

/// The lines of each alert, by name.
pub fn alerts() -> Vec<(String, String)> {
    let text = read("dashboards/alerts.yaml");
    let alerts = text.split("- alert: ").skip(1).map(|alert| {
        let (name, body) = alert.split_once('\n').unwrap();
        (name.to_owned(), body.to_owned())
    });
    alerts.collect()
}

/// The expression of an alert.
fn expression(body: &str) -> &str {
    let (_, rest) = body.split_once("expr: ").unwrap();
    let end = ["\n        for: ", "\n        labels: "].iter().filter_map(|key| rest.find(key)).min();
    rest[..end.unwrap()].trim_start_matches('|')
}

/// The anchors of a Markdown file's headings.
fn anchors(markdown: &str) -> BTreeSet<String> {
    let headings = markdown.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-");
    headings.map(|line| anchor(line).replace(|c: char| !c.is_alphanumeric() && c != '-', "")).collect()
}

fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool").args(arguments).current_dir(root().join("dashboards")).output();
    let output = output.expect("promtool can be run; `make test` installs it");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    println!("promtool {arguments:?}: {said}");
}

#[test]
fn promtool_accepts_the_alerts_and_their_unit_tests_pass() {
    promtool(&["check", "rules", "alerts.yaml"]);
    promtool(&["test", "rules", "alerts_test.yaml"]);
}

#[test]
fn every_alert_has_a_case_that_fires_and_one_that_does_not() {
    let cases = read("dashboards/alerts_test.yaml");
    for (name, _) in alerts() {
        let of_alert: Vec<_> =
            cases.split("\n  - name: ").filter(|case| case.contains(&format!("alertname: {name}\n"))).collect();
        assert!(of_alert.iter().any(|case| case.contains("exp_labels: ")), "no case of {name} fires");
        assert!(of_alert.iter().any(|case| case.contains("exp_alerts: []")), "no case shows {name} at rest");
    }
}

#[test]
fn every_alert_has_a_runbook_section() {
    let anchors = anchors(&read("docs/runbook.md"));
    for (name, body) in alerts() {
        for key in ["severity: ", "summary: ", "description: "] {
            assert!(body.contains(key), "{name} has no {key}");
        }
        let (_, anchor) = body.split_once("runbook_url: https://trainyard.example/docs/runbook.md#").unwrap();
        let anchor = anchor.split_whitespace().next().unwrap();
        assert!(anchors.contains(anchor), "{name}: the runbook has no section {anchor}; it has {anchors:?}");
    }
    for board in Board::all() {
        let links = board.json.to_string();
        for link in links.split("${runbook}#").skip(1) {
            let anchor = link.split(['"', '\\']).next().unwrap();
            assert!(anchors.contains(anchor), "{} links to {anchor}, which the runbook has not", board.file);
        }
    }
}

#[test]
fn dashboards_are_complete() {
    let mut uids = BTreeSet::new();
    for Board { file, json } in &Board::all() {
        assert!(uids.insert(json["uid"].as_str().unwrap().to_owned()), "{file} shares its uid");
        assert!(json["schemaVersion"].as_i64().unwrap() >= 39, "{file}");
        assert_eq!((&json["refresh"], &json["time"]["from"]), (&"30s".into(), &"now-1h".into()), "{file}");
        assert!(json["tags"].as_array().unwrap().contains(&"trainyard".into()), "{file}");
        let panels = json["panels"].as_array().unwrap();
        let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
        assert_eq!(ids.len(), panels.len(), "{file} uses an id twice");
        let mut taken = BTreeSet::new();
        for panel in panels {
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            let cells = (at("y")..at("y") + at("h")).flat_map(|y| (at("x")..at("x") + at("w")).map(move |x| (x, y)));
            for (x, y) in cells {
                assert!(x < 24 && taken.insert((x, y)), "{file}: {} lies on something at {x}, {y}", panel["title"]);
            }
        }
    }
}

#[test]
fn every_panel_has_a_description_and_a_unit() {
    for board in Board::all() {
        for panel in board.panels() {
            let (file, title) = (board.file, &panel["title"]);
            assert!(panel["description"].as_str().is_some_and(|text| text.len() > 50), "{file}: {title}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{file}: {title}");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{file}: {title}");
            assert!(!panel["targets"].as_array().unwrap().is_empty(), "{file}: {title}");
        }
    }
}

#[test]
fn dashboards_use_only_catalogued_metrics() {
    for board in Board::all() {
        for target in board.targets() {
            let unknown = unknown(&target.query);
            assert!(unknown.is_empty(), "{}: {}: {unknown:?}", board.file, target.panel);
        }
        for (name, selector, _) in board.variables() {
            let unknown = unknown(&selector);
            assert!(unknown.is_empty(), "{}: ${name}: {unknown:?}", board.file);
        }
    }
}

#[test]
fn alerts_use_only_catalogued_metrics() {
    for (name, body) in alerts() {
        assert!(!selectors(expression(&body)).is_empty(), "{name} asks for nothing");
        assert!(unknown(expression(&body)).is_empty(), "{name}: {:?}", unknown(expression(&body)));
    }
}

#[test]
fn every_catalogued_metric_is_on_a_dashboard() {
    let known = known();
    let queries = Board::all().iter().flat_map(Board::targets).collect::<Vec<_>>();
    let shown: BTreeSet<_> = queries
        .iter()
        .flat_map(|target| selectors(&target.query))
        .filter_map(|s| known.get(&s.name).copied())
        .collect();
    let hidden: Vec<_> = catalogue::ALL.iter().map(|spec| spec.name).filter(|name| !shown.contains(name)).collect();
    assert!(hidden.is_empty(), "no panel shows {hidden:?}");
}

#[test]
fn counters_start_with_the_label_values_of_the_domain() {
    let values = |name: &str| catalogue::ALL.iter().find(|spec| spec.name == name).unwrap().values;
    let ends: Vec<_> = JobStatus::ALL.into_iter().filter(|status| status.is_final()).map(JobStatus::as_str).collect();
    let (algorithms, kinds) = (Algorithm::ALL.map(Algorithm::as_str), JobKind::ALL.map(JobKind::as_str));
    assert_eq!(values(catalogue::JOBS_FINISHED_TOTAL), [&algorithms[..], &kinds, &ends]);
    let outcomes = values(catalogue::SCHEDULES_FIRINGS_TOTAL)[0];
    assert!(outcomes.iter().all(|outcome| Outcome::parse(outcome).is_some()));
    let codes = values(catalogue::JOBS_FAILURES_TOTAL)[0];
    let parsed = codes.iter().map(|code| serde_json::from_value::<FailureCode>((*code).into()).unwrap().as_str());
    assert!(parsed.eq(codes.iter().copied()));
    let retried = values(catalogue::JOBS_RETRIES_TOTAL)[0];
    assert!(retried.iter().all(|reason| codes.contains(reason) || *reason == "interrupted"));
}
