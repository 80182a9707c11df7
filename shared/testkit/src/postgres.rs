//! A private Postgres.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::authority::Authority;
use crate::folder::temporary_folder;
use crate::process::{ChildGuard, children_of, free_port, send_signal, spawn_guarded};
use crate::small_disk::SmallDisk;
use crate::unique;
use crate::wait::wait_until;

/// A running Postgres cluster.
#[derive(Debug)]
pub struct PostgresServer {
    port: u16,
    folder: TempDir,
    account: Option<Account>,
    settings: Vec<String>,
    process: Option<ChildGuard>,
}

/// Postgres does not run as root; then it runs as the account of Debian's package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The Postgres of all tests of this process. Each test uses its own [`PostgresServer::fresh_database`].
pub fn postgres() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(PostgresServer::start)
}

impl PostgresServer {
    /// Starts a separate server, for tests that break it.
    pub fn start() -> Self {
        Self::start_with(&["fsync=off"])
    }

    /// Starts a server that syncs each commit to the disk and records commit timestamps, for benchmarks.
    pub fn start_durable() -> Self {
        Self::start_with(&["fsync=on", "track_commit_timestamp=on"])
    }

    /// Starts a server with TLS and a certificate of `authority`.
    pub fn start_with_tls(authority: &Authority) -> Self {
        // Postgres requires that only its own account can read the key.
        let (own, account) = (temporary_folder("postgres-tls"), postgres_account());
        for (from, name) in [(authority.certificate(), "server.crt"), (authority.key(), "server.key")] {
            let to = own.path().join(name);
            std::fs::copy(from, &to).unwrap();
            std::fs::set_permissions(&to, PermissionsExt::from_mode(0o600)).unwrap();
            if let Some(Account { uid, gid }) = account {
                std::os::unix::fs::chown(&to, Some(uid), Some(gid)).unwrap();
                std::os::unix::fs::chown(own.path(), Some(uid), Some(gid)).unwrap();
            }
        }
        // Not deleted on drop; the exit hook deletes the folder.
        let own = own.keep();
        Self::start_with(&[
            "fsync=off",
            "ssl=on",
            &format!("ssl_cert_file={}", own.join("server.crt").display()),
            &format!("ssl_key_file={}", own.join("server.key").display()),
        ])
    }

    /// Starts a server that logs the plan of each statement; see [`PostgresServer::plans`].
    pub fn start_explaining() -> Self {
        Self::start_with(&[
            "fsync=off",
            "session_preload_libraries=auto_explain",
            "auto_explain.log_min_duration=0",
            "auto_explain.log_analyze=on",
            "auto_explain.log_timing=off",
            "logging_collector=on",
            "log_filename=plans",
            "log_line_prefix=",
            "log_min_messages=log",
        ])
    }

    /// The `EXPLAIN ANALYZE` output of every statement since the start.
    pub fn plans(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.data().join("log/plans")).unwrap_or_default();
        log.split("LOG:  duration: ").skip(1).map(str::to_owned).collect()
    }

    fn start_with(settings: &[&str]) -> Self {
        let folder = temporary_folder("postgres");
        let account = postgres_account();
        if let Some(Account { uid, gid }) = account {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut server = Self { port: free_port(), folder, account, settings, process: None };
        let mut init = server.command("initdb");
        init.args(["--username=trainyard", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"]);
        let output = init.arg(server.data()).output().expect("initdb is installed by `make test`");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        server.resume();
        server
    }

    /// Creates an empty database and returns its URL. Its collation is `C`.
    pub fn fresh_database(&self) -> String {
        self.create_database(&[])
    }

    /// Creates an empty database with a linguistic collation of ICU, and returns its URL.
    pub fn database_with_icu_locale(&self, locale: &str) -> String {
        // Only template0 may be copied with another locale.
        self.create_database(&["--template=template0", "--locale-provider=icu", &format!("--icu-locale={locale}")])
    }

    fn create_database(&self, options: &[&str]) -> String {
        let name = unique("db");
        let mut create = self.command("createdb");
        create.args(["-h", "127.0.0.1", "-U", "trainyard", "-p", &self.port.to_string()]).args(options).arg(&name);
        let output = create.output().unwrap();
        assert!(output.status.success(), "createdb: {}", String::from_utf8_lossy(&output.stderr));
        format!("postgres://trainyard@127.0.0.1:{}/{name}", self.port)
    }

    /// Creates an empty database with its tables on `disk`, and returns its URL. The write-ahead log stays on its disk.
    pub fn database_on(&self, disk: &SmallDisk) -> String {
        let (name, folder) = (unique("db"), disk.path().join("tables"));
        std::fs::create_dir(&folder).unwrap();
        if let Some(Account { uid, gid }) = self.account {
            std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).unwrap();
        }
        self.psql(&[
            &format!("CREATE TABLESPACE \"{name}\" LOCATION '{}'", folder.display()),
            &format!("CREATE DATABASE \"{name}\" TABLESPACE \"{name}\""),
        ]);
        format!("postgres://trainyard@127.0.0.1:{}/{name}", self.port)
    }

    /// Makes all transactions read-only, as on a demoted primary, or ends this state.
    pub fn set_read_only(&self, read_only: bool) {
        let setting = if read_only { "on" } else { "off" };
        let change = format!("ALTER SYSTEM SET default_transaction_read_only = {setting}");
        self.psql(&[&change, "SELECT pg_reload_conf()"]);
    }

    /// Executes each statement in its own transaction, in a session that may write.
    fn psql(&self, statements: &[&str]) {
        let mut psql = self.command("psql");
        psql.args(["-h", "127.0.0.1", "-U", "trainyard", "-p", &self.port.to_string(), "postgres"]);
        for sql in statements {
            psql.args(["-c", sql]);
        }
        let output = psql.env("PGOPTIONS", "-c default_transaction_read_only=off").output().unwrap();
        assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Sends a signal, such as `libc::SIGSTOP`, to the postmaster only.
    pub fn signal(&self, signal: i32) {
        self.process.as_ref().unwrap().signal(signal);
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends a signal to the server and all its processes. `libc::SIGSTOP` makes every session hang.
    pub fn signal_all(&self, signal: i32) {
        let Some(process) = &self.process else { return };
        process.signal(signal);
        children_of(process.0.id()).into_iter().for_each(|(pid, _)| send_signal(pid, signal));
    }

    /// Stops the server without a checkpoint, as a crash does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(libc::SIGQUIT);
            process.0.wait().unwrap();
        }
    }

    /// Starts the server again, with the same port and data.
    pub fn resume(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        let common =
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300", "log_min_messages=fatal"];
        // Later settings override earlier ones.
        for setting in common.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(spawn_guarded(command, libc::SIGQUIT));
        wait_until("Postgres answers", Duration::from_secs(60), || {
            let mut ready = self.command("pg_isready");
            ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            ready.status().ok()?.success().then_some(())
        });
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(find(program));
        command.current_dir("/");
        if let Some(Account { uid, gid }) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for PostgresServer {
    /// Uses SIGQUIT: without it, child processes of a killed postmaster could survive. A stopped process must continue
    /// first.
    fn drop(&mut self) {
        self.signal_all(libc::SIGCONT);
        self.kill();
    }
}

/// The program of the newest installed Postgres; Debian installs servers outside of PATH.
fn find(program: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions.map(|version| version.path().join("bin").join(program)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(program))
}

pub(crate) fn postgres_account() -> Option<Account> {
    // SAFETY: geteuid has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = accounts.lines().find(|line| line.starts_with("postgres:"));
    let fields: Vec<_> = line.expect("the account postgres is created by `make test`").split(':').collect();
    Some(Account { uid: fields[2].parse().unwrap(), gid: fields[3].parse().unwrap() })
}
