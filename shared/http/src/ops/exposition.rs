//! The text of `/metrics`. A slow client holds its copy of the text for long, so the number of copies is bounded.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use trainyard_telemetry::Metrics;

use crate::problem::{Code, Problem};

/// Most copies in memory. The newest copy is always kept.
const MAX_COPIES: usize = 16;
/// Maximum age of the newest copy when clients share it.
const MAX_AGE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Exposition {
    metrics: Metrics,
    permits: Arc<Semaphore>,
    newest: Mutex<Option<(Instant, Bytes)>>,
}

/// A rendered text. Its permit is released when the last response drops the text.
struct Copy {
    text: String,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Copy {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Exposition {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { metrics, permits: Arc::new(Semaphore::new(MAX_COPIES)), newest: Mutex::default() }
    }

    /// A new copy; the newest copy where clients hold all permits.
    ///
    /// # Errors
    /// 503 where clients hold all permits and the newest copy is older than [`MAX_AGE`].
    pub(super) fn text(&self) -> Result<Bytes, Problem> {
        let now = Instant::now();
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            let text = Bytes::from_owner(Copy { text: self.metrics.render(), _permit: permit });
            *newest = Some((now, text.clone()));
            return Ok(text);
        }
        match &*newest {
            Some((rendered_at, text)) if now.duration_since(*rendered_at) <= MAX_AGE => Ok(text.clone()),
            _ => Err(Problem::new(Code::Unavailable, "too many clients are reading /metrics; try again shortly")),
        }
    }
}
