//! Health checks, and their concurrent run.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};

use super::report::{CheckReport, CheckStatus};

/// Longest timeout of a check: the report must be sent within 5 s.
const MAX_TIMEOUT: Duration = Duration::from_millis(4_500);

/// Why a check failed: a public message, and an error for the log.
#[derive(Debug)]
pub struct CheckError {
    shown: Cow<'static, str>,
    logged: Box<dyn Error + Send + Sync>,
}

impl CheckError {
    /// `shown` is part of the public report; `logged` is logged.
    pub fn new(shown: impl Into<Cow<'static, str>>, logged: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { shown: shown.into(), logged: logged.into() }
    }
}

/// The text may contain an address or a secret, so it is only logged.
impl From<String> for CheckError {
    fn from(text: String) -> Self {
        Self::new("the check failed; the log has the cause", text)
    }
}

type Run = Box<dyn Fn() -> BoxFuture<'static, Result<(), CheckError>> + Send + Sync>;

/// A health check of one dependency.
pub struct Check {
    name: &'static str,
    critical: bool,
    timeout: Duration,
    /// `None` where the dependency is not configured.
    run: Option<Run>,
    failing: AtomicBool,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Check({})", self.name)
    }
}

impl Check {
    /// A check by `run`, with a timeout (2 s for the stores, 3 s for optional external services).
    pub fn new<F, E>(
        name: &'static str,
        critical: bool,
        timeout: Duration,
        run: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<CheckError>,
    {
        let run: Run = Box::new(move || {
            let result = run();
            Box::pin(async move { result.await.map_err(Into::into) })
        });
        Self { name, critical, timeout: timeout.min(MAX_TIMEOUT), run: Some(run), failing: AtomicBool::new(false) }
    }

    /// An optional dependency that is not configured.
    pub fn not_configured(name: &'static str) -> Self {
        Self { name, critical: false, timeout: MAX_TIMEOUT, run: None, failing: AtomicBool::new(false) }
    }

    async fn report(&self) -> CheckReport {
        let Some(run) = &self.run else {
            return CheckReport { status: CheckStatus::NotConfigured, critical: None, latency_ms: None, error: None };
        };
        let started = Instant::now();
        // A separate task: a check that panics or blocks its thread must not affect the others.
        let mut task = tokio::spawn(run());
        let outcome = tokio::time::timeout(self.timeout, &mut task).await;
        task.abort();
        let outcome = match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panicked)) => Err(CheckError::new("the check panicked", panicked)),
            Err(elapsed) => Err(CheckError::new("the check timed out", elapsed)),
        };
        self.log_change(outcome.as_ref().err());
        CheckReport {
            status: if outcome.is_ok() { CheckStatus::Ok } else { CheckStatus::Failed },
            critical: Some(self.critical),
            latency_ms: Some((started.elapsed().as_secs_f64() * 1e6).round() / 1e3),
            error: outcome.err().map(|error| error.shown.into_owned()),
        }
    }

    /// Logs changes of the outcome only: probes run the checks every few seconds.
    fn log_change(&self, error: Option<&CheckError>) {
        let failed_before = self.failing.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !failed_before => {
                let cause: &(dyn Error + 'static) = &*error.logged;
                tracing::warn!(check = self.name, error = cause, "{}", error.shown);
            }
            None if failed_before => tracing::info!(check = self.name, "the check succeeds again"),
            _ => {}
        }
    }
}

pub(super) async fn run_all(checks: &[Check]) -> BTreeMap<String, CheckReport> {
    let reports = checks.iter().map(|check| async { (check.name.to_owned(), check.report().await) });
    join_all(reports).await.into_iter().collect()
}
