//! The text of `/metrics`, of which a bounded number of copies exists: a client may take long to read its copy.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use trainyard_telemetry::Metrics;

use crate::problem::{Code, Problem};

/// Most copies at a time. The newest one is always kept.
const MAX_COPIES: usize = 16;
/// How old the newest copy may be that further clients share.
const MAX_AGE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Exposition {
    metrics: Metrics,
    permits: Arc<Semaphore>,
    newest: Mutex<Option<(Instant, Bytes)>>,
}

/// A rendered text. Its permit is returned when the last response that holds the text is gone.
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

    /// The metrics of this moment, or of at most [`MAX_AGE`] ago where clients hold all copies.
    ///
    /// # Errors
    /// 503 where clients have held all copies for longer.
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
            _ => Err(Problem::new(Code::Unavailable, "too many clients read /metrics slowly; try again shortly")),
        }
    }
}
