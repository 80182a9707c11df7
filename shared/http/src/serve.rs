//! Serves a router on a socket, and stops without breaking off an answer.
//!
//! Nothing a client does, or leaves undone, may hold a connection for ever: [`ServeLimits`] bounds how many there are, how
//! long each may be silent, and how long an answer may wait for its reader.

mod activity;
mod admission;
mod connection;
mod limits;
mod outgoing;
mod requests;
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
pub use limits::{Exempt, ServeLimits};
pub(crate) use requests::Refused;

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
    let tasks = TaskTracker::new();
    let admission = Arc::new(Admission::new(&limits));
    let connections = Arc::new(Connections::new(router, limits, shutdown.clone()));
    while let Some((stream, peer)) = accept(&listener, &shutdown).await {
        // A refused connection is closed by being dropped.
        if let Some(admitted) = admission.admit(peer.ip()) {
            tasks.spawn(connections.clone().serve(stream, peer, admitted));
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(deadline, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "closing connections that did not finish in time");
        connections.kill.cancel();
        tasks.wait().await;
    }
    Ok(())
}

/// The next connection, or `None` once it is time to stop.
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
                        tracing::warn!(error, "a connection could not be accepted");
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
