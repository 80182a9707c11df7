//! The limits on a request's body, its size and its pace, and what a body that can't be read is answered with.

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
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::problem::{Code, Problem};

/// How slowly a body may come. Only the time in which the server waits for the client counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Longest pause between two parts of a body. It is also the head start for `min_bytes_per_s`.
    pub pause: Duration,
    /// Fewest bytes a second on average; 0 for no such limit.
    pub min_bytes_per_s: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pause: Duration::from_secs(20), min_bytes_per_s: 500 }
    }
}

impl Pace {
    /// How long to wait for the next part, once `received` bytes took `waited`.
    fn patience(&self, received: u64, waited: Duration) -> Duration {
        match received.checked_div(self.min_bytes_per_s) {
            Some(earned_s) => (self.pause + Duration::from_secs(earned_s)).saturating_sub(waited).min(self.pause),
            None => self.pause,
        }
    }
}

/// Whether the server waits for the client to send more of a body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting(Option<Arc<AtomicBool>>);

impl Waiting {
    pub(crate) fn for_client(&self) -> bool {
        self.0.as_ref().is_some_and(|waiting| waiting.load(Ordering::Relaxed))
    }
}

/// Refuses a body that says it is longer than `limit` bytes; cuts off one that turns out to be, or that comes too slowly.
pub(crate) fn limited(request: Request, limit: usize, pace: Pace) -> Result<(Request, Waiting), Problem> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        let detail = format!("the body must have at most {limit} bytes");
        return Err(Problem::new(Code::PayloadTooLarge, detail));
    }
    if http_body::Body::is_end_stream(request.body()) {
        return Ok((request, Waiting::default()));
    }
    let waiting = Arc::new(AtomicBool::new(false));
    let shared = waiting.clone();
    let bounded = |body| {
        Body::new(Bounded {
            body,
            limit: limit as u64,
            pace,
            received: 0,
            waiting: shared,
            waited: Duration::ZERO,
            since: None,
            alarm: None,
            cut: false,
        })
    };
    Ok((request.map(bounded), Waiting(Some(waiting))))
}

/// Why a body was cut off.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("the body has more than {0} bytes")]
    TooLarge(u64),
    #[error("the body came too slowly")]
    TooSlow(Pace),
}

struct Bounded {
    body: Body,
    limit: u64,
    pace: Pace,
    received: u64,
    waiting: Arc<AtomicBool>,
    waited: Duration,
    since: Option<Instant>,
    /// Made when the body has to be waited for: most bodies arrive together with their heads.
    alarm: Option<Pin<Box<Sleep>>>,
    cut: bool,
}

impl Bounded {
    fn cut(&mut self, why: Cut) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.cut = true;
        Poll::Ready(Some(Err(axum::Error::new(why))))
    }

    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.since.is_none() {
            let now = Instant::now();
            let until = now + self.pace.patience(self.received, self.waited);
            self.alarm.get_or_insert_with(|| Box::pin(sleep_until(until))).as_mut().reset(until);
            self.since = Some(now);
            self.waiting.store(true, Ordering::Relaxed);
        }
        self.alarm.as_mut().map_or(Poll::Pending, |alarm| alarm.as_mut().poll(context))
    }
}

impl http_body::Body for Bounded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.cut {
            return Poll::Ready(None);
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.poll_patience(context));
            let pace = self.pace;
            return self.cut(Cut::TooSlow(pace));
        };
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
            self.waiting.store(false, Ordering::Relaxed);
        }
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.received += data.len() as u64;
            if self.received > self.limit {
                let limit = self.limit;
                return self.cut(Cut::TooLarge(limit));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.cut || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Problem {
    /// For an error while reading a request's body: 413 or 408 when a limit cut it off, else 400.
    pub fn unreadable_body(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            match error.downcast_ref() {
                Some(Cut::TooLarge(limit)) => {
                    return Self::new(Code::PayloadTooLarge, format!("the body must have at most {limit} bytes"));
                }
                Some(Cut::TooSlow(pace)) => return Self::slow_body(*pace),
                None => {}
            }
            // An `io::Error` hides what it wraps from `source`, which skips to the wrapped error's own source.
            let wrapped = error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
            cause = match wrapped {
                Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
                None => error.source(),
            };
        }
        Self::new(Code::BadRequest, "the body ended before it was complete")
    }

    fn slow_body(pace: Pace) -> Self {
        let (pause, rate) = (pace.pause.as_secs_f64(), pace.min_bytes_per_s);
        Self::new(
            Code::RequestTimeout,
            format!(
                "the body came too slowly: no part may take longer than {pause} s, and {rate} bytes a second are the least"
            ),
        )
    }

    /// 408 for a body that was not complete when the time for the whole request was over.
    pub(crate) fn late_body(limit: Duration) -> Self {
        let detail = format!("the body was not complete within {} s, the limit for the whole request", limit.as_secs());
        Self::new(Code::RequestTimeout, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_the_pause_until_the_average_falls_below_the_least() {
        let pace = Pace { pause: Duration::from_secs(20), min_bytes_per_s: 500 };
        let patience = |received, waited_s| pace.patience(received, Duration::from_secs(waited_s)).as_secs();
        assert_eq!(patience(0, 0), 20);
        assert_eq!(patience(0, 15), 5, "a byte now and then does not start the time anew");
        assert_eq!(patience(5_000, 15), 15);
        assert_eq!(patience(500_000, 900), 20);
        assert_eq!(patience(500_000, 1_020), 0);
        let any = Pace { min_bytes_per_s: 0, ..pace };
        assert_eq!(any.patience(1, Duration::from_secs(9_000)).as_secs(), 20);
    }
}
