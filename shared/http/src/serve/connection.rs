//! One connection, from its first byte to its end.

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

use super::activity::{Activity, Overdue};
use super::admission::{Admitted, dropped};
use super::limits::ServeLimits;
use super::outgoing::{InProgress, Outgoing};
use super::requests;
use super::write_deadline::WriteDeadline;

/// How long a client may take to close a connection that it was asked to close.
const GOODBYE: Duration = Duration::from_secs(5);
/// Most bytes of answers that one HTTP/2 request holds back for its client.
const SEND_BUFFER: usize = 64 * 1024;
/// Requests of one HTTP/2 connection that were reset by the client and not yet noticed, and those that had to be reset
/// because of the client's errors; a connection with more is closed (CVE-2023-44487).
const MAX_RESETS: usize = 64;

/// What all connections of a server share.
pub(super) struct Connections {
    router: Router,
    limits: ServeLimits,
    builder: Builder<TokioExecutor>,
    draining: CancellationToken,
    /// Cancelled when every connection has to end at once.
    pub(super) kill: CancellationToken,
}

impl Connections {
    pub(super) fn new(router: Router, limits: ServeLimits, draining: CancellationToken) -> Self {
        let builder = builder(&limits);
        Self { router, limits, builder, draining, kill: CancellationToken::new() }
    }

    /// Serves one connection to its end.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, _admitted: Admitted) {
        // Answers are small and complete; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let activity = Arc::new(Activity::new());
        let service = {
            let (router, activity) = (self.router.clone(), activity.clone());
            hyper::service::service_fn(move |request| answer(router.clone(), request, peer, &activity))
        };
        let io = WriteDeadline::new(stream, self.limits.write_timeout);
        let mut connection = pin!(self.builder.serve_connection(io, service));
        let mut overdue = pin!(activity.overdue(&self.limits));
        let mut asked_to_close = false;
        loop {
            tokio::select! {
                // Errors here are the client's: a reset, a timeout, bytes that are not HTTP.
                _ = connection.as_mut() => return,
                () = self.kill.cancelled() => return,
                () = self.draining.cancelled(), if !asked_to_close => {
                    asked_to_close = true;
                    connection.as_mut().graceful_shutdown();
                }
                overdue = &mut overdue => match overdue {
                    Overdue::NoRequest => return dropped("head_timeout"),
                    Overdue::NotRead => return dropped("write_timeout"),
                    Overdue::Idle => {
                        connection.as_mut().graceful_shutdown();
                        // A request that comes at this moment is answered within the same time.
                        let _ = tokio::time::timeout(GOODBYE, connection).await;
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
        // The buffer holds a head as a whole, so its size is the limit on heads.
        .max_buf_size(limits.max_head_bytes as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.idle_timeout)
        .keep_alive_timeout(limits.idle_timeout)
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(limits.max_head_bytes)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS);
    builder
}

fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    activity: &Arc<Activity>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + use<> {
    let in_progress = match request.version() {
        Version::HTTP_2 => Some(InProgress::begin(activity.clone())),
        _ => {
            activity.http1_request();
            None
        }
    };
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    requests::mark_if_refused(&mut request);
    async move {
        let response = router.oneshot(request).await?;
        Ok(match in_progress {
            Some(in_progress) => response.map(|body| Body::new(Outgoing::new(body, in_progress))),
            None => response,
        })
    }
}
