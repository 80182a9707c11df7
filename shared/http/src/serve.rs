//! Serves a router on a socket, and stops without breaking off an answer.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// Limits of a server. The defaults suit production.
#[derive(Debug, Clone, Copy)]
pub struct ServeLimits {
    /// Longest time for a request's head to arrive. HTTP/1 counts it from the end of the answer before, so it also
    /// ends idle connections; clients keep theirs open for about this long.
    pub head_timeout: Duration,
    /// Most connections at once; more wait in the listener's backlog.
    pub max_connections: usize,
    /// Most requests at once on one HTTP/2 connection.
    pub max_streams: u32,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self { head_timeout: Duration::from_secs(30), max_connections: 10_000, max_streams: 256 }
    }
}

/// How long to let the system recover when it has no more file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `shutdown`; then accepts no more, lets running requests finish within `deadline`, and closes
/// what is left.
///
/// # Errors
/// None today: what goes wrong on a connection ends that connection.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    deadline: Duration,
) -> io::Result<()> {
    serve_with(listener, router, shutdown, deadline, ServeLimits::default()).await
}

/// [`serve`] with limits of its own.
///
/// # Errors
/// As [`serve`].
pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    deadline: Duration,
    limits: ServeLimits,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let server =
        Server { router, builder: builder(limits), draining: shutdown.clone(), kill: CancellationToken::new() };
    let permits = Arc::new(Semaphore::new(limits.max_connections));
    while let Some((stream, peer, permit)) = accept(&listener, &permits, &shutdown).await {
        connections.spawn(server.clone().connection(stream, peer, permit));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(deadline, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "closing connections that did not finish in time");
        server.kill.cancel();
        connections.wait().await;
    }
    Ok(())
}

fn builder(limits: ServeLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.head_timeout)
        .keep_alive_timeout(limits.head_timeout)
        .max_concurrent_streams(limits.max_streams);
    builder
}

/// The next connection, or `None` once it is time to stop.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let next = async {
        let permit = permits.clone().acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return Some((stream, peer, permit)),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = shutdown.cancelled() => None,
        next = next => next,
    }
}

#[derive(Clone)]
struct Server {
    router: Router,
    builder: Builder<TokioExecutor>,
    draining: CancellationToken,
    kill: CancellationToken,
}

impl Server {
    async fn connection(self, stream: TcpStream, peer: SocketAddr, _permit: OwnedSemaphorePermit) {
        // Answers are small and complete; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let router = self.router;
        let service =
            hyper::service::service_fn(move |request: Request<Incoming>| answer(router.clone(), request, peer));
        let mut connection = pin!(self.builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let mut asked_to_finish = false;
        loop {
            tokio::select! {
                // Errors here are the client's: a reset, a timeout, bytes that are not HTTP.
                _ = connection.as_mut() => return,
                () = self.kill.cancelled() => return,
                () = self.draining.cancelled(), if !asked_to_finish => {
                    asked_to_finish = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

async fn answer(router: Router, request: Request<Incoming>, peer: SocketAddr) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request).await
}
