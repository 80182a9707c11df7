//! A private PgBouncer in front of the shared Postgres.

use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::folder::temporary_folder;
use crate::postgres::{Account, postgres, postgres_account};
use crate::process::{ChildGuard, free_port, spawn_guarded};
use crate::wait::wait_until;

/// Maximum number of server connections per database.
const POOL_SIZE: usize = 4;

/// A running PgBouncer in transaction mode with default settings otherwise.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    _folder: TempDir,
    _process: ChildGuard,
}

/// The PgBouncer of all tests of this process, in front of [`postgres`].
pub fn pgbouncer() -> &'static PgBouncer {
    static SERVER: OnceLock<PgBouncer> = OnceLock::new();
    SERVER.get_or_init(|| PgBouncer::start(postgres().port()))
}

impl PgBouncer {
    fn start(server: u16) -> Self {
        let (folder, port) = (temporary_folder("pgbouncer"), free_port());
        let file = folder.path().join("pgbouncer.ini");
        // Unused connections are closed soon, because the tests together would exceed the server's limit.
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server} user=trainyard\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = {POOL_SIZE}\nmax_client_conn = 1000\nserver_idle_timeout = 2\n"
        );
        std::fs::write(&file, settings).unwrap();
        // Debian installs servers outside of PATH.
        let installed = std::path::Path::new("/usr/sbin/pgbouncer");
        let mut command = Command::new(if installed.exists() { installed } else { "pgbouncer".as_ref() });
        // Like Postgres, PgBouncer does not run as root.
        if let Some(Account { uid, gid }) = postgres_account() {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).unwrap();
            command.uid(uid).gid(gid);
        }
        command.arg("--quiet").arg(&file).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        let process = spawn_guarded(command, libc::SIGTERM);
        wait_until("PgBouncer listens", Duration::from_secs(20), || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { port, _folder: folder, _process: process }
    }

    /// The URL of a database of the shared Postgres, through this PgBouncer.
    pub fn url(&self, url: &str) -> String {
        let direct = format!(":{}/", postgres().port());
        assert!(url.contains(&direct), "{url} is not in the shared Postgres");
        url.replace(&direct, &format!(":{}/", self.port))
    }
}
