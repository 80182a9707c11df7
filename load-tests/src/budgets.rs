//! What this program reads of `budgets.json`; rates and latencies are k6's part.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Budgets {
    /// Longest that preparing a scenario may take.
    pub(crate) setup_s: u64,
    /// Longest that accepted jobs may take to end once the load is over.
    pub(crate) drain_s: u64,
    scenarios: BTreeMap<String, Scenario>,
}

#[derive(Debug, Deserialize)]
struct Scenario {
    duration_s: u64,
    long_s: Option<u64>,
    processes: Option<ProcessLimits>,
}

/// What processes may take more of at the end than in the middle.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct ProcessLimits {
    /// Memory gained over the second half of the load, by a line fitted to it.
    pub(crate) memory_growth_mb: f64,
    /// Open files gained likewise.
    pub(crate) open_files_growth: f64,
}

impl Budgets {
    /// # Errors
    /// When the file is not there or lacks something.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// How long a scenario loads.
    ///
    /// # Errors
    /// When there is none of this name.
    pub(crate) fn seconds(&self, scenario: &str, long: bool) -> anyhow::Result<u64> {
        let scenario = self.scenarios.get(scenario).with_context(|| format!("the budgets name no {scenario}"))?;
        Ok(scenario.long_s.filter(|_| long).unwrap_or(scenario.duration_s))
    }

    /// The limits on processes, where a scenario has any.
    pub(crate) fn processes(&self, scenario: &str) -> Option<ProcessLimits> {
        self.scenarios.get(scenario)?.processes
    }
}
