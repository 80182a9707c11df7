//! The other queues: installed from `bench/peers/` with pinned versions, and started one at a time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;
use trainyard_testkit::{ChildGuard, JWT_SECRET, free_port, spawn_guarded};

use crate::process::{stop, tail, wait_ready};
use crate::servers::{Progress, Servers};

/// The installed peers.
#[derive(Debug)]
pub(crate) struct Peers {
    folder: PathBuf,
    scratch: TempDir,
}

/// A running peer.
#[derive(Debug)]
pub(crate) struct Peer {
    process: ChildGuard,
    pub(crate) port: u16,
    log: PathBuf,
}

impl Peer {
    /// Stops the peer and its children.
    pub(crate) fn stop(self) {
        stop(self.process);
    }

    /// The output of the peer.
    ///
    /// # Errors
    /// If the file can't be read.
    pub(crate) fn printed(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.log.with_extension("out"))?)
    }

    /// The progress in the output.
    pub(crate) fn progress(&self) -> Progress {
        Progress(self.log.with_extension("out"))
    }
}

impl Peers {
    /// Installs the peers into `folder` unless the pinned versions are installed.
    ///
    /// # Errors
    /// If npm or pip fails.
    pub(crate) fn install(folder: &Path) -> anyhow::Result<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let mut pinned = String::new();
        for file in FILES {
            let target = folder.join(file);
            std::fs::create_dir_all(target.parent().context("a parent")?)?;
            let text = std::fs::read_to_string(source.join(file)).with_context(|| format!("bench/peers/{file}"))?;
            std::fs::write(&target, &text)?;
            if file.ends_with("package-lock.json") || file.ends_with("requirements.txt") {
                pinned.push_str(&text);
            }
        }
        let stamp = folder.join("installed");
        if std::fs::read_to_string(&stamp).ok().as_ref() != Some(&pinned) {
            eprintln!("installing the peers into {}", folder.display());
            // Node.js is one of the packages, so that every machine measures the same version. `npm ci` would require
            // packages of other operating systems; `npm install` also respects the versions in the lock file.
            run(
                folder,
                "npm",
                &["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
            )?;
            run(folder, "python3", &["-m", "venv", "--clear", "venv"])?;
            run(folder, "venv/bin/pip", &["install", "--quiet", "--no-deps", "-r", "arq/requirements.txt"])?;
            std::fs::write(&stamp, &pinned)?;
        }
        Ok(Self { folder: folder.to_owned(), scratch: tempfile::tempdir()? })
    }

    /// The installed versions, for the report.
    ///
    /// # Errors
    /// If a program does not print its version.
    pub(crate) fn versions(&self) -> anyhow::Result<String> {
        let lock: serde_json::Value = serde_json::from_slice(&std::fs::read(self.folder.join("package-lock.json"))?)?;
        let node = ["fastify", "bullmq", "pg-boss", "graphile-worker"].map(|name| {
            let version = lock["packages"][format!("node_modules/{name}")]["version"].as_str().unwrap_or("?");
            format!("{name} {version}")
        });
        let requirements = std::fs::read_to_string(self.folder.join("arq/requirements.txt"))?;
        let python = requirements.lines().filter_map(|line| line.split_once("=="));
        let python = python.filter(|(name, _)| ["fastapi", "arq", "uvicorn", "uvloop", "httptools"].contains(name));
        let python: Vec<_> = python.map(|(name, version)| format!("{name} {version}")).collect();
        let version_of = |program: &Path| {
            let output = Command::new(program).arg("--version").output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let (node_js, python_itself) = (version_of(&self.node())?, version_of(&self.python())?);
        Ok(format!("{} on Node.js {node_js}; {} on {python_itself}", node.join(", "), python.join(", ")))
    }

    /// FastAPI + arq on uvicorn with two workers, uvloop and httptools.
    ///
    /// # Errors
    /// If the peer does not start.
    pub(crate) fn arq(&self, servers: &Servers) -> anyhow::Result<Peer> {
        let port = free_port();
        let mut command = self.command(&self.folder.join("venv/bin/uvicorn"), servers);
        command.args(["app:app", "--app-dir", "arq", "--workers", "2", "--loop", "uvloop", "--http", "httptools"]);
        command.args(["--no-access-log", "--log-level", "warning", "--host", "127.0.0.1", "--port", &port.to_string()]);
        self.serve("arq", command, port)
    }

    /// Fastify + BullMQ in two processes.
    ///
    /// # Errors
    /// If the peer does not start.
    pub(crate) fn bullmq(&self, servers: &Servers, pickup: bool) -> anyhow::Result<Peer> {
        let port = free_port();
        let mut command = self.command(&self.node(), servers);
        command.arg("bullmq/server.js").env("PORT", port.to_string());
        if pickup {
            command.env("PICKUP", "1");
        }
        self.serve("bullmq", command, port)
    }

    /// A BullMQ worker that prints the latency of each job.
    ///
    /// # Errors
    /// If the worker can't be started.
    pub(crate) fn bullmq_worker(&self, servers: &Servers) -> anyhow::Result<Peer> {
        let mut command = self.command(&self.node(), servers);
        command.arg("bullmq/worker.js");
        self.spawn("bullmq-worker", command, 0)
    }

    /// Inserts `jobs` jobs into the queue of a peer. `script` is one of [`FILES`] with the commands `preload` and `drain`.
    ///
    /// # Errors
    /// The output of the peer.
    pub(crate) fn preload(
        &self,
        script: &str,
        servers: &Servers,
        settings: &[(&str, &str)],
        jobs: u64,
    ) -> anyhow::Result<()> {
        let mut command = self.script(script, servers, settings);
        let output = command.args(["preload", &jobs.to_string()]).output()?;
        ensure!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Starts one worker process of a peer.
    ///
    /// # Errors
    /// If the worker can't be started.
    pub(crate) fn drain(&self, script: &str, servers: &Servers, settings: &[(&str, &str)]) -> anyhow::Result<Peer> {
        let mut command = self.script(script, servers, settings);
        command.arg("drain");
        self.spawn(&script.replace('/', "-"), command, 0)
    }

    fn script(&self, script: &str, servers: &Servers, settings: &[(&str, &str)]) -> Command {
        let program = if script.ends_with(".py") { self.python() } else { self.node() };
        let mut command = self.command(&program, servers);
        command.arg(script).envs(settings.iter().copied());
        command
    }

    fn serve(&self, name: &str, command: Command, port: u16) -> anyhow::Result<Peer> {
        let mut peer = self.spawn(name, command, port)?;
        wait_ready(&mut peer.process, port, &peer.log).with_context(|| tail(&peer.log))?;
        Ok(peer)
    }

    fn spawn(&self, name: &str, mut command: Command, port: u16) -> anyhow::Result<Peer> {
        let log = self.scratch.path().join(format!("{name}.log"));
        command.stdout(File::create(log.with_extension("out"))?).stderr(File::create(&log)?);
        Ok(Peer { process: spawn_guarded(command, libc::SIGTERM), port, log })
    }

    fn command(&self, program: &Path, servers: &Servers) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.env("REDIS_URL", servers.redis.url()).env("JWT_SECRET", JWT_SECRET).env("NODE_ENV", "production");
        command
    }

    /// The installed Python.
    fn python(&self) -> PathBuf {
        self.folder.join("venv/bin/python")
    }

    /// The installed Node.js.
    fn node(&self) -> PathBuf {
        let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
        self.folder.join(format!("node_modules/node-linux-{machine}/bin/node"))
    }
}

const FILES: [&str; 10] = [
    "package.json",
    "package-lock.json",
    "arq/app.py",
    "arq/requirements.txt",
    "arq/spin.py",
    "bullmq/server.js",
    "bullmq/spin.js",
    "bullmq/worker.js",
    "pgboss/noop.js",
    "graphile/noop.js",
];

fn run(folder: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let program = if program.contains('/') { folder.join(program) } else { program.into() };
    let status = Command::new(&program).args(arguments).current_dir(folder).status();
    let status = status.with_context(|| format!("{} is installed by `make bench-queue`", program.display()))?;
    ensure!(status.success(), "{} {} failed", program.display(), arguments.join(" "));
    Ok(())
}
