//! `make load`: starts Trainyard (or uses the installation at `LOAD_URL`), runs the k6 scenarios, samples the
//! processes, and fails if a limit in `budgets.json` is exceeded.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

mod budgets;
mod growth;
mod k6;
mod processes;
mod report;
mod target;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, ValueEnum};

use crate::budgets::Budgets;
use crate::k6::K6;
use crate::target::Target;
use crate::verdict::Outcome;

/// Run load tests.
#[derive(Debug, Parser)]
#[command(name = "trainyard-load")]
struct Arguments {
    /// Scenarios to run [default: all].
    scenarios: Vec<Scenario>,
    /// Use the long duration of a scenario, if it has one.
    #[arg(long)]
    long: bool,
    /// Duration of the load in seconds, instead of the one in the budgets.
    #[arg(long)]
    seconds: Option<u64>,
    /// Also write the report to this file.
    #[arg(long)]
    report: Option<PathBuf>,
    /// The limits and rates.
    #[arg(long, default_value = "load-tests/budgets.json")]
    budgets: PathBuf,
    /// The folder with the k6 scripts.
    #[arg(long, default_value = "load-tests/scenarios")]
    scripts: PathBuf,
    /// The k6 binary.
    #[arg(long, default_value = "target/tools/k6/bin/k6")]
    k6: PathBuf,
    /// The trainyard binary.
    #[arg(long, default_value = "target/dist/trainyard")]
    binary: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Jobs are submitted faster than they are trained.
    Submit,
    /// Jobs are polled.
    Poll,
    /// Predictions while versions change.
    Inference,
    /// Typical use.
    Mixed,
    /// All requests over a long time, to detect growth.
    Soak,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let budgets = Budgets::read(&arguments.budgets)?;
    let target = Target::from_env(&arguments.binary)?;
    let k6 = K6::new(&arguments.k6, &arguments.scripts, &arguments.budgets, target.env())?;
    let selected = &arguments.scenarios[..];
    let mut outcomes = Vec::new();
    for scenario in if selected.is_empty() { Scenario::value_variants() } else { selected } {
        let value = scenario.to_possible_value().context("a scenario has a name")?;
        let name = value.get_name();
        let seconds = arguments.seconds.map_or_else(|| budgets.seconds(name, arguments.long), Ok)?;
        eprintln!("{name}: {seconds} s of load");
        let (summary, samples) = k6.run(name, seconds, &budgets, &target)?;
        let outcome = Outcome::judge(name, seconds, summary, &samples, budgets.processes(name));
        outcome.failures.iter().for_each(|failure| eprintln!("  FAILED {failure}"));
        outcomes.push(outcome);
    }
    let text = report::markdown(&target.facts()?, &outcomes);
    println!("{text}");
    if let Some(path) = arguments.report {
        std::fs::write(&path, &text).with_context(|| path.display().to_string())?;
    }
    let failed = outcomes.iter().any(|outcome| !outcome.failures.is_empty());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
