//! `make bench-inference`: compares the inference role with a bare HTTP route and with other model servers, one contender at a
//! time on the same machine, and writes a report.
//!
//! `trainyard-bench inference swaps` runs one part.

mod cold_start;
mod compare;
mod contender;
mod explain;
mod memory;
mod overload;
mod peers;
mod pool;
mod protocol;
mod swaps;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};

use self::compare::Compared;
use self::contender::Contender;
use self::peers::Peers;
use self::pool::Pool;
use crate::report::Section;
use crate::servers::Servers;
use crate::stats::show;
use crate::{machine, report};

const TITLE: &str = "Predictions, measured";

/// The arguments of `trainyard-bench inference`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Parts to measure [default: all].
    parts: Vec<Part>,
    /// Only contenders whose name contains this text, in the parts that compare them.
    #[arg(long)]
    contender: Option<String>,
    /// Run for three minutes instead of twenty.
    #[arg(long)]
    quick: bool,
    /// Number of rounds per contender.
    #[arg(long)]
    rounds: Option<usize>,
    /// Also write the report to this file.
    #[arg(long)]
    report: Option<PathBuf>,
    /// The `trainyard` binary [default: in the folder of this program].
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// The parts, in the order of their measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// One row per request on 64 connections.
    Throughput,
    /// 200 and 2,000 requests per second.
    Rates,
    /// 1, 10 and 100 rows per request, in each protocol.
    Rows,
    /// Predictions with contributions.
    Explain,
    /// Twice the capacity.
    Overload,
    /// Versions are published under load.
    Swaps,
    /// RSS with one forest and after reloads.
    Memory,
    /// From the start of a process to its first right answer.
    ColdStart,
}

/// The settings of all parts.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) pool: Pool,
    pub(crate) peers: Peers,
    parts: Vec<Part>,
    quick: bool,
    rounds: Option<usize>,
    only: Option<String>,
}

impl Bench {
    /// The full or the quick value.
    pub(crate) fn sized<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Number of rounds per contender.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or_else(|| self.sized(3, 1))
    }

    /// Warm-up and length of a closed loop that measures a throughput.
    pub(crate) fn closed_loop_times(&self) -> (Duration, Duration) {
        self.sized(
            (Duration::from_secs(1), Duration::from_secs(5)),
            (Duration::from_millis(500), Duration::from_secs(2)),
        )
    }

    /// Whether a part is selected.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Whether a part is selected that compares contenders.
    fn compares(&self) -> bool {
        [Part::Throughput, Part::Rates, Part::Rows].into_iter().any(|part| self.has(part))
    }

    /// Whether a contender is selected.
    pub(crate) fn selects_contender(&self, name: &str) -> bool {
        selects(self.only.as_deref(), name)
    }

    /// An access token of Trainyard.
    pub(crate) fn token(&self) -> &str {
        &self.pool.token
    }
}

fn selects(only: Option<&str>, name: &str) -> bool {
    only.is_none_or(|only| name.to_lowercase().contains(&only.to_lowercase()))
}

/// Measures the selected parts, and prints and writes the report.
///
/// # Errors
/// If Trainyard can't be installed, or the report can't be written. A part that fails is a line of the report.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (started, load_before) = (Instant::now(), machine::load_average());
    let parts = if arguments.parts.is_empty() { Part::value_variants().to_vec() } else { arguments.parts.clone() };
    let servers = Servers::start();
    let mut bench = prepare(arguments, parts, &servers)?;
    let (mut sections, mut failures, mut facts) = (Vec::new(), Vec::new(), facts(&bench, &servers, &load_before)?);
    let mut record = |part: &str, measured: anyhow::Result<Section>| match measured {
        Ok(section) => sections.push(section),
        Err(error) => failures.push(format!("{part}: {error:#}").replace('\n', " ")),
    };
    if bench.compares() {
        match compare::measure(&bench) {
            Ok(Compared { sections, left_out }) => {
                sections.into_iter().for_each(|section| record(section.title, Ok(section)));
                let line = |(peer, reason): (Contender, String)| format!("**Left out**: {}: {reason}.", peer.name());
                facts.extend(left_out.into_iter().map(line));
            }
            Err(error) => record("the comparison", Err(error)),
        }
    }
    // Each part trains what the parts before did not need, so that a model is new to the process that measures it.
    for part in Part::value_variants().iter().filter(|part| bench.parts.contains(part)).copied().collect::<Vec<_>>() {
        let measured = match part {
            Part::Throughput | Part::Rates | Part::Rows => continue,
            Part::Explain => explain::measure(&bench),
            Part::Overload => overload::measure(&bench),
            Part::Swaps => swaps::measure(&mut bench),
            Part::Memory => memory::measure(&mut bench),
            Part::ColdStart => cold_start::measure(&mut bench),
        };
        record(&format!("{part:?}"), measured);
    }
    facts.push(format!("Took {} s.", show(started.elapsed().as_secs_f64())));
    let text = report::markdown(TITLE, &facts, &sections, &failures);
    println!("{text}");
    if let Some(path) = &arguments.report {
        std::fs::write(path, &text).with_context(|| path.display().to_string())?;
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Trains the forests of Trainyard and of the peers on the same table.
fn prepare(arguments: &Arguments, parts: Vec<Part>, servers: &Servers) -> anyhow::Result<Bench> {
    let table = table::csv(&table::rows(1, table::TABLE_ROWS));
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?.parent().context("a folder")?.join("trainyard"),
    };
    let only = arguments.contender.as_deref();
    let compares = parts.iter().any(|part| matches!(part, Part::Throughput | Part::Rates | Part::Rows));
    let is_wanted = |contender: &Contender| contender.is_peer() && selects(only, contender.name());
    Ok(Bench {
        pool: Pool::install(&binary, servers, &table)?,
        peers: Peers::prepare(&table, compares && Contender::ALL.iter().any(is_wanted))?,
        parts,
        quick: arguments.quick,
        rounds: arguments.rounds,
        only: arguments.contender.clone(),
    })
}

/// Machine, versions and method.
fn facts(bench: &Bench, servers: &Servers, load_before: &str) -> anyhow::Result<Vec<String>> {
    let command = if bench.quick { "make bench-inference QUICK=1" } else { "make bench-inference" };
    let (nodes, bytes) = bench.pool.forest()?;
    let peers = match bench.peers.forest() {
        Some((nodes, accuracy)) => {
            format!("scikit-learn's has {} nodes, and an accuracy of {accuracy:.3}", show(nodes as f64))
        }
        None => "the peers have none".to_owned(),
    };
    Ok(vec![
        format!("`{command}` on {}, version {}.", chrono::Utc::now().format("%Y-%m-%d"), env!("CARGO_PKG_VERSION")),
        format!("{} shared by generator and contender; load average before: {load_before}.", machine::cores()?),
        format!("{}.", servers.versions()?),
        format!("Peers: {}.", bench.peers.versions()),
        format!(
            "A random forest of 100 trees with leaves of at least 5 rows, trained on four fifths of {} rows with {} numbers: \
            Trainyard's has {} nodes in {} bytes; {peers}. Before each measurement the answers of a contender for rows that no model has \
            learned from are checked.",
            show(table::TABLE_ROWS as f64),
            table::FEATURES,
            show(nodes as f64),
            show(bytes as f64),
        ),
        "Contenders are measured one at a time, in the same order in each round. Medians and ranges are over the rounds, ratios \
        within a round."
            .to_owned(),
    ])
}
