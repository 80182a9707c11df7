//! The body of an HTTP/2 response.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::activity::Activity;

/// Largest frame. hyper buffers a whole frame, even where the client's window is smaller.
const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Counts one HTTP/2 request as active until it is dropped.
pub(super) struct ActiveRequest(Arc<Activity>);

impl ActiveRequest {
    pub(super) fn begin(activity: Arc<Activity>) -> Self {
        activity.begin_http2_request();
        Self(activity)
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.end_http2_request();
    }
}

/// Splits a body into small frames, so that hyper polls for the next frame only when the client's window is open. The time
/// between two polls is the time that the response waits for its client.
pub(super) struct ResponseBody {
    body: Body,
    /// The rest of a frame that exceeded the largest size.
    rest: Bytes,
    /// The index of the last wait in [`Activity`].
    wait_index: Option<usize>,
    request: ActiveRequest,
}

impl ResponseBody {
    pub(super) fn new(body: Body, request: ActiveRequest) -> Self {
        Self { body, rest: Bytes::new(), wait_index: None, request }
    }

    fn end_wait(&mut self) {
        if let Some(index) = self.wait_index {
            self.request.0.end_wait(index);
        }
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.end_wait();
        if self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(MAX_FRAME_BYTES);
        let data = self.rest.split_to(length);
        if !self.is_end_stream() {
            let index = self.request.0.begin_wait(self.wait_index);
            self.wait_index = Some(index);
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

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.end_wait();
    }
}
