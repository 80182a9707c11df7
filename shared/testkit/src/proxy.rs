//! A TCP proxy that simulates network faults.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::process::free_port;

/// The state of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkState {
    /// Everything is forwarded.
    Healthy,
    /// Every part of a response is delayed by this duration.
    Slow(Duration),
    /// Open connections are closed and new ones refused, as by a stopped server.
    Refused,
    /// A network partition: connections are accepted, but no byte is forwarded until the fault ends.
    Silent,
    /// Each connection is closed after this many response bytes, counted from the start of the fault.
    Truncated(usize),
}

/// A proxy on its own loopback port and thread.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    link: watch::Sender<NetworkState>,
}

impl Proxy {
    /// Starts a proxy for the server on loopback port `server`.
    pub fn start(server: u16) -> Self {
        let port = free_port();
        let (link, state) = watch::channel(NetworkState::Healthy);
        // Bound before the port is returned.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { serve(TcpListener::from_std(listener).unwrap(), port, server, state).await });
        });
        Self { port, link }
    }

    /// The port for clients.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes the state of the network, also for open connections.
    pub fn set(&self, link: NetworkState) {
        self.link.send_replace(link);
    }
}

/// Accepts connections until the proxy is dropped.
async fn serve(listener: TcpListener, port: u16, server: u16, mut state: watch::Receiver<NetworkState>) {
    let mut listener = Some(listener);
    loop {
        if *state.borrow_and_update() == NetworkState::Refused {
            // Only a port without a listener refuses connections.
            listener = None;
            if state.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = &listener else {
            // Another client may use the port for a moment.
            listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.ok();
            if listener.is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            continue;
        };
        tokio::select! {
            accepted = open.accept() => {
                let Ok((client, _)) = accepted else { continue };
                tokio::spawn(connect(client, server, state.clone()));
            }
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}

/// Forwards one connection.
async fn connect(client: TcpStream, server: u16, mut state: watch::Receiver<NetworkState>) {
    // A partition also delays the connection to the server.
    if state.wait_for(|link| *link != NetworkState::Silent).await.is_err() {
        return;
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server));
    let Ok(server) = TcpStream::connect(address).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // When one direction ends, both connections are closed.
    tokio::select! {
        () = pass(from_client, to_server, state.clone(), Direction::Request) => {}
        () = pass(from_server, to_client, state.clone(), Direction::Answer) => {}
        _ = state.wait_for(|link| *link == NetworkState::Refused) => {}
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Answer,
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<NetworkState>,
    direction: Direction,
) {
    let mut piece = vec![0; 64 << 10];
    let mut passed = 0;
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else { return };
        if state.wait_for(|link| *link != NetworkState::Silent).await.is_err() {
            return;
        }
        let link = *state.borrow();
        let mut allowed = length;
        match link {
            NetworkState::Slow(by) if direction == Direction::Answer => tokio::time::sleep(by).await,
            NetworkState::Truncated(limit) if direction == Direction::Answer => {
                allowed = length.min(limit.saturating_sub(passed));
                passed += allowed;
            }
            NetworkState::Healthy
            | NetworkState::Slow(_)
            | NetworkState::Refused
            | NetworkState::Silent
            | NetworkState::Truncated(_) => passed = 0,
        }
        if to.write_all(&piece[..allowed]).await.is_err() || allowed < length {
            return;
        }
    }
}
