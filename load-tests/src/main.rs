//! `make load`: starts everything (or takes what `LOAD_URL` names), has k6 run the scenarios, watches the processes
//! meanwhile, holds what came out to `budgets.json`, and fails when any of it is missed.

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
    /// Scenarios to run; all of them when left out.
    scenarios: Vec<Scenario>,
    /// Scenarios that have a long form take it.
    #[arg(long)]
    long: bool,
    /// Run each for so many seconds instead of what the budgets say.
    #[arg(long)]
    seconds: Option<u64>,
    /// Write the report to this file too.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Limits and rates.
    #[arg(long, default_value = "load-tests/budgets.json")]
    budgets: PathBuf,
    /// The folder with k6's scripts.
    #[arg(long, default_value = "load-tests/scenarios")]
    scripts: PathBuf,
    /// The k6 to run.
    #[arg(long, default_value = "target/tools/k6/bin/k6")]
    k6: PathBuf,
    /// The trainyard to start.
    #[arg(long, default_value = "target/dist/trainyard")]
    binary: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Jobs come faster than they are trained.
    Submit,
    /// Jobs are looked at.
    Poll,
    /// Predictions while versions are swapped.
    Inference,
    /// People at work.
    Mixed,
    /// A bit of everything, to see what grows.
    Soak,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let budgets = Budgets::read(&arguments.budgets)?;
    let target = Target::from_env(&arguments.binary)?;
    let k6 = K6::new(&arguments.k6, &arguments.scripts, &arguments.budgets, target.env())?;
    let asked = &arguments.scenarios[..];
    let mut outcomes = Vec::new();
    for scenario in if asked.is_empty() { Scenario::value_variants() } else { asked } {
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
