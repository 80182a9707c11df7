//! The report of a storm.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, Utc};
use trainyard_testkit::Restarted;

use crate::check::Findings;
use crate::faults::Fault;
use crate::ledger::Ledger;

/// An injected fault.
#[derive(Debug, Clone, Copy)]
pub struct Struck {
    pub fault: Fault,
    pub began: DateTime<Utc>,
    pub ended: DateTime<Utc>,
}

/// One run of the storm.
pub struct Report {
    pub seed: u64,
    pub jobs: usize,
    pub apis: usize,
    pub workers: usize,
    pub took: Duration,
    pub struck: Vec<Struck>,
    /// Processes that ended unexpectedly and were restarted.
    pub restarted: Vec<Restarted>,
    pub runs_begun: usize,
    pub stored_artifacts: usize,
    pub findings: Findings,
}

impl Report {
    /// For each fault, the seconds from its end until the next job ends that was accepted after the fault began. A
    /// fault without such a job is left out.
    fn recoveries(&self) -> Vec<f64> {
        let mut seconds: Vec<_> = self.struck.iter().filter_map(|struck| self.recovery(struck)).collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    }

    fn recovery(&self, struck: &Struck) -> Option<f64> {
        let affected = self.findings.times.iter().filter(|(accepted, _)| *accepted >= struck.began);
        let next = affected.map(|(_, finished)| *finished).filter(|finished| *finished >= struck.ended).min()?;
        (next - struck.ended).to_std().ok().map(|time| time.as_secs_f64())
    }

    /// Formats the report.
    pub fn text(&self, ledger: &Ledger) -> String {
        let (mut text, pages) = (String::new(), ledger.pages());
        let mut line = |what: std::fmt::Arguments<'_>| writeln!(text, "{what}").unwrap();
        let findings = &self.findings;
        let faults = self.struck.len();
        let cancels = pages.entries.iter().filter(|entry| entry.cancel == Some(202)).count();
        line(format_args!("chaos run, seed {}", self.seed));
        line(format_args!("  make chaos SEED={} JOBS={} FAULTS={faults}\n", self.seed, self.jobs));
        line(format_args!(
            "{} API, {} worker and 1 inference processes on a Postgres, a Redis and an S3 endpoint of their own, each behind\n\
             a proxy; leases of 3 s, renewed each second. {:.0} s in all, {:.0} s of them to drain.\n",
            self.apis,
            self.workers,
            self.took.as_secs_f64(),
            findings.drained_after.as_secs_f64()
        ));
        line(format_args!("jobs accepted               {:>6}", pages.entries.len()));
        for (end, jobs) in &findings.ends {
            line(format_args!("  {end:<26}{jobs:>6}"));
        }
        line(format_args!("cancels accepted            {:>6}", cancels));
        line(format_args!("runs begun                  {:>6}", self.runs_begun));
        line(format_args!("sent twice with one key     {:>6}", pages.repeated));
        line(format_args!("answers to requests that submit or cancel"));
        for (status, count) in &pages.answers {
            let name = if *status == 0 { "none".to_owned() } else { status.to_string() };
            line(format_args!("  {name:<26}{count:>6}"));
        }
        line(format_args!("processes that ended by themselves and were started again {:>6}", self.restarted.len()));
        for Restarted { role, name, status, last_log_line } in &self.restarted {
            line(format_args!("  {name} (process {role}), {status}: {last_log_line}"));
        }
        line(format_args!("artifacts read, digest right{:>6}", findings.artifacts));
        line(format_args!("artifacts of no version, left to the orphan search {:>6}\n", self.orphans()));

        let recoveries = self.recoveries();
        line(format_args!(
            "recovery: from the end of a fault to the next end of a job that was accepted after the fault began"
        ));
        line(format_args!("  faults with a next job    {:>6}", recoveries.len()));
        for (name, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
            line(format_args!("  {name}                       {:>6.2} s", quantile(&recoveries, share)));
        }
        let mut waits: Vec<_> = findings.times.iter().map(|(from, to)| (*to - *from).as_seconds_f64()).collect();
        waits.sort_by(f64::total_cmp);
        line(format_args!("from accepted to ended, all jobs, the slow, the late and the retried among them"));
        for (name, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
            line(format_args!("  {name}                       {:>6.2} s", quantile(&waits, share)));
        }
        line(format_args!("\nlost                        {:>6}", findings.lost.len()));
        line(format_args!("published twice             {:>6}", findings.published_twice.len()));
        line(format_args!("other promises broken       {:>6}", findings.broken.len()));
        for violation in findings.violations() {
            line(format_args!("  {violation}"));
        }
        line(format_args!("\n{faults} faults by kind"));
        let mut kinds = BTreeMap::<String, usize>::new();
        for struck in &self.struck {
            *kinds.entry(format!("{:?}", struck.fault.kind)).or_default() += 1;
        }
        for (kind, count) in kinds {
            line(format_args!("  {kind:<26}{count:>6}"));
        }
        line(format_args!("\nfaults in order: seconds from the start, recovery in seconds, what was hit"));
        let start = self.struck.first().map_or_else(Utc::now, |struck| struck.began);
        for struck in &self.struck {
            let at = (struck.began - start).as_seconds_f64();
            let recovery = self.recovery(struck).map_or("     -".to_owned(), |seconds| format!("{seconds:>6.2}"));
            line(format_args!("  {at:>7.1} {recovery}  {}", struck.fault));
        }
        text
    }

    fn orphans(&self) -> usize {
        self.stored_artifacts.saturating_sub(self.findings.artifacts)
    }
}

/// The nearest-rank percentile of sorted values; 0 if there are none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}
