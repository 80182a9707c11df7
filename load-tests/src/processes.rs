//! The resource usage of processes, read from `/proc` once a second.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// A sampled process.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    /// The name in the report.
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) kind: Kind,
}

/// How the usage is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The process only.
    One,
    /// The process only; its training processes are reported separately.
    Worker,
    /// The process with its children, and only private memory: for Postgres, whose shared memory fills up.
    Tree,
}

/// The usage of a process at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    /// Resident memory; private memory for [`Kind::Tree`].
    pub(crate) memory_mb: f64,
    pub(crate) open_files: f64,
    /// CPU time since the start.
    pub(crate) cpu_s: f64,
}

/// The readings by name at one moment. A process that has ended is missing.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Milliseconds since the Unix epoch.
    pub(crate) at_ms: f64,
    pub(crate) readings: BTreeMap<String, Reading>,
}

/// The load generator. It has no limits, and is reported because it shares the machine.
pub(crate) const GENERATOR: &str = "k6";
/// All training processes together.
pub(crate) const TRAINING: &str = "training processes";

/// Samples all processes.
pub(crate) fn sample(watched: &[Watched]) -> Sample {
    let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0;
    let table = table();
    let mut readings = BTreeMap::new();
    let mut training = Reading { memory_mb: 0.0, open_files: 0.0, cpu_s: 0.0 };
    for process in watched {
        let Some(own) = table.get(&process.pid).filter(|row| row.state != 'Z') else { continue };
        let children: Vec<_> = table.iter().filter(|(_, row)| row.parent == process.pid).collect();
        let mut reading =
            Reading { memory_mb: memory(process.pid, "VmRSS"), open_files: open_files(process.pid), cpu_s: own.cpu_s };
        match process.kind {
            Kind::One => {}
            Kind::Worker => {
                training.memory_mb += children.iter().map(|(pid, _)| memory(**pid, "VmRSS")).sum::<f64>();
                training.cpu_s += own.reaped_cpu_s;
            }
            Kind::Tree => {
                let pids = || std::iter::once(process.pid).chain(children.iter().map(|(pid, _)| **pid));
                reading.memory_mb = pids().map(|pid| memory(pid, "RssAnon")).sum();
                reading.cpu_s += own.reaped_cpu_s + children.iter().map(|(_, row)| row.cpu_s).sum::<f64>();
            }
        }
        readings.insert(process.name.clone(), reading);
    }
    if watched.iter().any(|process| process.kind == Kind::Worker) {
        readings.insert(TRAINING.to_owned(), training);
    }
    Sample { at_ms, readings }
}

struct Row {
    parent: u32,
    state: char,
    cpu_s: f64,
    /// CPU time of children that have ended and were reaped.
    reaped_cpu_s: f64,
}

/// All processes of the machine.
fn table() -> BTreeMap<u32, Row> {
    // SAFETY: sysconf has no preconditions.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    let row = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses can contain any character; state and parent follow it.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let seconds = |first: usize| {
            let two = fields.get(first..first + 2)?.iter().map(|field| field.parse::<f64>().ok());
            two.sum::<Option<f64>>().map(|sum| sum / ticks)
        };
        let (state, parent) = (fields.first()?.chars().next()?, fields.get(1)?.parse().ok()?);
        Some((pid, Row { parent, state, cpu_s: seconds(11)?, reaped_cpu_s: seconds(13)? }))
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|entry| row(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// A value of `/proc/<pid>/status` in megabytes; 0 if the process has ended.
fn memory(pid: u32, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = status.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':')?.split_whitespace().next());
    value.and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn open_files(pid: u32) -> f64 {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0.0, |files| files.count() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_does_not_exist_has_no_reading() {
        let me = Watched { name: "me".into(), pid: std::process::id(), kind: Kind::One };
        let nobody = Watched { name: "nobody".into(), pid: u32::MAX, kind: Kind::One };
        let sample = sample(&[me, nobody]);
        let reading = sample.readings["me"];
        assert!(reading.memory_mb > 0.5 && reading.open_files >= 3.0, "{reading:?}");
        assert!(!sample.readings.contains_key("nobody"));
    }
}
