//! The part of `budgets.json` that this program uses; k6 checks rates and latencies.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Budgets {
    /// Time limit for the setup of a scenario.
    pub(crate) setup_s: u64,
    /// Time limit for accepted jobs to finish after the load.
    pub(crate) drain_s: u64,
    scenarios: BTreeMap<String, Scenario>,
}

#[derive(Debug, Deserialize)]
struct Scenario {
    duration_s: u64,
    long_s: Option<u64>,
    processes: Option<ProcessLimits>,
}

/// Limits on the growth of processes over the second half of the load.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct ProcessLimits {
    /// Growth of memory, from a fitted line.
    pub(crate) memory_growth_mb: f64,
    /// Growth of open files, from a fitted line.
    pub(crate) open_files_growth: f64,
}

impl Budgets {
    /// # Errors
    /// If the file does not exist or is invalid.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// The duration of the load.
    ///
    /// # Errors
    /// If the scenario does not exist.
    pub(crate) fn seconds(&self, scenario: &str, long: bool) -> anyhow::Result<u64> {
        let scenario = self.scenarios.get(scenario).with_context(|| format!("unknown scenario {scenario}"))?;
        Ok(scenario.long_s.filter(|_| long).unwrap_or(scenario.duration_s))
    }

    /// The limits on processes, if the scenario has any.
    pub(crate) fn processes(&self, scenario: &str) -> Option<ProcessLimits> {
        self.scenarios.get(scenario)?.processes
    }
}
