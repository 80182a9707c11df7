//! A TCP proxy in front of a server, which breaks the network between the two on demand.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::process::free_port;

/// What the proxy does with what passes through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Passes everything on.
    Sound,
    /// Holds every piece of an answer back for so long.
    Slow(Duration),
    /// Cuts the connections there are and refuses new ones, as a server that is down.
    Refused,
    /// Keeps connections and takes new ones, but not a byte arrives: a partition. What was sent arrives when it heals.
    Silent,
    /// Ends each connection after so many bytes of answers, counted from when the fault began.
    Truncated(usize),
}

/// A proxy on a loopback port of its own, on a thread of its own.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    link: watch::Sender<Link>,
}

impl Proxy {
    /// Starts one in front of the server on loopback port `server`.
    pub fn start(server: u16) -> Self {
        let port = free_port();
        let (link, state) = watch::channel(Link::Sound);
        // Bound before anybody is told the port.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { serve(TcpListener::from_std(listener).unwrap(), port, server, state).await });
        });
        Self { port, link }
    }

    /// Where clients connect.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes how the link behaves from now on, for the connections there are too.
    pub fn set(&self, link: Link) {
        self.link.send_replace(link);
    }
}

/// Accepts until the proxy is dropped.
async fn serve(listener: TcpListener, port: u16, server: u16, mut state: watch::Receiver<Link>) {
    let mut listener = Some(listener);
    loop {
        if *state.borrow_and_update() == Link::Refused {
            // A port that nobody listens on is what refuses.
            listener = None;
            if state.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = &listener else {
            // The port may be a passing client's for a moment.
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

/// One connection, from its first byte to its last.
async fn connect(client: TcpStream, server: u16, mut state: watch::Receiver<Link>) {
    // A partition also keeps the two from meeting.
    if state.wait_for(|link| *link != Link::Silent).await.is_err() {
        return;
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server));
    let Ok(server) = TcpStream::connect(address).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // When one direction ends, dropping both ends the connection for both sides.
    tokio::select! {
        () = pass(from_client, to_server, state.clone(), Direction::Request) => {}
        () = pass(from_server, to_client, state.clone(), Direction::Answer) => {}
        _ = state.wait_for(|link| *link == Link::Refused) => {}
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Answer,
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<Link>, direction: Direction) {
    let mut piece = vec![0; 64 << 10];
    let mut passed = 0;
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else { return };
        if state.wait_for(|link| *link != Link::Silent).await.is_err() {
            return;
        }
        let link = *state.borrow();
        let mut allowed = length;
        match link {
            Link::Slow(by) if direction == Direction::Answer => tokio::time::sleep(by).await,
            Link::Truncated(limit) if direction == Direction::Answer => {
                allowed = length.min(limit.saturating_sub(passed));
                passed += allowed;
            }
            Link::Sound | Link::Slow(_) | Link::Refused | Link::Silent | Link::Truncated(_) => passed = 0,
        }
        if to.write_all(&piece[..allowed]).await.is_err() || allowed < length {
            return;
        }
    }
}
