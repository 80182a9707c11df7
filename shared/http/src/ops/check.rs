//! One health check, and running many at the same time.

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};

use super::report::{CheckReport, CheckStatus};

/// However long a check would like to take, the whole report comes within 5 s.
const MAX_LIMIT: Duration = Duration::from_millis(4_500);

/// Why a check failed: what everybody may read, and what the log says.
#[derive(Debug)]
pub struct CheckError {
    shown: &'static str,
    logged: Box<dyn Error + Send + Sync>,
}

impl CheckError {
    /// `shown` goes into the report, which anybody can read; `logged` into the log.
    pub fn new(shown: &'static str, logged: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { shown, logged: logged.into() }
    }
}

/// The text may hold an address or worse, so it is only logged.
impl From<String> for CheckError {
    fn from(text: String) -> Self {
        Self::new("does not answer as it should", text)
    }
}

type Run = Box<dyn Fn() -> BoxFuture<'static, Result<(), CheckError>> + Send + Sync>;

/// A question to something the process depends on.
pub struct Check {
    name: &'static str,
    critical: bool,
    limit: Duration,
    /// `None`: not configured.
    run: Option<Run>,
    failing: AtomicBool,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Check({})", self.name)
    }
}

impl Check {
    /// Asks with `run` and waits for `limit` at most (2 s for our own stores, 3 s for optional services outside).
    pub fn new<F, E>(
        name: &'static str,
        critical: bool,
        limit: Duration,
        run: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<CheckError>,
    {
        let run: Run = Box::new(move || {
            let asked = run();
            Box::pin(async move { asked.await.map_err(Into::into) })
        });
        Self { name, critical, limit: limit.min(MAX_LIMIT), run: Some(run), failing: AtomicBool::new(false) }
    }

    /// A service that could be used and is not.
    pub fn not_configured(name: &'static str) -> Self {
        Self { name, critical: false, limit: MAX_LIMIT, run: None, failing: AtomicBool::new(false) }
    }

    async fn report(&self) -> CheckReport {
        let Some(run) = &self.run else {
            return CheckReport { status: CheckStatus::NotConfigured, critical: None, latency_ms: None, error: None };
        };
        let started = Instant::now();
        // A task of its own: a check that panics or blocks its thread must not take the others along.
        let mut task = tokio::spawn(run());
        let outcome = tokio::time::timeout(self.limit, &mut task).await;
        task.abort();
        let outcome = match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(died)) => Err(CheckError::new("the check itself failed", died)),
            Err(late) => Err(CheckError::new("does not answer in time", late)),
        };
        self.log_change(outcome.as_ref().err());
        CheckReport {
            status: if outcome.is_ok() { CheckStatus::Ok } else { CheckStatus::Failed },
            critical: Some(self.critical),
            latency_ms: Some((started.elapsed().as_secs_f64() * 1e6).round() / 1e3),
            error: outcome.err().map(|error| error.shown.to_owned()),
        }
    }

    /// Readiness is asked for every few seconds; the log hears of changes.
    fn log_change(&self, error: Option<&CheckError>) {
        let failed_before = self.failing.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !failed_before => {
                let cause: &(dyn Error + 'static) = &*error.logged;
                tracing::warn!(check = self.name, error = cause, "{}", error.shown);
            }
            None if failed_before => tracing::info!(check = self.name, "answers again"),
            _ => {}
        }
    }
}

/// Runs all checks at the same time.
pub(super) async fn run_all(checks: &[Check]) -> BTreeMap<String, CheckReport> {
    let reports = checks.iter().map(|check| async { (check.name.to_owned(), check.report().await) });
    join_all(reports).await.into_iter().collect()
}
