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
use crate::process::{Tied, children_of, free_port, send_signal, spawn_tied};
use crate::small_disk::SmallDisk;
use crate::unique;
use crate::wait::wait_until;

/// A running Postgres cluster of its own.
#[derive(Debug)]
pub struct PostgresServer {
    port: u16,
    folder: TempDir,
    account: Option<Account>,
    settings: Vec<String>,
    process: Option<Tied>,
}

/// Postgres refuses to run as root, so there it runs as the account that Debian's package made for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The Postgres that all tests of this process share; take a [`PostgresServer::fresh_database`] each.
pub fn postgres() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(PostgresServer::start)
}

impl PostgresServer {
    /// Starts one of your own, for tests that break it.
    pub fn start() -> Self {
        Self::start_with(&["fsync=off"])
    }

    /// Starts one that writes each commit to the disk before it answers, as production does, and remembers when each was:
    /// for benchmarks.
    pub fn start_durable() -> Self {
        Self::start_with(&["fsync=on", "track_commit_timestamp=on"])
    }

    /// Starts one that speaks TLS, with a certificate of this authority.
    pub fn start_with_tls(authority: &Authority) -> Self {
        // It reads its key only where nobody else can.
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
        // Read once, at the start; the folder goes when this process ends.
        let own = own.keep();
        Self::start_with(&[
            "fsync=off",
            "ssl=on",
            &format!("ssl_cert_file={}", own.join("server.crt").display()),
            &format!("ssl_key_file={}", own.join("server.key").display()),
        ])
    }

    /// Starts one that writes down how it ran each statement: see [`PostgresServer::plans`].
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

    /// What `EXPLAIN ANALYZE` shows of every statement that ran since the start.
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
        let output = init.arg(server.data()).output().expect("initdb can be run; `make test` installs it");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        server.resume();
        server
    }

    /// A new, empty database; the answer is its URL.
    pub fn fresh_database(&self) -> String {
        let name = unique("db");
        let mut create = self.command("createdb");
        create.args(["-h", "127.0.0.1", "-U", "trainyard", "-p", &self.port.to_string(), &name]);
        let output = create.output().unwrap();
        assert!(output.status.success(), "createdb: {}", String::from_utf8_lossy(&output.stderr));
        format!("postgres://trainyard@127.0.0.1:{}/{name}", self.port)
    }

    /// A new, empty database whose tables are on `disk`; the write-ahead log stays where it is. The answer is its URL.
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

    /// Makes every transaction read-only from now on, as on a primary that was demoted, or ends that.
    pub fn set_read_only(&self, read_only: bool) {
        let setting = if read_only { "on" } else { "off" };
        let change = format!("ALTER SYSTEM SET default_transaction_read_only = {setting}");
        self.psql(&[&change, "SELECT pg_reload_conf()"]);
    }

    /// Executes statements, each by itself, in a session that may write.
    fn psql(&self, statements: &[&str]) {
        let mut psql = self.command("psql");
        psql.args(["-h", "127.0.0.1", "-U", "trainyard", "-p", &self.port.to_string(), "postgres"]);
        for sql in statements {
            psql.args(["-c", sql]);
        }
        let output = psql.env("PGOPTIONS", "-c default_transaction_read_only=off").output().unwrap();
        assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Sends a signal to the server, such as `libc::SIGSTOP` (the postmaster alone).
    pub fn signal(&self, signal: i32) {
        self.process.as_ref().unwrap().signal(signal);
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends a signal to the server, where it runs, and to all its processes: `libc::SIGSTOP` makes every session hang.
    pub fn signal_all(&self, signal: i32) {
        let Some(process) = &self.process else { return };
        process.signal(signal);
        children_of(process.0.id()).into_iter().for_each(|(pid, _)| send_signal(pid, signal));
    }

    /// Stops it at once without a checkpoint, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(libc::SIGQUIT);
            process.0.wait().unwrap();
        }
    }

    /// Starts it again on the same port with the same data.
    pub fn resume(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        let common =
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300", "log_min_messages=fatal"];
        // Ours last: of two that differ the last one counts.
        for setting in common.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(spawn_tied(command, libc::SIGQUIT));
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
    /// Ends it as itself would: processes whose postmaster was killed may live on. One that is stopped would not hear of it.
    fn drop(&mut self) {
        self.signal_all(libc::SIGCONT);
        self.kill();
    }
}

/// The newest installed Postgres' own program: Debian keeps servers off the PATH.
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
    let fields: Vec<_> = line.expect("an account named postgres; `make test` installs it").split(':').collect();
    Some(Account { uid: fields[2].parse().unwrap(), gid: fields[3].parse().unwrap() })
}
