//! A private Redis.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::folder::temporary_folder;
use crate::process::{Tied, free_port, spawn_tied};
use crate::wait::wait_until;

/// A running `redis-server` with an append-only file, so that a restart finds its data again.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    folder: TempDir,
    process: Option<Tied>,
}

/// The Redis that all tests of this process share; tell them apart by key prefix.
pub fn redis() -> &'static RedisServer {
    static SERVER: OnceLock<RedisServer> = OnceLock::new();
    SERVER.get_or_init(RedisServer::start)
}

impl RedisServer {
    /// Starts one of your own, for tests that break it.
    pub fn start() -> Self {
        let folder = temporary_folder("redis");
        let mut server = Self { port: free_port(), folder, process: None };
        server.resume();
        server
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends a signal to the server, such as `libc::SIGSTOP`.
    pub fn signal(&self, signal: i32) {
        self.process.as_ref().unwrap().signal(signal);
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on the same port with the same data.
    pub fn resume(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
        command.arg("--dir").arg(self.folder.path()).stdout(Stdio::null());
        self.process = Some(spawn_tied(command, libc::SIGTERM));
        wait_until("Redis answers", Duration::from_secs(20), || self.answers());
    }

    /// Starts it again on the same port with nothing in it, as a server that keeps its data in memory alone.
    pub fn resume_empty(&mut self) {
        for file in std::fs::read_dir(self.folder.path()).unwrap().flatten() {
            let path = file.path();
            if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
        }
        self.resume();
    }

    /// What `redis-cli` answers to a command.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-u", &self.url()]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn answers(&self) -> Option<()> {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        stream.write_all(b"PING\r\n").ok()?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).ok()?;
        (&answer == b"+PONG\r\n").then_some(())
    }
}
