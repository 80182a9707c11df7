//! Faults in seeded random order under a stream of jobs, then the ledger.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use trainyard_testkit::{Client, Revived, hold};

use crate::check::check;
use crate::faults::Fault;
use crate::ledger::Ledger;
use crate::load::{Stream, prepare};
use crate::report::{Report, Struck};
use crate::rig::Rig;

const APIS: usize = 2;
const WORKERS: usize = 3;
/// With more jobs than this open, the next fault waits: else a slow machine measures its backlog.
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

    let (rig, struck, revived, stream) = {
        let (admins, runtime) = (admins.clone(), tokio::runtime::Handle::current());
        tokio::task::spawn_blocking(move || {
            let mut run = Run { rig, rng, struck: Vec::new(), revived: Vec::new() };
            let mut allowed = 0;
            for step in steps {
                let upto = jobs * (run.struck.len() + step.len()) / faults;
                stream.allow(upto - allowed);
                allowed = upto;
                run.strike(step, &stream.ledger);
                runtime.block_on(run.catch_up(&admins));
            }
            run.rig.mend();
            (run.rig, run.struck, run.revived, stream)
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
        revived,
        runs_begun: rig.runs_begun(),
        stored_artifacts: rig.stored_artifacts(),
        findings,
    };
    (report, ledger)
}

/// A storm under way.
struct Run {
    rig: Rig,
    rng: StdRng,
    struck: Vec<Struck>,
    revived: Vec<Revived>,
}

impl Run {
    /// Brings the faults of one step about, lets them last, and ends them in the order they began.
    fn strike(&mut self, step: Vec<Fault>, ledger: &Ledger) {
        hold(Duration::from_millis(self.rng.random_range(100..900)));
        let mut under_way = Vec::new();
        for mut fault in step {
            let began = (Utc::now(), Instant::now());
            fault.begin(&mut self.rig, &ledger.ids());
            under_way.push((fault, began));
        }
        for (fault, (began, since)) in under_way {
            hold(fault.lasts.saturating_sub(since.elapsed()));
            fault.end(&mut self.rig);
            self.struck.push(Struck { fault, began, ended: Utc::now() });
        }
        self.revived.extend(self.rig.system.revive());
    }

    /// Waits until no more than a handful of jobs are open, and starts what has ended by itself.
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
            self.revived.extend(self.rig.system.revive());
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

/// `make chaos`: SEED, JOBS and FAULTS from the environment, the report to stdout and to the file REPORT.
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
        // Relative to where `make` was called, not to the crate.
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        std::fs::write(root.join(file), &text).unwrap();
    }
    assert!(report.findings.violations().is_empty(), "promises were broken; see the report");
}
