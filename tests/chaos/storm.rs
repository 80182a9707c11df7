//! Faults in seeded random order while jobs are submitted, then a check of the submission log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use trainyard_testkit::{Client, Restarted, sleep_blocking};

use crate::check::check;
use crate::faults::Fault;
use crate::ledger::Ledger;
use crate::load::{Stream, prepare};
use crate::report::{Report, Struck};
use crate::rig::Rig;

const APIS: usize = 2;
const WORKERS: usize = 3;
/// The next fault waits while more jobs than this are open; otherwise a slow machine measures its backlog.
const MOST_OPEN: i64 = 30;
const BACKLOG_LIMIT: Duration = Duration::from_secs(20);

async fn storm(seed: u64, jobs: usize, faults: usize) -> (Report, Arc<Ledger>) {
    println!("chaos: seed {seed}, {jobs} jobs, {faults} faults");
    let started = Instant::now();
    let rig = Rig::start(APIS, WORKERS).await;
    let admins = rig.admins().await;
    prepare(&admins[0]).await;
    let mut rng = StdRng::seed_from_u64(seed);
    let steps = Fault::draw(&mut rng, &rig, faults);
    let stream = Stream::start(&admins, seed, jobs);

    let (rig, struck, restarted, stream) = {
        let (admins, runtime) = (admins.clone(), tokio::runtime::Handle::current());
        tokio::task::spawn_blocking(move || {
            let mut run = Run { rig, rng, struck: Vec::new(), restarted: Vec::new() };
            let mut allowed = 0;
            for step in steps {
                let upto = jobs * (run.struck.len() + step.len()) / faults;
                stream.allow(upto - allowed);
                allowed = upto;
                run.strike(step, &stream.ledger);
                runtime.block_on(run.catch_up(&admins));
            }
            run.rig.mend();
            (run.rig, run.struck, run.restarted, stream)
        })
        .await
        .unwrap()
    };
    let mut rig = rig;
    let ledger = stream.ended().await;
    let findings = check(&mut rig, &admins[0], &ledger).await;
    let report = Report {
        seed,
        jobs,
        apis: APIS,
        workers: WORKERS,
        took: started.elapsed(),
        struck,
        restarted,
        runs_begun: rig.runs_begun(),
        stored_artifacts: rig.stored_artifacts(),
        findings,
    };
    (report, ledger)
}

/// A running storm.
struct Run {
    rig: Rig,
    rng: StdRng,
    struck: Vec<Struck>,
    restarted: Vec<Restarted>,
}

impl Run {
    /// Starts the faults of one step, waits for their durations, and ends them in the order in which they began.
    fn strike(&mut self, step: Vec<Fault>, ledger: &Ledger) {
        sleep_blocking(Duration::from_millis(self.rng.random_range(100..900)));
        let mut under_way = Vec::new();
        for mut fault in step {
            let began = (Utc::now(), Instant::now());
            fault.begin(&mut self.rig, &ledger.ids());
            under_way.push((fault, began));
        }
        for (fault, (began, since)) in under_way {
            sleep_blocking(fault.lasts.saturating_sub(since.elapsed()));
            fault.end(&mut self.rig);
            self.struck.push(Struck { fault, began, ended: Utc::now() });
        }
        self.restarted.extend(self.rig.system.restart_ended());
    }

    /// Waits until only a few jobs are open, and restarts processes that ended unexpectedly.
    async fn catch_up(&mut self, admins: &[Client]) {
        let deadline = Instant::now() + BACKLOG_LIMIT;
        while Instant::now() < deadline {
            let mut open = None;
            for admin in admins {
                let answer = admin.try_send(admin.request(reqwest::Method::GET, "/queue")).await;
                let view = answer.ok().filter(|answer| answer.status == 200).map(|answer| answer.body);
                let active = |view: serde_json::Value| {
                    view["depth"].as_i64().unwrap() + view["by_status"]["running"].as_i64().unwrap_or(0)
                };
                open = open.or(view.map(active));
            }
            if open.is_some_and(|open| open <= MOST_OPEN) {
                return;
            }
            self.restarted.extend(self.rig.system.restart_ended());
            trainyard_testkit::pause(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_seeded_storm_loses_nothing_and_publishes_nothing_twice() {
    let (report, ledger) = storm(20_260, 60, 12).await;
    let violations = report.findings.violations();
    assert!(violations.is_empty(), "{}", report.text(&ledger));
}

/// `make chaos`: SEED, JOBS and FAULTS from the environment; the report is written to stdout and to the file REPORT.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make chaos"]
async fn a_long_seeded_storm_loses_nothing_and_publishes_nothing_twice() {
    let number = |name: &str, default: u64| match std::env::var(name) {
        Ok(text) if !text.is_empty() => {
            text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}"))
        }
        _ => default,
    };
    let count = |name: &str, default| usize::try_from(number(name, default)).unwrap();
    let (report, ledger) = storm(number("SEED", 1), count("JOBS", 1_000), count("FAULTS", 100)).await;
    let text = report.text(&ledger);
    println!("\n{text}");
    if let Some(file) = std::env::var_os("REPORT").filter(|file| !file.is_empty()) {
        // Relative to the working directory of `make`, not to the crate.
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        std::fs::write(root.join(file), &text).unwrap();
    }
    assert!(report.findings.violations().is_empty(), "promises were broken; see the report");
}
