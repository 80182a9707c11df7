//! Serves one connection.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::activity::{Activity, CloseReason};
use super::admission::{ConnectionPermit, dropped};
use super::host_header;
use super::limits::{MAX_HEAD_BYTES, MAX_STREAMS, ServeLimits};
use super::response_body::{ActiveRequest, ResponseBody};
use super::write_deadline::WriteDeadline;

/// How long a client may take to close a connection after GOAWAY.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes that hyper buffers for one HTTP/2 stream.
const SEND_BUFFER: usize = 64 * 1024;
/// Most streams of one HTTP/2 connection that the client has reset before they were accepted, and most streams that the
/// server has reset because of client errors. A connection with more is closed (CVE-2023-44487).
const MAX_RESETS: usize = 64;

/// The state that all connections of a server share.
pub(super) struct Connections {
    router: Router,
    limits: ServeLimits,
    builder: Builder<TokioExecutor>,
    draining: CancellationToken,
    /// Cancelled when all connections must end immediately.
    pub(super) abort: CancellationToken,
}

impl Connections {
    pub(super) fn new(router: Router, limits: ServeLimits, draining: CancellationToken) -> Self {
        let builder = builder(&limits);
        Self { router, limits, builder, draining, abort: CancellationToken::new() }
    }

    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, _permit: ConnectionPermit) {
        // Responses are written as a whole, so Nagle's algorithm would only delay them.
        let _ = stream.set_nodelay(true);
        let activity = Arc::new(Activity::new());
        let service = {
            let (router, activity) = (self.router.clone(), activity.clone());
            hyper::service::service_fn(move |request| respond(router.clone(), request, peer, &activity))
        };
        let io = WriteDeadline::new(stream, self.limits.write_timeout);
        let mut connection = pin!(self.builder.serve_connection(io, service));
        let mut until_close = pin!(activity.until_close(&self.limits));
        let mut shutting_down = false;
        loop {
            tokio::select! {
                // An error here is caused by the client: a reset, a timeout, or invalid HTTP.
                _ = connection.as_mut() => return,
                () = self.abort.cancelled() => return,
                () = self.draining.cancelled(), if !shutting_down => {
                    shutting_down = true;
                    connection.as_mut().graceful_shutdown();
                }
                reason = &mut until_close => match reason {
                    CloseReason::NoRequest => return dropped("head_timeout"),
                    CloseReason::NotRead => return dropped("write_timeout"),
                    CloseReason::Idle => {
                        connection.as_mut().graceful_shutdown();
                        // A request that arrives at this moment is still answered.
                        let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection).await;
                        return;
                    }
                }
            }
        }
    }
}

fn builder(limits: &ServeLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle_timeout)
        // The buffer must hold a whole head, so its size limits heads.
        .max_buf_size(MAX_HEAD_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.idle_timeout)
        .keep_alive_timeout(limits.idle_timeout)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS);
    builder
}

fn respond(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    activity: &Arc<Activity>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + use<> {
    let active = match request.version() {
        Version::HTTP_2 => Some(ActiveRequest::begin(activity.clone())),
        _ => {
            activity.http1_request();
            None
        }
    };
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    host_header::mark_if_invalid(&mut request);
    async move {
        let response = router.oneshot(request).await?;
        Ok(match active {
            Some(active) => response.map(|body| Body::new(ResponseBody::new(body, active))),
            None => response,
        })
    }
}
