//! The body of an answer over HTTP/2.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::activity::Activity;

/// hyper puts a frame into its buffer as a whole, however little the client may take of it.
const MAX_FRAME: usize = 64 * 1024;

/// One request of an HTTP/2 connection, in progress for as long as this lives.
pub(super) struct InProgress(Arc<Activity>);

impl InProgress {
    pub(super) fn begin(activity: Arc<Activity>) -> Self {
        activity.begin_http2_request();
        Self(activity)
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.end_http2_request();
    }
}

/// Hands out small frames, so that an answer is asked for more only when its client has room, and notes when it is not
/// asked.
pub(super) struct Outgoing {
    body: Body,
    /// What is left of a frame that was too large.
    rest: Bytes,
    slot: Option<usize>,
    request: InProgress,
}

impl Outgoing {
    pub(super) fn new(body: Body, request: InProgress) -> Self {
        Self { body, rest: Bytes::new(), slot: None, request }
    }

    fn go_on(&mut self) {
        if let Some(slot) = self.slot {
            self.request.0.go_on(slot);
        }
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.go_on();
        if self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(MAX_FRAME);
        let data = self.rest.split_to(length);
        if !self.is_end_stream() {
            let slot = self.request.0.wait(self.slot);
            self.slot = Some(slot);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, inner) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper().and_then(|upper| upper.checked_add(rest)) {
            hint.set_upper(upper);
        }
        hint
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.go_on();
    }
}
