//! Runs every query of every panel and alert on a Prometheus that has scraped a system under load.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use trainyard_testkit::{PrometheusServer, eventually};

use crate::boards::{Board, Target, filled_in};
use crate::load;
use crate::promql::{selectors, unconditional};
use crate::rig::Rig;

/// A query and its result.
struct Row {
    place: String,
    panel: String,
    query: String,
    answer: Answer,
}

/// The result of a query.
#[derive(Default)]
struct Answer {
    /// Series with at least one numeric value.
    series: usize,
    /// The largest value, and the labels of its series.
    sample: Option<(f64, String)>,
    /// The error, if any.
    fault: Option<String>,
}

/// Queries Prometheus about the time since the load began.
struct Queries<'a> {
    prometheus: &'a PrometheusServer,
    began: f64,
    variables: BTreeMap<String, String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_every_panel_and_alert_has_data_from_a_real_prometheus() {
    let (started, began) = (Instant::now(), now());
    let mut rig = Rig::start().await;
    let _goes_on = load::run(&mut rig).await;
    let loaded = started.elapsed();
    let mut queries = Queries { prometheus: &rig.prometheus, began, variables: BTreeMap::new() };
    queries.wait_for_scrape().await;

    let mut rows = Vec::new();
    for board in Board::all() {
        queries.variables = queries.variables_of(&board).await;
        for target in board.targets() {
            rows.push(queries.row(board.file, target).await);
        }
    }
    rows.extend(queries.alerts().await);
    println!("{}", table(&rows));
    println!("{} queries; the load took {loaded:.0?}, all of it {:.0?}", rows.len(), started.elapsed());
    let faults: Vec<_> =
        rows.iter().filter_map(|row| Some((&row.place, &row.panel, row.answer.fault.as_ref()?))).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

impl Queries<'_> {
    /// Waits until the last events are scraped, and until an alert fires that must fire.
    async fn wait_for_scrape(&self) {
        for query in [
            "max(trainyard_queue_paused) == 1 and max(trainyard_queue_scheduled_jobs) == 1",
            "trainyard_api_event_streams == 1",
            // The outage comes last: a rate needs two samples of its errors.
            r#"sum(rate(trainyard_http_requests_total{route="/training",status="503"}[5m])) >= 0"#,
            r#"ALERTS{alertname="TrainyardJobsCrash",alertstate="firing"}"#,
        ] {
            eventually(&format!("Prometheus has {query}"), Duration::from_secs(60), async || {
                (self.now(query).await.unwrap().series > 0).then_some(())
            })
            .await;
        }
    }

    /// Every variable at "All", as Grafana expands it.
    async fn variables_of(&self, board: &Board) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        for (name, selector, label) in board.variables() {
            let selector = filled_in(&selector, &variables);
            let found = self.prometheus.get(&format!("label/{label}/values"), &[("match[]", &selector)]).await.unwrap();
            let found: Vec<_> = found.as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect();
            assert!(!found.is_empty(), "{}: ${name} has nothing to choose from", board.file);
            variables.insert(name, format!("({})", found.join("|").replace('.', r"\\.")));
        }
        variables
    }

    async fn row(&self, place: &str, target: Target) -> Row {
        // The condition of an annotation may be unmet.
        let is_annotation = target.panel.starts_with("annotation");
        let query = filled_in(&target.query, &self.variables);
        let query = if is_annotation { unconditional(&query) } else { query };
        let answer = if target.range { self.over_time(&query).await } else { self.now(&query).await };
        let answer = self.judged(answer, &query).await;
        Row { place: place.to_owned(), panel: target.panel, query: target.query, answer }
    }

    /// The loaded alerts, without their conditions.
    async fn alerts(&self) -> Vec<Row> {
        let groups = self.prometheus.get("rules", &[]).await.unwrap();
        let mut rows = Vec::new();
        for rule in groups["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()) {
            let (name, query) = (rule["name"].as_str().unwrap(), rule["query"].as_str().unwrap());
            assert_eq!(rule["health"], "ok", "{name}: {}", rule["lastError"]);
            let answer = self.now(&unconditional(query)).await;
            let answer = self.judged(answer, query).await;
            let panel = format!("{name} ({})", rule["state"].as_str().unwrap());
            rows.push(Row { place: "alerts.yaml".into(), panel, query: query.to_owned(), answer });
        }
        let names: BTreeSet<_> = crate::files::alerts().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), rows.len(), "Prometheus has read every alert");
        rows
    }

    /// The result. It has an error if the result is empty or if one of its selectors finds no series, which `or` could
    /// hide.
    async fn judged(&self, answer: Result<Answer, String>, query: &str) -> Answer {
        let mut answer = answer.unwrap_or_else(|fault| Answer { fault: Some(fault), ..Answer::default() });
        if answer.series == 0 && answer.fault.is_none() {
            answer.fault = Some(format!("no data for {query}"));
        }
        for selector in selectors(query) {
            let any = format!("last_over_time({}{}[1h])", selector.name, selector.matchers);
            if self.now(&any).await.is_ok_and(|found| found.series == 0) {
                answer.fault.get_or_insert(format!("nothing matches {}{}", selector.name, selector.matchers));
            }
        }
        answer
    }

    async fn now(&self, query: &str) -> Result<Answer, String> {
        Ok(read(&self.prometheus.get("query", &[("query", query)]).await?))
    }

    async fn over_time(&self, query: &str) -> Result<Answer, String> {
        // Steps are counted from the start, so that a whole step ends now and the newest samples are included.
        let to = now();
        let (from, to) = ((to - (to - self.began).ceil()).to_string(), to.to_string());
        let parameters = [("query", query), ("start", &from), ("end", &to), ("step", "1")];
        Ok(read(&self.prometheus.get("query_range", &parameters).await?))
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Parses a Prometheus response: a scalar, or series with one or many values.
fn read(data: &Value) -> Answer {
    let number = |sample: &Value| sample[1].as_str().and_then(|text| text.parse::<f64>().ok()).filter(|n| !n.is_nan());
    let mut answer = Answer::default();
    for series in data["result"].as_array().unwrap() {
        let one = std::slice::from_ref(&series["value"]);
        let values = series["values"].as_array().map_or(one, Vec::as_slice);
        let Some(largest) = values.iter().filter_map(number).reduce(f64::max) else { continue };
        answer.series += 1;
        if answer.sample.as_ref().is_none_or(|(known, _)| largest > *known) {
            let labels = series["metric"].as_object().unwrap();
            let labels = labels.iter().filter(|(name, _)| *name != "__name__" && *name != "job");
            let labels = labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
            answer.sample = Some((largest, labels.collect::<Vec<_>>().join(" ")));
        }
    }
    answer
}

fn table(rows: &[Row]) -> String {
    let mut text = "| where | panel or alert | query | series | largest value |\n|---|---|---|---|---|\n".to_owned();
    for Row { place, panel, query, answer } in rows {
        let query = query.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', r"\|");
        let sample = answer.sample.as_ref().map_or(String::new(), |(value, labels)| format!("{value:.4} {labels}"));
        let _ = writeln!(text, "| {place} | {panel} | `{query}` | {} | {sample} |", answer.series);
    }
    text
}
