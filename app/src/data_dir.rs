//! The folder where `trainyard up` keeps everything, and what is filled in from it.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rand::distr::{Alphanumeric, SampleString as _};
use rustix::fs::{FlockOperation, Mode, flock};
use rustix::process::umask;
use trainyard_worker::webhooks::Secret;
use url::Url;

use crate::config::Config;

/// An opened data folder. While it lives, no other process can open it.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens, and if need be makes, the folder at `path`. From then on this process makes files and folders that only its
    /// own user can open.
    ///
    /// # Errors
    /// When it can't be made, or another process has it open.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        umask(Mode::RWXG | Mode::RWXO);
        std::fs::create_dir_all(path).with_context(|| format!("can't make the data folder {}", path.display()))?;
        let path = path.canonicalize()?;
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(path.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| anyhow::anyhow!("another trainyard runs on the data folder {}", path.display()))?;
        if let Err(error) = close_to_others(&path) {
            // A mounted volume can belong to another user, who alone can change its mode.
            tracing::warn!(%error, folder = %path.display(), "other users may be able to read the data folder");
        }
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
        fill(&mut config.database.url, address("sqlite", &self.folder("trainyard.db"))?);
        fill(&mut config.artifacts.url, address("file", &self.folder("objects"))?);
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

/// The address of a file, with what has a meaning in a URL escaped.
fn address(scheme: &str, path: &Path) -> anyhow::Result<String> {
    let url = Url::from_file_path(path).map_err(|()| anyhow::anyhow!("{} has no address", path.display()))?;
    Ok(format!("{scheme}://{}", url.path()))
}

/// Takes a folder that was made with wider modes, and all that is in it, from other users. The folder itself goes last: one
/// that is closed has nothing left to change.
fn close_to_others(folder: &Path) -> std::io::Result<()> {
    let mode = std::fs::metadata(folder)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let (entry, kind) = entry.and_then(|entry| entry.file_type().map(|kind| (entry.path(), kind)))?;
        if kind.is_dir() {
            close_to_others(&entry)?;
        } else if kind.is_file() {
            let mode = std::fs::metadata(&entry)?.permissions().mode();
            std::fs::set_permissions(&entry, Permissions::from_mode(mode & 0o700))?;
        }
    }
    std::fs::set_permissions(folder, Permissions::from_mode(mode & 0o700))
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
    fn a_folder_with_signs_that_mean_something_in_an_address_is_addressed_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b%20c?d#e");
        let mut config = crate::config::load(None, &Vec::new()).unwrap();
        DataDir::open(&path).unwrap().fill_in(&mut config).unwrap();
        let root = path.canonicalize().unwrap();
        for (url, name) in [(&config.database.url, "trainyard.db"), (&config.artifacts.url, "objects")] {
            let (_, path) = url.split_once("://").unwrap();
            let path = Url::parse(&format!("file://{path}")).unwrap().to_file_path().unwrap();
            assert_eq!(path, root.join(name));
        }
        assert!(trainyard_storage::check_url(&config.database.url).is_ok());
    }

    #[test]
    fn a_folder_from_before_is_closed_to_others_and_links_are_left_alone() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path().join("data");
        std::fs::create_dir_all(root.join("objects/x")).unwrap();
        let other = outside.path().join("of another");
        for path in [&root.join("trainyard.db"), &root.join("objects/x/y"), &other] {
            std::fs::write(path, "").unwrap();
            std::fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        }
        for path in [&root, &root.join("objects"), &root.join("objects/x")] {
            std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        std::os::unix::fs::symlink(&other, root.join("link")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        drop(DataDir::open(&root).unwrap());
        for path in ["", "objects", "objects/x"] {
            assert_eq!(mode(&root.join(path)), 0o700, "{path}");
        }
        for path in ["lock", "trainyard.db", "objects/x/y"] {
            assert_eq!(mode(&root.join(path)), 0o600, "{path}");
        }
        assert_eq!(mode(&other), 0o644, "what a link leads to is not ours");
    }

    #[test]
    fn a_webhook_secret_is_made_once_and_given_to_nobody_else() {
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
