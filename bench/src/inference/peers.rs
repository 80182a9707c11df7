//! The other servers: `scripts/ensure` installs them with pinned versions into `target/tools/`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::ensure;
use serde_json::Value;
use tempfile::TempDir;
use trainyard_testkit::{free_port, spawn_guarded};

use super::contender::{Contender, Running};
use super::protocol::Protocol;
use super::table;
use crate::process::wait_answered;

/// The installed servers, and the forest that scikit-learn has trained for them.
#[derive(Debug)]
pub(crate) struct Peers {
    tools: PathBuf,
    source: PathBuf,
    scratch: TempDir,
    /// The size and the accuracy of the forest, or why there is none.
    forest: Result<Value, String>,
}

impl Peers {
    /// Trains the forest of the peers on the rows of `table`, if `wanted`.
    ///
    /// # Errors
    /// If a folder can't be created. A missing program is found by [`Peers::start`].
    pub(crate) fn prepare(table: &str, wanted: bool) -> anyhow::Result<Self> {
        let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scratch = tempfile::Builder::new().prefix("trainyard-bench-").tempdir()?;
        let mut peers = Self {
            tools: bench.join("../target/tools"),
            source: bench.join("peers/serving"),
            scratch,
            forest: Err("no peer is measured".to_owned()),
        };
        if wanted {
            std::fs::write(peers.scratch.path().join("table.csv"), table)?;
            peers.forest = peers.train().map_err(|error| format!("{error:#}").replace('\n', " "));
        }
        Ok(peers)
    }

    fn train(&self) -> anyhow::Result<Value> {
        let folder = self.scratch.path();
        let mut command = Command::new(self.program("fastapi", "python")?);
        command.arg(self.source.join("train.py")).arg("--table").arg(folder.join("table.csv")).arg("--out").arg(folder);
        let output = command.stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "train.py: {}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Number of nodes and accuracy of the forest; `None` without peers.
    pub(crate) fn forest(&self) -> Option<(u64, f64)> {
        let forest = self.forest.as_ref().ok()?;
        Some((forest["nodes"].as_u64()?, forest["accuracy"].as_f64()?))
    }

    /// The pinned versions of the installed servers, for the report.
    pub(crate) fn versions(&self) -> String {
        const SHOWN: [&str; 7] =
            ["fastapi", "uvicorn", "scikit-learn", "onnxruntime", "mlserver", "mlserver-sklearn", "nvidia-pytriton"];
        let installed = |name: &str| {
            let packages = std::fs::read_to_string(self.tools.join(format!("serving-{name}/installed"))).ok()?;
            let versions = packages.split_whitespace().filter_map(|package| package.split_once("=="));
            let shown = versions.filter(|(package, _)| SHOWN.contains(package));
            Some(shown.map(|(package, version)| format!("{package} {version}")).collect::<Vec<_>>().join(", "))
        };
        let found: Vec<_> = ["fastapi", "mlserver", "triton"].into_iter().filter_map(installed).collect();
        if found.is_empty() { "none is installed".to_owned() } else { found.join("; ") }
    }

    /// Starts a server, and waits for its first prediction.
    ///
    /// # Errors
    /// If the server is not installed or does not answer.
    pub(crate) fn start(&self, peer: Contender) -> anyhow::Result<Running> {
        self.forest.as_ref().map_err(|error| anyhow::anyhow!("its forest was not trained: {error}"))?;
        let port = free_port();
        let mut command = match peer {
            Contender::MlServer => self.mlserver(port)?,
            Contender::Triton => self.triton(port)?,
            Contender::FastApiOnnx => self.fastapi("onnx", port)?,
            _ => self.fastapi("sklearn", port)?,
        };
        let folder = self.scratch.path();
        // MLServer creates folders in its working directory.
        command.current_dir(folder).env("MODEL_FOLDER", folder).env("FEATURES", table::names().join(","));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        // PyTriton copies its server into the cache.
        command.env("XDG_CACHE_HOME", folder.join("cache"));
        let log = folder.join("peer.log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let mut process = spawn_guarded(command, libc::SIGTERM);
        let ready = peer.protocols()[0].request(&table::rows(2, 1), "");
        let answered = wait_answered(&mut process, port, &log, &ready);
        let running = Running { process, port };
        match answered {
            Ok(()) => Ok(running),
            Err(error) => {
                running.stop();
                Err(error)
            }
        }
    }

    /// uvicorn with a process per core, uvloop and httptools.
    fn fastapi(&self, engine: &str, port: u16) -> anyhow::Result<Command> {
        let cores = std::thread::available_parallelism()?.to_string();
        let mut command = Command::new(self.program("fastapi", "uvicorn")?);
        command.args(["app:app", "--workers", &cores, "--loop", "uvloop", "--http", "httptools", "--app-dir"]);
        command.arg(&self.source).args(["--no-access-log", "--log-level", "warning", "--host", "127.0.0.1"]);
        command.args(["--port", &port.to_string()]).env("ENGINE", engine);
        Ok(command)
    }

    /// The default: one process for HTTP and one for the model, with adaptive batching.
    fn mlserver(&self, port: u16) -> anyhow::Result<Command> {
        let mut command = Command::new(self.program("mlserver", "mlserver")?);
        command.arg("start").arg(self.scratch.path().join("mlserver")).env("MLSERVER_HOST", "127.0.0.1");
        command.env("MLSERVER_HTTP_PORT", port.to_string()).env("MLSERVER_GRPC_PORT", free_port().to_string());
        command.env("MLSERVER_METRICS_PORT", free_port().to_string()).env("MLSERVER_DEBUG", "false");
        Ok(command)
    }

    fn triton(&self, port: u16) -> anyhow::Result<Command> {
        let mut command = Command::new(self.program("triton", "python")?);
        command.arg(self.source.join("triton.py")).args(["--http-port", &port.to_string()]);
        command.args(["--grpc-port", &free_port().to_string()]);
        Ok(command)
    }

    fn program(&self, environment: &str, program: &str) -> anyhow::Result<PathBuf> {
        let folder = self.tools.join(format!("serving-{environment}"));
        ensure!(folder.join("installed").exists(), "it could not be installed (scripts/ensure serving-{environment})");
        Ok(folder.join("bin").join(program))
    }
}

/// Starts [`crate::constant_route`] in a process of its own.
///
/// # Errors
/// If the process does not answer.
pub(crate) fn start_bare() -> anyhow::Result<Running> {
    let port = free_port();
    let log = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["constant-route", "--port", &port.to_string()]).stdout(Stdio::null()).stderr(log.reopen()?);
    let mut process = spawn_guarded(command, libc::SIGKILL);
    let request = Protocol::Objects.request(&table::rows(2, 1), "");
    wait_answered(&mut process, port, log.path(), &request)?;
    Ok(Running { process, port })
}
