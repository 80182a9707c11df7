//! The contenders, and how each of them is asked.

use anyhow::ensure;
use trainyard_testkit::ChildGuard;

use super::Bench;
use super::protocol::Protocol;
use super::table::{self, MIN_ACCURACY};
use crate::http::Connection;
use crate::process::stop_within;
use crate::report::TRAINYARD;
use crate::usage::{self, Resident, Usage};

/// Rows of a request that checks the answers.
const CHECKED_ROWS: usize = 100;
const STOP_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// A server of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// One process of the inference role.
    Trainyard,
    /// [`crate::constant_route`].
    Bare,
    /// FastAPI with scikit-learn.
    FastApiSklearn,
    /// FastAPI with ONNX Runtime.
    FastApiOnnx,
    /// MLServer with its scikit-learn runtime.
    MlServer,
    /// Triton Inference Server with dynamic batching.
    Triton,
}

impl Contender {
    /// All contenders, in the order of a round.
    pub(crate) const ALL: [Self; 6] =
        [Self::Trainyard, Self::Bare, Self::FastApiSklearn, Self::FastApiOnnx, Self::MlServer, Self::Triton];

    /// The name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trainyard => TRAINYARD,
            Self::Bare => "bare axum route",
            Self::FastApiSklearn => "FastAPI + scikit-learn",
            Self::FastApiOnnx => "FastAPI + ONNX Runtime",
            Self::MlServer => "MLServer",
            Self::Triton => "Triton",
        }
    }

    /// The protocols that the contender has. The first one is used where only one is measured.
    pub(crate) fn protocols(self) -> &'static [Protocol] {
        match self {
            Self::Trainyard => &[Protocol::Objects, Protocol::V2Json, Protocol::V2Binary],
            Self::Bare | Self::FastApiSklearn | Self::FastApiOnnx => &[Protocol::Objects],
            Self::MlServer => &[Protocol::V2Json],
            Self::Triton => &[Protocol::V2Json, Protocol::V2Binary],
        }
    }

    /// Whether the contender is a program of others, which may be missing.
    pub(crate) fn is_peer(self) -> bool {
        !matches!(self, Self::Trainyard | Self::Bare)
    }

    /// Starts the contender, and waits for its first answer.
    ///
    /// # Errors
    /// If it does not start, or its answers are not sensible.
    pub(crate) fn start(self, bench: &Bench) -> anyhow::Result<Running> {
        let running = match self {
            Self::Trainyard => bench.pool.start()?,
            Self::Bare => super::peers::start_bare()?,
            peer => bench.peers.start(peer)?,
        };
        // The bare route answers a constant.
        let protocols = if self == Self::Bare { &[] } else { self.protocols() };
        match protocols.iter().try_for_each(|protocol| check_answers(&running, *protocol, bench.token())) {
            Ok(()) => Ok(running),
            Err(error) => {
                running.stop();
                Err(error)
            }
        }
    }
}

/// A running contender.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) process: ChildGuard,
    pub(crate) port: u16,
}

impl Running {
    /// Stops the contender and its children.
    pub(crate) fn stop(self) {
        stop_within(self.process, STOP_LIMIT);
    }

    /// What the contender uses.
    pub(crate) fn usage(&self) -> Usage {
        usage::of_tree(self.process.0.id())
    }

    /// The resident memory of the contender's first process.
    pub(crate) fn resident(&self) -> Resident {
        usage::resident(self.process.0.id())
    }
}

/// Predicts rows that no model has learned from.
fn check_answers(running: &Running, protocol: Protocol, token: &str) -> anyhow::Result<()> {
    let rows = table::rows(3, 4 * CHECKED_ROWS);
    let mut connection = Connection::open(running.port)?;
    let mut probabilities = Vec::new();
    for request in protocol.requests(&rows, CHECKED_ROWS, token) {
        let (status, body) = connection.call(&request)?;
        ensure!(status == 200, "{}: answered {status} with {}", protocol.name(), String::from_utf8_lossy(body));
        probabilities.extend(protocol.probabilities(body)?);
    }
    ensure!(probabilities.len() == rows.len(), "{}: {} predictions", protocol.name(), probabilities.len());
    let accuracy = table::accuracy(&rows, &probabilities);
    ensure!(accuracy >= MIN_ACCURACY, "{}: the answers have an accuracy of {accuracy}", protocol.name());
    Ok(())
}
