//! The report as Markdown.

use std::fmt::Write;

use crate::k6::Step;
use crate::verdict::{Outcome, Usage};

/// The complete report.
pub(crate) fn markdown(facts: &[String], outcomes: &[Outcome]) -> String {
    let mut text = String::from("# Load test\n\n");
    for fact in facts {
        let _ = writeln!(text, "- {fact}");
    }
    text.push_str("- Latencies begin when a request is due, so they include waiting in the generator.\n\n");
    text.push_str("| scenario | step | requests | a second | errors | p50 | p95 | p99 | max | p95, p99 at most | |\n");
    text.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|\n");
    for outcome in outcomes {
        outcome.summary.steps.iter().for_each(|step| text.push_str(&step_row(outcome, step)));
    }
    text.push_str("\n| scenario | load, s | jobs accepted | jobs ended | verdict |\n|---|---:|---:|---:|---|\n");
    for outcome in outcomes {
        let verdict = if outcome.failures.is_empty() { "passed" } else { "**FAILED**" };
        let (accepted, ended) = (outcome.summary.jobs_accepted, outcome.summary.jobs_ended);
        let _ = writeln!(text, "| {} | {} | {accepted} | {ended} | {verdict} |", outcome.scenario, outcome.seconds);
    }
    if outcomes.iter().any(|outcome| !outcome.usages.is_empty()) {
        text.push_str(
            "\nCores are means over the load. MB are resident memory (for Postgres private memory, without shared buffers); gained \
            is the growth of a line fitted to the second half.\n\n| scenario | process | cores | MB at start | at end | max | \
            gained | files at start | at end | max |\n",
        );
        text.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    }
    for outcome in outcomes {
        outcome.usages.iter().for_each(|usage| text.push_str(&usage_row(&outcome.scenario, usage)));
    }
    for outcome in outcomes {
        for failure in &outcome.failures {
            let _ = writeln!(text, "\n**{} failed**: {failure}", outcome.scenario);
        }
    }
    text
}

fn step_row(outcome: &Outcome, step: &Step) -> String {
    let ms = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}"));
    let latency = &step.latency;
    let limits = match (step.p95_ms, step.p99_ms) {
        (Some(p95), Some(p99)) => format!("{p95}, {p99}"),
        _ => "–".to_owned(),
    };
    // For example `errors{step:row}: rate<=0`.
    let missed = outcome.summary.missed.iter().any(|missed| missed.contains(&format!("{{step:{}}}", step.name)));
    format!(
        "| {} | {} | {} | {:.1} | {} | {} | {} | {} | {} | {limits} | {} |\n",
        outcome.scenario,
        step.name,
        step.requests,
        step.requests as f64 / outcome.seconds as f64,
        step.errors,
        ms(latency.p50),
        ms(latency.p95),
        ms(latency.p99),
        ms(latency.max),
        if missed { "**missed**" } else { "met" },
    )
}

fn usage_row(scenario: &str, usage: &Usage) -> String {
    let (memory, files) = (&usage.memory_mb, &usage.open_files);
    format!(
        "| {scenario} | {} | {:.2} | {:.0} | {:.0} | {:.0} | {:.1} | {:.0} | {:.0} | {:.0} |\n",
        usage.name,
        usage.cores,
        memory.first,
        memory.last,
        memory.max,
        memory.growth,
        files.first,
        files.last,
        files.max,
    )
}
