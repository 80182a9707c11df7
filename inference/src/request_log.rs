//! The request log: sampled requests with their answers, as compressed JSON lines in the object store.
//!
//! ```text
//! answered request ─▶ RequestLog (queue, limited in bytes) ─▶ Writer ─▶ lines ─▶ gzip ─▶ object store
//! ```
//! A request only puts its body and its answer into the queue. If they do not fit, or if the object store stays
//! unavailable, the rows are dropped and counted. The lines contain features and predictions, and nothing about the
//! account or the connection of the client; `docs/monitoring.md` lists the fields.

mod line;
mod objects;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use trainyard_domain::Clock;
use trainyard_http::middleware::RequestId;
use trainyard_telemetry::catalogue;

use crate::loaded_model::LoadedModel;
use crate::v2::tensor_body::TensorBody;

pub(crate) use writer::Writer;

/// Memory of an entry besides its bodies, in bytes.
const ENTRY_BYTES: usize = 512;

/// Settings of the request log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestLogSettings {
    /// Share of the requests that are logged.
    pub(crate) share: f64,
    /// Maximum size of the lines of an object, in bytes.
    pub(crate) object_bytes: usize,
    /// Maximum time until an entry is written.
    pub(crate) flush: Duration,
    /// Maximum size of the entries that are not written yet, in bytes.
    pub(crate) buffer_bytes: u32,
    /// Maximum number of rows in a request.
    pub(crate) max_rows: usize,
}

/// The sending side of the request log.
pub(crate) struct RequestLog {
    share: f64,
    clock: Clock,
    /// The bytes that still fit into the queue.
    room: Arc<Semaphore>,
    entries: mpsc::UnboundedSender<Entry>,
}

/// A sampled request that has not been answered yet.
pub(crate) struct Sample<'a> {
    log: &'a RequestLog,
    received_at: DateTime<Utc>,
}

/// An answered request.
pub(crate) struct Answered {
    /// The id of the request.
    pub(crate) request_id: RequestId,
    /// The version that predicted.
    pub(crate) loaded: Arc<LoadedModel>,
    /// Time from the body of the request to the answer.
    pub(crate) latency: Duration,
    /// Number of rows.
    pub(crate) rows: usize,
    /// The request and its answer.
    pub(crate) content: Content,
}

/// A request and its answer.
pub(crate) enum Content {
    /// The bodies of `POST /inference`.
    Rows {
        /// The body of the request.
        request: Bytes,
        /// The body of the answer.
        answer: Bytes,
    },
    /// A request of the Open Inference Protocol.
    Tensors {
        /// The body of the request.
        request: TensorBody,
        /// [`trainyard_ml::model::Task::outputs`] numbers per row.
        outputs: Vec<f64>,
    },
}

/// An entry of the queue.
struct Entry {
    received_at: DateTime<Utc>,
    answered: Answered,
    bytes: usize,
    /// Releases the bytes when the entry has been written or dropped.
    _room: OwnedSemaphorePermit,
}

/// What happened to rows of sampled requests, as in the metric.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Written,
    QueueFull,
    TooLarge,
    StoreFailed,
}

impl RequestLog {
    /// A log and the receiver of its entries.
    fn new(settings: RequestLogSettings, clock: Clock) -> (Self, mpsc::UnboundedReceiver<Entry>) {
        let (entries, receiver) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(settings.buffer_bytes as usize));
        (Self { share: settings.share, clock, room, entries }, receiver)
    }

    /// Decides whether a request that arrives now is logged. `draw` is a random number from 0 to below 1.
    pub(crate) fn sample(&self, draw: f64) -> Option<Sample<'_>> {
        (draw < self.share).then(|| Sample { log: self, received_at: self.clock.now() })
    }
}

impl Sample<'_> {
    /// Puts the request into the queue if it fits; never waits.
    pub(crate) fn push(self, answered: Answered) {
        let RequestLog { room, entries, .. } = self.log;
        let bytes = answered.content.bytes();
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        let Ok(permit) = room.clone().try_acquire_many_owned(permits) else {
            return count(Outcome::QueueFull, answered.rows as u64);
        };
        let entry = Entry { received_at: self.received_at, answered, bytes, _room: permit };
        // The writer has stopped only if it panicked or the process ends.
        if let Err(unsent) = entries.send(entry) {
            count(Outcome::StoreFailed, unsent.0.answered.rows as u64);
        }
    }
}

impl Content {
    /// The memory of the entry, in bytes.
    fn bytes(&self) -> usize {
        let bodies = match self {
            Self::Rows { request, answer } => request.len() + answer.len(),
            Self::Tensors { request, outputs } => request.len() + size_of_val(outputs.as_slice()),
        };
        bodies + ENTRY_BYTES
    }
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::QueueFull => "queue_full",
            Self::TooLarge => "too_large",
            Self::StoreFailed => "store_failed",
        }
    }
}

fn count(outcome: Outcome, rows: u64) {
    metrics::counter!(catalogue::INFERENCE_REQUEST_LOG_ROWS_TOTAL, "outcome" => outcome.as_str()).increment(rows);
}
