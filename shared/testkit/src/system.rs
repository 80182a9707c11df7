//! Trainyard processes: `up`, or `api`, `worker` and `inference` with Postgres, Redis and S3.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::client::Client;
use crate::folder::temporary_folder;
use crate::process::{ChildGuard, free_port, spawn_guarded};
use crate::wait::wait_until;
use crate::{postgres, redis, s3, unique};

/// The administrator's e-mail address in every test system.
pub const ADMIN_EMAIL: &str = "admin@example.com";
/// The administrator's password.
pub const ADMIN_PASSWORD: &str = "correct horse battery";
/// The JWT secret of every test system, so that tests can forge tokens.
pub const JWT_SECRET: &str = "a secret for tests that is long enough";
/// The webhook secret of every test system.
pub const WEBHOOK_SECRET: &str = "whsec_YSBzZWNyZXQgZm9yIHRlc3RzIHRoYXQgaXMgbG9uZyBlbm91Z2g=";

/// The backends of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    /// One process with SQLite, a queue in memory and local files.
    Embedded,
    /// One process per role with Postgres, Redis and S3.
    Distributed,
}

/// A running Trainyard system.
#[derive(Debug)]
pub struct System {
    binary: PathBuf,
    folder: TempDir,
    /// The data folder of the embedded stack.
    data: PathBuf,
    environment: Vec<(String, String)>,
    roles: Vec<Role>,
}

/// A process that ended and was restarted.
#[derive(Debug, Clone)]
pub struct Restarted {
    /// The index of the process.
    pub role: usize,
    /// The role.
    pub name: &'static str,
    /// The exit status.
    pub status: ExitStatus,
    /// The last line of the log.
    pub last_log_line: String,
}

/// A process of the system.
#[derive(Debug)]
struct Role {
    name: &'static str,
    port: u16,
    /// The port of the gRPC listener of a role that predicts.
    grpc_port: Option<u16>,
    log: PathBuf,
    process: Option<ChildGuard>,
}

impl System {
    /// Starts `binary` on a stack with one worker.
    pub fn start(binary: &str, stack: Stack) -> Self {
        Self::start_with(binary, stack, 1, &[])
    }

    /// Starts `binary` with `workers` workers (the embedded stack always has one) and additional settings.
    pub fn start_with(binary: &str, stack: Stack, workers: usize, settings: &[(&str, &str)]) -> Self {
        let (mut environment, names) = match stack {
            Stack::Embedded => (Vec::new(), vec!["up"]),
            Stack::Distributed => {
                let mut names = vec!["api", "inference"];
                names.extend(std::iter::repeat_n("worker", workers));
                (distributed_settings(), names)
            }
        };
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self::start_roles(binary, &names, environment)
    }

    /// Starts the embedded stack with this data folder and additional settings.
    pub fn start_in(binary: &str, data: &Path, settings: &[(&str, &str)]) -> Self {
        let mut system =
            Self::new(binary, settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect());
        system.data = data.to_owned();
        system.start_all(&["up"]);
        system
    }

    /// Starts these roles with the common test settings and `settings`, for systems with separate servers. Clients use
    /// the first role by default.
    pub fn start_roles(binary: &str, roles: &[&'static str], settings: Vec<(String, String)>) -> Self {
        let mut system = Self::new(binary, settings);
        if roles != ["up"] {
            system.migrate();
        }
        system.start_all(roles);
        system
    }

    /// Starts these roles on a database without migrations, and does not wait until they are ready.
    pub fn start_unmigrated(binary: &str, roles: &[&'static str], settings: Vec<(String, String)>) -> Self {
        let mut system = Self::new(binary, settings);
        roles.iter().for_each(|role| system.add(role));
        system
    }

    /// Applies the database migrations.
    pub fn migrate(&self) {
        let migrated = self.command("migrate").status().unwrap();
        assert!(migrated.success(), "trainyard migrate failed");
    }

    fn new(binary: &str, settings: Vec<(String, String)>) -> Self {
        // Tests send requests of their own besides those of the client.
        trainyard_tls::install_provider();
        let folder = temporary_folder("system");
        let mut environment = common_settings();
        environment.extend(settings);
        Self { binary: binary.into(), data: folder.path().join("data"), folder, environment, roles: Vec::new() }
    }

    fn start_all(&mut self, roles: &[&'static str]) {
        roles.iter().for_each(|role| self.add(role));
        (0..self.roles.len()).for_each(|i| self.wait_ready(i));
    }

    fn add(&mut self, name: &'static str) {
        let i = self.roles.len();
        let log = self.folder.path().join(format!("{name}-{i}.log"));
        let grpc_port = matches!(name, "up" | "inference").then(free_port);
        self.roles.push(Role { name, port: free_port(), grpc_port, log, process: None });
        self.resume(i);
    }

    /// An anonymous client of this system.
    pub fn client(&self) -> Client {
        Client::new(self.roles[0].url(), self.inference().url())
    }

    /// The address of the first gRPC listener, for systems with a role that predicts.
    pub fn grpc_address(&self) -> String {
        let port = self.inference().grpc_port;
        format!("127.0.0.1:{}", port.expect("a role that predicts"))
    }

    fn inference(&self) -> &Role {
        self.roles.iter().find(|role| role.name == "inference").unwrap_or(&self.roles[0])
    }

    /// A client that uses the API process `api`.
    pub fn client_of(&self, api: usize) -> Client {
        Client::new(self.roles[api].url(), self.client().inference_url().to_owned())
    }

    /// The role and the base URL of every process.
    pub fn urls(&self) -> Vec<(&'static str, String)> {
        self.roles.iter().map(|role| (role.name, role.url())).collect()
    }

    /// The indices of the processes that train: the workers, or the embedded process.
    pub fn workers(&self) -> Vec<usize> {
        (0..self.roles.len()).filter(|&i| matches!(self.roles[i].name, "worker" | "up")).collect()
    }

    /// The indices of the processes with this role.
    pub fn roles(&self, name: &str) -> Vec<usize> {
        (0..self.roles.len()).filter(|&i| self.roles[i].name == name).collect()
    }

    /// The process id of a running role.
    pub fn pid(&self, role: usize) -> u32 {
        self.roles[role].process.as_ref().unwrap().0.id()
    }

    /// Restarts every process that has ended, as a container runtime does, and returns them.
    pub fn restart_ended(&mut self) -> Vec<Restarted> {
        let mut restarted = Vec::new();
        for role in 0..self.roles.len() {
            let ended = self.roles[role].process.as_mut().and_then(|process| process.0.try_wait().unwrap());
            let Some(status) = ended else { continue };
            let last_log_line = self.log(role).lines().last().unwrap_or_default().to_owned();
            restarted.push(Restarted { role, name: self.roles[role].name, status, last_log_line });
            self.resume(role);
        }
        restarted
    }

    /// The folder with the data of the embedded stack and the work folders.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Changes a setting of processes that start later.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Kills a process, as a crash does.
    pub fn kill(&mut self, role: usize) {
        self.roles[role].process = None;
    }

    /// Sends a signal to a process.
    pub fn signal(&self, role: usize, signal: i32) {
        self.roles[role].process.as_ref().unwrap().signal(signal);
    }

    /// Sends SIGTERM and waits until the process has ended.
    pub fn terminate(&mut self, role: usize) -> ExitStatus {
        let mut process = self.roles[role].process.take().unwrap();
        process.signal(libc::SIGTERM);
        wait_until("the process ends after SIGTERM", Duration::from_secs(60), || process.0.try_wait().unwrap())
    }

    /// Waits until a process has ended.
    pub fn wait_ended(&mut self, role: usize) -> ExitStatus {
        let mut process = self.roles[role].process.take().unwrap();
        wait_until("the process ends", Duration::from_secs(60), || process.0.try_wait().unwrap())
    }

    /// Starts a process and returns at once.
    pub fn resume(&mut self, role: usize) {
        let name = self.roles[role].name;
        let mut command = self.command(name);
        // Each process has its own folders, also after a restart.
        command.envs(self.folder_settings(role));
        command.args(["--listen", &format!("127.0.0.1:{}", self.roles[role].port)]);
        if let Some(port) = self.roles[role].grpc_port {
            command.env("TRAINYARD__INFERENCE__GRPC_LISTEN", format!("127.0.0.1:{port}"));
        }
        if name == "up" {
            command.arg("--data-dir").arg(&self.data);
        }
        let log = File::options().create(true).append(true).open(&self.roles[role].log).unwrap();
        command.stdout(Stdio::null()).stderr(log);
        self.roles[role].process = Some(spawn_guarded(command, libc::SIGKILL));
    }

    /// Blocks until a process is ready.
    pub fn wait_ready(&mut self, role: usize) {
        let url = format!("{}/health/ready", self.roles[role].url());
        let name = self.roles[role].name;
        wait_until(&format!("{name} is ready"), Duration::from_secs(60), || {
            let ended = self.roles[role].process.as_mut().unwrap().0.try_wait().unwrap();
            assert!(ended.is_none(), "{name} ended with {ended:?}:\n{}", self.log(role));
            crate::client::get_blocking(&url).filter(|status| *status == 200)
        });
    }

    /// The log of a process.
    pub fn log(&self, role: usize) -> String {
        std::fs::read_to_string(&self.roles[role].log).unwrap_or_default()
    }

    /// Runs the binary with the settings of this system, for commands that end by themselves.
    pub fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(verb).env_clear().envs(self.environment.clone());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.folder_settings(self.roles.len())).env("HOME", self.folder.path());
        command
    }

    /// The folder with uploads, fetched models and running jobs of a process.
    pub fn work_folder(&self, role: usize) -> PathBuf {
        self.folder.path().join(format!("work-{role}"))
    }

    fn folder_settings(&self, role: usize) -> [(&'static str, PathBuf); 3] {
        let within = |name| self.work_folder(role).join(name);
        [
            ("TRAINYARD__API__UPLOAD_DIR", within("uploads")),
            ("TRAINYARD__INFERENCE__CACHE_DIR", within("models")),
            ("TRAINYARD__WORKER__WORK_DIR", within("work")),
        ]
    }
}

impl Role {
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn common_settings() -> Vec<(String, String)> {
    let settings = [
        ("ADMIN_EMAIL", ADMIN_EMAIL),
        ("ADMIN_PASSWORD", ADMIN_PASSWORD),
        ("JWT_SECRET", JWT_SECRET),
        ("TRAINYARD__WEBHOOKS__SECRET", WEBHOOK_SECRET),
        ("LOG_FORMAT", "json"),
        ("TRAINYARD__SERVER__MODE", "development"),
        // Real bcrypt at the lowest cost, so that tests can sign in often.
        ("TRAINYARD__AUTH__BCRYPT_COST", "4"),
        // All tests use one client address.
        ("TRAINYARD__AUTH__MAX_SIGNUPS_PER_ADDRESS", "1000000"),
        ("TRAINYARD__AUTH__MAX_FAILED_LOGINS_PER_ADDRESS", "1000000"),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// The settings of a distributed stack on the shared servers, with its own database, queue and bucket. A later setting
/// overrides an earlier one of the same name.
pub fn distributed_settings() -> Vec<(String, String)> {
    let mut settings = vec![
        ("DATABASE_URL".to_owned(), postgres().fresh_database()),
        ("REDIS_URL".to_owned(), redis().url()),
        ("TRAINYARD__QUEUE__PREFIX".to_owned(), unique("queue")),
        ("ARTIFACT_URL".to_owned(), s3().fresh_bucket()),
    ];
    settings.extend(s3().env().into_iter().map(|(name, value)| (name.to_owned(), value)));
    settings
}
