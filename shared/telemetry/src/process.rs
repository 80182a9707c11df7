//! Standard process metrics, with the names of the Prometheus client libraries. Read from `/proc` at each scrape;
//! without `/proc` they are omitted.

use std::fmt::Write;
use std::fs;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::catalogue::{
    ALL, Kind, PROCESS_CPU_SECONDS_TOTAL, PROCESS_MAX_FDS, PROCESS_OPEN_FDS, PROCESS_RESIDENT_MEMORY_BYTES,
    PROCESS_START_TIME_SECONDS,
};

/// The time of the first access, which is close to the start: each role creates the recorder first.
static STARTED: LazyLock<f64> =
    LazyLock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()));

/// Whether a metric is rendered here instead of by the recorder.
pub(crate) fn is_process_metric(name: &str) -> bool {
    LazyLock::force(&STARTED);
    name.starts_with("process_")
}

/// Appends the process metrics. The recorder's counters are integers, and CPU time is not, so the text is written here.
pub(crate) fn write(text: &mut String) {
    for spec in ALL.iter().filter(|spec| is_process_metric(spec.name)) {
        let Some(value) = value(spec.name) else { continue };
        let (name, help) = (spec.name, spec.help);
        let kind = if spec.kind == Kind::Counter { "counter" } else { "gauge" };
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n");
    }
}

fn value(name: &str) -> Option<f64> {
    match name {
        PROCESS_CPU_SECONDS_TOTAL => cpu_seconds(&fs::read_to_string("/proc/self/stat").ok()?),
        PROCESS_MAX_FDS => field(&fs::read_to_string("/proc/self/limits").ok()?, "Max open files"),
        PROCESS_OPEN_FDS => Some(fs::read_dir("/proc/self/fd").ok()?.count() as f64),
        PROCESS_RESIDENT_MEMORY_BYTES => {
            field(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:").map(|kib| kib * 1024.0)
        }
        PROCESS_START_TIME_SECONDS => Some(*STARTED),
        _ => None,
    }
}

/// User and system time are the fields 14 and 15, in clock ticks. The name before them is in parentheses and can
/// contain any character.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Vec<u64> = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    (ticks.len() == 2).then(|| ticks.iter().sum::<u64>() as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The first number after a prefix at the beginning of a line.
fn field(lines: &str, prefix: &str) -> Option<f64> {
    lines.lines().find_map(|line| line.strip_prefix(prefix)?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_process_metrics_have_plausible_values() {
        let mut text = String::new();
        write(&mut text);
        let value = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{name} in\n{text}")).parse().unwrap()
        };
        assert!((0.0..3_600.0).contains(&value(PROCESS_CPU_SECONDS_TOTAL)));
        assert!((1e6..1e11).contains(&value(PROCESS_RESIDENT_MEMORY_BYTES)));
        assert!((1.7e9..1e10).contains(&value(PROCESS_START_TIME_SECONDS)));
        assert!(value(PROCESS_OPEN_FDS) > 2.0 && value(PROCESS_OPEN_FDS) < value(PROCESS_MAX_FDS));
    }

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let ticks = rustix::param::clock_ticks_per_second();
        let stat = format!("7 (a) b (c)) S 1 7 7 0 -1 4194560 1 2 3 4 {ticks} {ticks} 0 0 20");
        assert_eq!(cpu_seconds(&stat), Some(2.0));
        assert_eq!(cpu_seconds("7 (a"), None);
    }
}
