//! A private PgBouncer in front of the shared Postgres.

use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::folder::temporary_folder;
use crate::postgres::{Account, postgres, postgres_account};
use crate::process::{Tied, free_port, spawn_tied};
use crate::wait::wait_until;

/// Sessions that it opens for each database, however many clients there are.
const SESSIONS: usize = 4;

/// A running PgBouncer in transaction mode, as its package sets it up otherwise.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    _folder: TempDir,
    _process: Tied,
}

/// The PgBouncer that all tests of this process share, in front of [`postgres`].
pub fn pgbouncer() -> &'static PgBouncer {
    static SERVER: OnceLock<PgBouncer> = OnceLock::new();
    SERVER.get_or_init(|| PgBouncer::start(postgres().port()))
}

impl PgBouncer {
    fn start(server: u16) -> Self {
        let (folder, port) = (temporary_folder("pgbouncer"), free_port());
        let file = folder.path().join("pgbouncer.ini");
        // Sessions that nobody uses are closed soon, or those of all tests together would be too many for the server.
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server} user=trainyard\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = {SESSIONS}\nmax_client_conn = 1000\nserver_idle_timeout = 2\n"
        );
        std::fs::write(&file, settings).unwrap();
        // Debian keeps servers off the PATH.
        let installed = std::path::Path::new("/usr/sbin/pgbouncer");
        let mut command = Command::new(if installed.exists() { installed } else { "pgbouncer".as_ref() });
        // It refuses to run as root, as Postgres does.
        if let Some(Account { uid, gid }) = postgres_account() {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).unwrap();
            command.uid(uid).gid(gid);
        }
        command.arg("--quiet").arg(&file).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        let process = spawn_tied(command, libc::SIGTERM);
        wait_until("PgBouncer listens", Duration::from_secs(20), || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { port, _folder: folder, _process: process }
    }

    /// The address of the database that is at `url` in the shared Postgres, by way of this PgBouncer.
    pub fn url(&self, url: &str) -> String {
        let direct = format!(":{}/", postgres().port());
        assert!(url.contains(&direct), "{url} is not in the shared Postgres");
        url.replace(&direct, &format!(":{}/", self.port))
    }
}
