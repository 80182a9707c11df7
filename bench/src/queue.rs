//! `make bench-queue`: compares the queue with other queues, one contender at a time on separate servers, and writes a
//! report.
//!
//! `trainyard-bench queue submit --contender trainyard` runs one part for one contender.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::measure::{Bench, memory, noop, pickup, polls, submit, training};
use crate::peers::Peers;
use crate::servers::Servers;
use crate::stats::{median, show};
use crate::{machine, report};

const TITLE: &str = "The queue, and training jobs of 1 ms, measured";

/// The arguments of `trainyard-bench queue`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Parts to measure [default: all].
    parts: Vec<Part>,
    /// Only contenders whose name contains this text.
    #[arg(long)]
    contender: Option<String>,
    /// Run for three minutes instead of fifteen.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// `POST /training` on 64 connections.
    Submit,
    /// Time from commit to claim with an idle worker.
    Pickup,
    /// Throughput of no-op jobs, from claim to success.
    Noop,
    /// Throughput of training jobs of about 1 ms, from claim to published model.
    Training,
    /// Redis memory per queued job.
    Memory,
    /// `GET /training/{job_id}` with a million jobs.
    Polls,
}

/// Measures the selected parts, and prints and writes the report.
///
/// # Errors
/// If a contender can't be installed, or the report can't be written. A part that fails is a line of the report.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let beside = std::env::current_exe()?.parent().context("a folder")?.to_owned();
    let peers = Peers::install(&beside.parent().unwrap_or(&beside).join("bench-peers"))?;
    let bench = Bench {
        servers: Servers::start(),
        peers,
        binary: arguments.binary.unwrap_or_else(|| beside.join("trainyard")),
        quick: arguments.quick,
        rounds: arguments.rounds,
        only: arguments.contender,
    };
    let mut facts = facts(&bench)?;
    // Measurements that need an idle machine come first, because some systems are slower for minutes after a load.
    let all = [Part::Pickup, Part::Submit, Part::Noop, Part::Training, Part::Memory, Part::Polls];
    let parts = if arguments.parts.is_empty() { &all[..] } else { &arguments.parts };
    let (mut sections, mut failures) = (Vec::new(), Vec::new());
    for part in parts {
        let measured = match part {
            Part::Submit => submit::measure(&bench),
            Part::Pickup => pickup::measure(&bench),
            Part::Noop => noop::measure(&bench),
            Part::Training => training::measure(&bench),
            Part::Memory => memory::measure(&bench),
            Part::Polls => polls::measure(&bench),
        };
        match measured {
            Ok(section) => sections.push(section),
            Err(error) => failures.push(format!("{part:?}: {error:#}").replace('\n', " ")),
        }
    }
    facts.push(format!("Took {} s.", show(started.elapsed().as_secs_f64())));
    let text = report::markdown(TITLE, &facts, &sections, &failures);
    println!("{text}");
    if let Some(path) = arguments.report {
        std::fs::write(&path, &text).with_context(|| path.display().to_string())?;
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Machine, versions and method.
fn facts(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let command = if bench.quick { "make bench-queue QUICK=1" } else { "make bench-queue" };
    Ok(vec![
        format!("`{command}` on {}, version {}.", chrono::Utc::now().format("%Y-%m-%d"), env!("CARGO_PKG_VERSION")),
        format!(
            "{} shared by generator, contender, Postgres and Redis; load average before: {}; 8 KiB written and synced to the \
             database's disk in {} ms (median).",
            machine::cores()?,
            machine::load_average(),
            show(sync_ms()?)
        ),
        format!("{}.", bench.servers.versions()?),
        format!("Peers: {}.", bench.peers.versions()?),
        "Contenders are measured one at a time, on an empty database and an empty Redis. Medians and ranges are over the \
        rounds, ratios within a round."
            .to_owned(),
    ])
}

/// The time of a disk sync, as in a Postgres commit.
fn sync_ms() -> anyhow::Result<f64> {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = tempfile::NamedTempFile::new_in(Path::new(&std::env::temp_dir()))?;
    let mut times = Vec::new();
    for _ in 0..100 {
        let start = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[0; 8192])?;
        file.as_file().sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(&times))
}
