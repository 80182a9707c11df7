//! Reads on, within bounds, what a client is still sending after it was refused.
//!
//! Closing a connection with unread bytes makes the kernel reset it, and the client may lose the answer (a 401 or a
//! 413) that is already on its way (RFC 9112, section 9.6). So a body that the handler left is read and thrown away.

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

/// hyper itself finishes a body that is this short.
const SHORT: u64 = 16 * 1024;
/// Most bytes that are thrown away for one request.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longest time spent on it.
const MAX_TIME: Duration = Duration::from_secs(5);

/// What is left of a request's body once the handler is done with it.
#[derive(Default)]
pub(crate) struct Unread(Arc<Mutex<Option<Body>>>);

/// Wraps a body so that what is not read of it comes back.
pub(crate) fn watch(request: Request) -> (Request, Unread) {
    let unread = Unread::default();
    let short = http_body::Body::size_hint(request.body()).upper().is_some_and(|bytes| bytes <= SHORT);
    // A client that waits for `100 Continue` has sent nothing yet; reading would ask it to.
    if short || request.headers().contains_key(EXPECT) {
        return (request, unread);
    }
    let slot = unread.0.clone();
    (request.map(|body| Body::new(Watched { body: Some(body), slot })), unread)
}

impl Unread {
    /// Throws the rest away in the background, while the answer goes out.
    pub(crate) fn drain(self) {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(body) = body {
            tokio::spawn(tokio::time::timeout(MAX_TIME, discard(body)));
        }
    }
}

async fn discard(mut body: Body) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > MAX_BYTES {
            return;
        }
    }
}

struct Watched {
    body: Option<Body>,
    slot: Arc<Mutex<Option<Body>>>,
}

impl http_body::Body for Watched {
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

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !http_body::Body::is_end_stream(body)) {
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
