//! The parts of the benchmark, and what they have in common.

pub(crate) mod memory;
pub(crate) mod noop;
pub(crate) mod pickup;
pub(crate) mod polls;
pub(crate) mod submit;

use std::path::PathBuf;

use crate::peers::Peers;
use crate::servers::Servers;

/// What every part is given.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) servers: Servers,
    pub(crate) peers: Peers,
    /// The `trainyard` that is measured.
    pub(crate) binary: PathBuf,
    /// Minutes rather than a quarter of an hour: fewer and shorter rounds, shorter queues.
    pub(crate) quick: bool,
    /// Rounds of each part, if not its own number.
    pub(crate) rounds: Option<usize>,
    /// Measure only contenders whose name has this in it.
    pub(crate) only: Option<String>,
}

impl Bench {
    /// One of two sizes.
    pub(crate) fn sized<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// How often each contender has its turn.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or_else(|| self.sized(3, 1))
    }

    /// Whether a contender takes part.
    pub(crate) fn wants(&self, contender: &str) -> bool {
        let folded = contender.to_lowercase();
        self.only.as_ref().is_none_or(|only| folded.contains(&only.to_lowercase()))
    }
}
