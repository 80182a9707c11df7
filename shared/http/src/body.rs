//! Limits on the size and the rate of request bodies, and the responses to bodies that exceed them.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::problem::{Code, Problem};

/// How slowly a client may send a body. Only the time in which the server waits for the client counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Longest pause between two parts of a body. Below `min_bytes_per_s`, this is also the time allowed on top.
    pub pause: Duration,
    /// Lowest average rate; 0 disables the limit.
    pub min_bytes_per_s: u64,
}

impl Pace {
    /// The timeout for the next part, after the server waited `waited` for `received` bytes.
    fn read_timeout(&self, received: u64, waited: Duration) -> Duration {
        match received.checked_div(self.min_bytes_per_s) {
            Some(earned_s) => (self.pause + Duration::from_secs(earned_s)).saturating_sub(waited).min(self.pause),
            None => self.pause,
        }
    }
}

/// Reports whether the server is waiting for the client to send more of a body.
#[derive(Debug, Clone, Default)]
pub(crate) struct BodyWait(Option<Arc<AtomicBool>>);

impl BodyWait {
    pub(crate) fn is_for_client(&self) -> bool {
        self.0.as_ref().is_some_and(|waiting| waiting.load(Ordering::Relaxed))
    }
}

/// Refuses a body whose declared length exceeds `limit` bytes. Other bodies fail while they are read, once they exceed the
/// limit or are too slow.
pub(crate) fn limited(request: Request, limit: usize, pace: Pace) -> Result<(Request, BodyWait), Problem> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        let detail = format!("the body must have at most {limit} bytes");
        return Err(Problem::new(Code::PayloadTooLarge, detail));
    }
    if http_body::Body::is_end_stream(request.body()) {
        return Ok((request, BodyWait::default()));
    }
    let waiting = Arc::new(AtomicBool::new(false));
    let shared = waiting.clone();
    let limited_body = |body| {
        Body::new(LimitedBody {
            body,
            limit: limit as u64,
            pace,
            received: 0,
            waiting: shared,
            waited: Duration::ZERO,
            waiting_since: None,
            timer: None,
            failed: false,
        })
    };
    Ok((request.map(limited_body), BodyWait(Some(waiting))))
}

/// Reads a whole body.
///
/// # Errors
/// See [`Problem::unreadable_body`].
pub async fn read(body: Body) -> Result<Bytes, Problem> {
    let collected = body.collect().await.map_err(|error| Problem::unreadable_body(&error))?;
    Ok(collected.to_bytes())
}

/// Why the server stopped reading a body.
#[derive(Debug, thiserror::Error)]
enum BodyError {
    #[error("the body has more than {0} bytes")]
    TooLarge(u64),
    #[error("the client sent the body too slowly")]
    TooSlow(Pace),
}

struct LimitedBody {
    body: Body,
    limit: u64,
    pace: Pace,
    received: u64,
    waiting: Arc<AtomicBool>,
    waited: Duration,
    waiting_since: Option<Instant>,
    /// Created at the first wait: most bodies arrive together with their heads.
    timer: Option<Pin<Box<Sleep>>>,
    failed: bool,
}

impl LimitedBody {
    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.failed = true;
        Poll::Ready(Some(Err(axum::Error::new(error))))
    }

    fn poll_timeout(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.waiting_since.is_none() {
            let now = Instant::now();
            let until = now + self.pace.read_timeout(self.received, self.waited);
            self.timer.get_or_insert_with(|| Box::pin(sleep_until(until))).as_mut().reset(until);
            self.waiting_since = Some(now);
            self.waiting.store(true, Ordering::Relaxed);
        }
        self.timer.as_mut().map_or(Poll::Pending, |timer| timer.as_mut().poll(context))
    }
}

impl http_body::Body for LimitedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.failed {
            return Poll::Ready(None);
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.poll_timeout(context));
            let pace = self.pace;
            return self.fail(BodyError::TooSlow(pace));
        };
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
            self.waiting.store(false, Ordering::Relaxed);
        }
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.received += data.len() as u64;
            if self.received > self.limit {
                let limit = self.limit;
                return self.fail(BodyError::TooLarge(limit));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.failed || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Problem {
    /// The problem for an error while reading a request body: 413 or 408 where a limit was exceeded, else 400.
    pub fn unreadable_body(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            match error.downcast_ref() {
                Some(BodyError::TooLarge(limit)) => {
                    return Self::new(Code::PayloadTooLarge, format!("the body must have at most {limit} bytes"));
                }
                Some(BodyError::TooSlow(pace)) => return Self::slow_body(*pace),
                None => {}
            }
            // `io::Error::source` skips the wrapped error and returns the source of that error.
            let wrapped = error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
            cause = match wrapped {
                Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
                None => error.source(),
            };
        }
        Self::new(Code::BadRequest, "the connection ended before the body was complete")
    }

    fn slow_body(pace: Pace) -> Self {
        let (pause, rate) = (pace.pause.as_secs_f64(), pace.min_bytes_per_s);
        Self::new(
            Code::RequestTimeout,
            format!(
                "the body arrived too slowly: send each part within {pause} s, and at least {rate} bytes a second on average"
            ),
        )
    }

    /// 408 for a body that was incomplete when the request's time limit expired.
    pub(crate) fn late_body(limit: Duration) -> Self {
        let detail = format!("the body was not complete within {} s, the time limit of the request", limit.as_secs());
        Self::new(Code::RequestTimeout, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_read_timeout_is_the_pause_until_the_average_rate_is_too_low() {
        let pace = Pace { pause: Duration::from_secs(20), min_bytes_per_s: 500 };
        let timeout = |received, waited_s| pace.read_timeout(received, Duration::from_secs(waited_s)).as_secs();
        assert_eq!(timeout(0, 0), 20);
        assert_eq!(timeout(0, 15), 5, "single bytes do not restart the timeout");
        assert_eq!(timeout(5_000, 15), 15);
        assert_eq!(timeout(500_000, 900), 20);
        assert_eq!(timeout(500_000, 1_020), 0);
        let any = Pace { min_bytes_per_s: 0, ..pace };
        assert_eq!(any.read_timeout(1, Duration::from_secs(9_000)).as_secs(), 20);
    }
}
