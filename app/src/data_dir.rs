//! The folder where `trainyard up` keeps everything, and what is filled in from it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rand::distr::{Alphanumeric, SampleString as _};
use rustix::fs::{FlockOperation, flock};
use trainyard_worker::webhooks::Secret;

use crate::config::Config;

/// An opened data folder. While it lives, no other process can open it.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens, and if need be makes, the folder at `path`.
    ///
    /// # Errors
    /// When it can't be made, or another process has it open.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(path).with_context(|| format!("can't make the data folder {}", path.display()))?;
        let path = path.canonicalize()?;
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(path.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| anyhow::anyhow!("another trainyard runs on the data folder {}", path.display()))?;
        Ok(Self { path, _lock: lock })
    }

    /// A folder inside.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Points every setting that was left empty at this folder. The answer is the administrator's password if it was
    /// made up just now.
    ///
    /// # Errors
    /// When the kept secrets can't be read or written.
    pub fn fill_in(&self, config: &mut Config) -> anyhow::Result<()> {
        let fill = |value: &mut String, with: String| {
            if value.is_empty() {
                *value = with;
            }
        };
        fill(&mut config.database.url, format!("sqlite://{}", self.folder("trainyard.db").display()));
        fill(&mut config.artifacts.url, format!("file://{}", self.folder("objects").display()));
        if config.worker.work_dir == trainyard_worker::WorkerConfig::default().work_dir {
            config.worker.work_dir = self.folder("work");
        }
        if config.auth.jwt_secret.is_empty() {
            config.auth.jwt_secret = self.kept_secret("jwt_secret")?;
        }
        if config.webhooks.secret.is_none() {
            // Letters and digits are base64 as they stand: 48 of them are 36 bytes.
            let kept = self.kept("webhook_secret", || format!("whsec_{}", random_text(48)))?;
            let secret = Secret::parse(&kept).map_err(|message| anyhow::anyhow!("webhook_secret {message}"))?;
            config.webhooks.secret = Some(secret);
        }
        Ok(())
    }

    /// The secret in the file `name`, made at the first call.
    fn kept_secret(&self, name: &str) -> anyhow::Result<String> {
        self.kept(name, || random_text(48))
    }

    /// The same for a secret of another form.
    fn kept(&self, name: &str, make: impl FnOnce() -> String) -> anyhow::Result<String> {
        let path = self.folder(name);
        if let Ok(secret) = std::fs::read_to_string(&path) {
            return Ok(secret);
        }
        let secret = make();
        // Written whole or not at all: a half-written secret would lock everybody out after a crash.
        let draft = self.folder(&format!("{name}.new"));
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(secret.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, &path)?;
        Ok(secret)
    }
}

/// Letters and digits drawn from the system's random source.
pub fn random_text(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_opens_once_and_keeps_its_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/data");
        let first = DataDir::open(&path).unwrap();
        let secret = first.kept_secret("s").unwrap();
        assert_eq!(secret.len(), 48);
        assert!(DataDir::open(&path).unwrap_err().to_string().contains("another trainyard"));
        drop(first);
        assert_eq!(DataDir::open(&path).unwrap().kept_secret("s").unwrap(), secret);
    }

    #[test]
    fn a_webhook_secret_is_made_once_and_given_to_nobody_else() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let filled = || {
            let mut config = crate::config::load(None, &Vec::new()).unwrap();
            data.fill_in(&mut config).unwrap();
            config.webhooks
        };
        let first = filled();
        assert!(first.secret.is_some() && first == filled());
        let path = folder.path().join("webhook_secret");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Secret::parse(&std::fs::read_to_string(path).unwrap()).ok(), first.secret);
    }
}
