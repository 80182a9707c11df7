//! Runs one scenario: k6 as a process, its summary, and samples of the processes under load.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Deserialize;
use trainyard_testkit::{sleep_blocking, spawn_guarded};

use crate::budgets::Budgets;
use crate::processes::{GENERATOR, Kind, Sample, Watched, sample};
use crate::target::Target;

const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// The exit code of k6 for missed thresholds; the summary lists them.
const MISSED: i32 = 99;

#[derive(Debug)]
pub(crate) struct K6 {
    program: PathBuf,
    scripts: PathBuf,
    env: Vec<(String, String)>,
}

/// The summary that `lib/run.js` writes.
#[derive(Debug, Deserialize)]
pub(crate) struct Summary {
    pub(crate) steps: Vec<Step>,
    /// The missed thresholds.
    pub(crate) missed: Vec<String>,
    /// The start of the load, in milliseconds since the Unix epoch.
    pub(crate) loaded_at: f64,
    pub(crate) jobs_accepted: u64,
    pub(crate) jobs_ended: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) p95_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) latency: Latency,
}

/// Milliseconds; `None` without requests.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Latency {
    #[serde(rename = "p(50)")]
    pub(crate) p50: Option<f64>,
    #[serde(rename = "p(95)")]
    pub(crate) p95: Option<f64>,
    #[serde(rename = "p(99)")]
    pub(crate) p99: Option<f64>,
    pub(crate) max: Option<f64>,
}

impl K6 {
    /// # Errors
    /// If a path does not exist.
    pub(crate) fn new(
        program: &Path,
        scripts: &Path,
        budgets: &Path,
        env: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let existing = |path: &Path| path.canonicalize().with_context(|| path.display().to_string());
        let mut env = env.to_vec();
        env.push(("BUDGETS".to_owned(), existing(budgets)?.to_str().context("a path in UTF-8")?.to_owned()));
        Ok(Self { program: existing(program)?, scripts: existing(scripts)?, env })
    }

    /// Runs `scenario` with this many seconds of load.
    ///
    /// # Errors
    /// If k6 ends without a summary or does not end.
    pub(crate) fn run(
        &self,
        scenario: &str,
        seconds: u64,
        budgets: &Budgets,
        target: &Target,
    ) -> anyhow::Result<(Summary, Vec<Sample>)> {
        let folder = tempfile::Builder::new().prefix("trainyard-load-").tempdir()?;
        let file = folder.path().join("summary.json");
        let mut command = Command::new(&self.program);
        // The REST API of k6 would use a fixed port.
        command.args(["run", "--quiet", "--no-usage-report", "--address", "127.0.0.1:0", "--log-format", "raw"]);
        command.arg(self.scripts.join(format!("{scenario}.js")));
        command.envs(self.env.iter().cloned());
        command.env("SUMMARY", &file).env("DURATION_S", seconds.to_string());
        let mut k6 = spawn_guarded(command, libc::SIGKILL);
        let mut watched = target.watched().to_vec();
        watched.push(Watched { name: GENERATOR.to_owned(), pid: k6.0.id(), kind: Kind::One });

        // The limits of the k6 scripts: requests in flight at the end and the check of the jobs may take drain_s each.
        let limit = Duration::from_secs(seconds + 2 * budgets.setup_s + 2 * budgets.drain_s + 60);
        let (started, mut samples) = (Instant::now(), Vec::new());
        let ended = loop {
            if let Some(status) = k6.0.try_wait()? {
                break status;
            }
            ensure!(started.elapsed() < limit, "k6 did not end within {limit:?}");
            samples.push(sample(&watched));
            sleep_blocking(SAMPLE_EVERY);
        };
        ensure!(ended.success() || ended.code() == Some(MISSED), "k6 ended with {ended}");
        samples.push(sample(&watched));
        let text = std::fs::read_to_string(&file).context("k6 ended without a summary")?;
        let summary: Summary = serde_json::from_str(&text).with_context(|| text.clone())?;
        ensure!(ended.success() == summary.missed.is_empty(), "k6 ended with {ended}, but missed {:?}", summary.missed);
        Ok((summary, samples))
    }
}
