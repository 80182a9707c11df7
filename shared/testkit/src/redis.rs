//! A private Redis.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::authority::Authority;
use crate::folder::temporary_folder;
use crate::process::{ChildGuard, free_port, spawn_guarded};
use crate::wait::wait_until;

/// A running `redis-server` with an append-only file, so that data survives a restart.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    folder: TempDir,
    options: Vec<String>,
    tls: bool,
    process: Option<ChildGuard>,
}

/// The Redis of all tests of this process; each test uses its own key prefix.
pub fn redis() -> &'static RedisServer {
    static SERVER: OnceLock<RedisServer> = OnceLock::new();
    SERVER.get_or_init(RedisServer::start)
}

impl RedisServer {
    /// Starts a separate server, for tests that break it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with additional command-line options.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        Self::launch(options, false)
    }

    /// Starts a server that accepts only TLS, with a certificate of `authority`.
    pub fn start_with_tls(authority: &Authority) -> Self {
        let path = |file: PathBuf| file.to_str().unwrap().to_owned();
        let (ca, certificate, key) = (path(authority.ca()), path(authority.certificate()), path(authority.key()));
        let options = ["--tls-auth-clients", "no", "--tls-ca-cert-file", &ca, "--tls-cert-file", &certificate];
        Self::launch(&[&options[..], &["--tls-key-file", &key]].concat(), true)
    }

    fn launch(options: &[&str], tls: bool) -> Self {
        let folder = temporary_folder("redis");
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self { port: free_port(), folder, options, tls, process: None };
        server.resume();
        server
    }

    /// The URL for clients.
    pub fn url(&self) -> String {
        format!("redis{}://127.0.0.1:{}", if self.tls { "s" } else { "" }, self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends a signal, such as `libc::SIGSTOP`.
    pub fn signal(&self, signal: i32) {
        self.process.as_ref().unwrap().signal(signal);
    }

    /// Kills the server, as a crash does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts the server again, with the same port and data.
    pub fn resume(&mut self) {
        let mut command = Command::new("redis-server");
        if self.tls {
            command.args(["--port", "0", "--tls-port"]);
        } else {
            command.arg("--port");
        }
        command.arg(self.port.to_string());
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]).args(&self.options);
        command.arg("--dir").arg(self.folder.path()).stdout(Stdio::null());
        self.process = Some(spawn_guarded(command, libc::SIGTERM));
        wait_until("Redis answers", Duration::from_secs(20), || self.answers());
    }

    /// Starts the server again, with the same port and without data.
    pub fn resume_empty(&mut self) {
        for file in std::fs::read_dir(self.folder.path()).unwrap().flatten() {
            let path = file.path();
            if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
        }
        self.resume();
    }

    /// The output of `redis-cli` for a command.
    pub fn cli(&self, arguments: &[&str]) -> String {
        cli(self.port, arguments)
    }

    fn answers(&self) -> Option<()> {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        if self.tls {
            return Some(());
        }
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        stream.write_all(b"PING\r\n").ok()?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).ok()?;
        (&answer == b"+PONG\r\n").then_some(())
    }
}

/// The output of `redis-cli` for a command to a port.
pub(crate) fn cli(port: u16, arguments: &[&str]) -> String {
    let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
