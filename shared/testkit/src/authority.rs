//! A certificate authority for TLS tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::folder::temporary_folder;

const EXTENSIONS: &str = "
[req]
distinguished_name = name
prompt = no
[name]
CN = Trainyard tests
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
";

/// A certificate authority with a certificate for servers on this machine, stored in files.
#[derive(Debug)]
pub struct Authority(TempDir);

impl Authority {
    /// Creates a certificate authority that no client trusts yet.
    pub fn create() -> Self {
        let authority = Self(temporary_folder("authority"));
        std::fs::write(authority.file("openssl.cnf"), EXTENSIONS).unwrap();
        authority.sign("authority", &["-extensions", "authority"]);
        let by = ["-extensions", "server", "-CA", "authority.crt", "-CAkey", "authority.key"];
        authority.sign("server", &by);
        authority
    }

    /// The CA certificate file, for clients to trust.
    pub fn ca(&self) -> PathBuf {
        self.file("authority.crt")
    }

    /// The certificate file for `localhost` and 127.0.0.1.
    pub fn certificate(&self) -> PathBuf {
        self.file("server.crt")
    }

    /// The key file of the server certificate.
    pub fn key(&self) -> PathBuf {
        self.file("server.key")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn sign(&self, name: &str, more: &[&str]) {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(self.path()).args(["req", "-x509", "-config", "openssl.cnf", "-nodes", "-days", "2"]);
        openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]).args(more);
        openssl.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.crt")]);
        let output = openssl.output().expect("openssl is installed by `make test`");
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    }
}
