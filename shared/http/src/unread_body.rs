//! Reads and discards the rest of a body that the handler did not read.
//!
//! The kernel resets a connection that is closed with unread bytes, and the client may lose the response, such as a 401
//! or a 413 (RFC 9112, section 9.6).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::header::EXPECT;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

/// hyper itself reads the rest of a body of at most this length.
const SHORT_BYTES: u64 = 16 * 1024;
const MAX_BYTES: usize = 16 * 1024 * 1024;
const MAX_TIME: Duration = Duration::from_secs(5);

/// The rest of a request's body, once the handler has returned. `None` where nothing is kept.
pub(crate) struct UnreadBody(Option<Arc<Mutex<Option<Body>>>>);

/// Wraps a body so that its unread rest is kept.
pub(crate) fn keep_unread(request: Request) -> (Request, UnreadBody) {
    let short = http_body::Body::size_hint(request.body()).upper().is_some_and(|bytes| bytes <= SHORT_BYTES);
    // A client that waits for `100 Continue` has sent nothing yet. Reading the body would send `100 Continue`.
    if short || request.headers().contains_key(EXPECT) {
        return (request, UnreadBody(None));
    }
    let slot = Arc::default();
    let unread = UnreadBody(Some(Arc::clone(&slot)));
    (request.map(|body| Body::new(KeptBody { body: Some(body), slot })), unread)
}

impl UnreadBody {
    /// Discards the rest in the background, while the response is sent.
    pub(crate) fn discard(self) {
        let Some(slot) = self.0 else { return };
        let body = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(body) = body {
            tokio::spawn(tokio::time::timeout(MAX_TIME, read_to_end(body)));
        }
    }
}

async fn read_to_end(mut body: Body) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > MAX_BYTES {
            return;
        }
    }
}

struct KeptBody {
    body: Option<Body>,
    slot: Arc<Mutex<Option<Body>>>,
}

impl http_body::Body for KeptBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(http_body::Body::size_hint).unwrap_or_default()
    }
}

impl Drop for KeptBody {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !http_body::Body::is_end_stream(body)) {
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
