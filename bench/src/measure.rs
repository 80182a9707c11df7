//! The parts of the benchmark and their common settings.

pub(crate) mod memory;
pub(crate) mod noop;
pub(crate) mod pickup;
pub(crate) mod polls;
pub(crate) mod submit;
pub(crate) mod training;

use std::path::PathBuf;

use crate::peers::Peers;
use crate::servers::Servers;

/// The settings of all parts.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) servers: Servers,
    pub(crate) peers: Peers,
    /// The `trainyard` binary.
    pub(crate) binary: PathBuf,
    /// Fewer and shorter rounds, and shorter queues.
    pub(crate) quick: bool,
    /// Number of rounds; `None` is the default of the part.
    pub(crate) rounds: Option<usize>,
    /// Only contenders whose name contains this text.
    pub(crate) only: Option<String>,
}

impl Bench {
    /// The full or the quick value.
    pub(crate) fn sized<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Number of rounds per contender.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or_else(|| self.sized(3, 1))
    }

    /// Whether a contender is selected.
    pub(crate) fn selects(&self, contender: &str) -> bool {
        let folded = contender.to_lowercase();
        self.only.as_ref().is_none_or(|only| folded.contains(&only.to_lowercase()))
    }
}
