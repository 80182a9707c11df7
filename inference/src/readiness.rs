//! Whether the process should receive requests.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use trainyard_http::ops::{Check, CheckError};

use crate::required_models::RequiredModel;

/// Timeout of a check, which only reads the state.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum number of missing models in the report.
const MAX_NAMES: usize = 20;

/// The state of the readiness. Clones share the state.
#[derive(Clone)]
pub(crate) struct Readiness(Arc<State>);

struct State {
    /// Whether the database has been read or is unavailable, and every version known then has been loaded or has failed to load.
    refreshed: AtomicBool,
    /// The required models that are not loaded, with the reasons.
    missing: ArcSwap<Vec<String>>,
    has_required: bool,
}

impl Readiness {
    /// The state at the start: nothing is loaded.
    pub(crate) fn new(required: &[RequiredModel]) -> Self {
        let missing = required.iter().map(|model| format!("{model} (not loaded yet)")).collect();
        let (refreshed, has_required) = (AtomicBool::new(false), !required.is_empty());
        Self(Arc::new(State { refreshed, missing: ArcSwap::from_pointee(missing), has_required }))
    }

    /// Whether the process should receive requests.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.refreshed.load(Ordering::Acquire) && self.0.missing.load().is_empty()
    }

    pub(crate) fn set_refreshed(&self, refreshed: bool) {
        self.0.refreshed.store(refreshed, Ordering::Release);
    }

    /// Sets the required models that are not loaded.
    pub(crate) fn set_missing(&self, missing: Vec<String>) {
        self.0.missing.store(Arc::new(missing));
    }

    /// The readiness checks of this role.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let state = self.0.clone();
        let registry = move || {
            let waiting = || CheckError::new("the models are not yet loaded", "no refresh has been completed");
            ready(if state.refreshed.load(Ordering::Acquire) { Ok(()) } else { Err(waiting()) })
        };
        let mut checks = vec![Check::new("registry", true, CHECK_TIMEOUT, registry)];
        if self.0.has_required {
            let state = self.0.clone();
            let required = move || {
                let missing = state.missing.load();
                ready(if missing.is_empty() { Ok(()) } else { Err(not_loaded(&missing)) })
            };
            checks.push(Check::new("required_models", true, CHECK_TIMEOUT, required));
        }
        checks
    }
}

/// The operator has listed these names in the settings, so the public report may contain them.
fn not_loaded(missing: &[String]) -> CheckError {
    let mut names = missing.iter().take(MAX_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    if missing.len() > MAX_NAMES {
        names.push_str(", …");
    }
    CheckError::new(format!("not loaded: {names}"), "models of inference.required_models are not loaded")
}
