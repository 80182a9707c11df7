//! Serves a router on a socket, with a graceful shutdown.
//!
//! [`ServeLimits`] bounds the number of connections, how long a connection may be idle, and how long a response may wait
//! for its client to read. So no client can hold a connection for ever.

mod activity;
mod admission;
mod connection;
mod host_header;
mod limits;
mod response_body;
mod write_deadline;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use admission::Admission;
use connection::Connections;
pub(crate) use host_header::InvalidHead;
pub use limits::{Exempt, ServeLimits};

/// The pause after a failed accept, for example while the process has no free file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `shutdown`. Then it closes the listener, waits up to `deadline` for active requests, and closes the
/// remaining connections.
///
/// # Errors
/// None at present: an error on a connection ends the connection.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    deadline: Duration,
    limits: ServeLimits,
) -> io::Result<()> {
    let tasks = TaskTracker::new();
    let admission = Arc::new(Admission::new(&limits));
    let connections = Arc::new(Connections::new(router, limits, shutdown.clone()));
    while let Some((stream, peer)) = accept(&listener, &shutdown).await {
        // Dropping the stream closes a refused connection.
        if let Some(permit) = admission.admit(peer.ip()) {
            tasks.spawn(connections.clone().serve(stream, peer, permit));
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(deadline, tasks.wait()).await.is_err() {
        tracing::warn!(
            connections = tasks.len(),
            "the shutdown deadline has passed; closing the remaining connections"
        );
        connections.abort.cancel();
        tasks.wait().await;
    }
    Ok(())
}

/// The next connection, or `None` after `shutdown`.
async fn accept(listener: &TcpListener, shutdown: &CancellationToken) -> Option<(TcpStream, SocketAddr)> {
    let next = async {
        loop {
            match listener.accept().await {
                Ok(accepted) => return accepted,
                // The client closed the connection before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    admission::log_at_most_once_a_second(|| {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "failed to accept a connection");
                    });
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = shutdown.cancelled() => None,
        next = next => Some(next),
    }
}
