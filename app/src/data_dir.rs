//! The data folder of `trainyard up`, and the settings that are derived from it.

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

/// An opened and locked data folder. No other process can open the folder at the same time.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens the folder at `path` and creates it if it does not exist. From now on all files that this process creates
    /// are accessible only to its own user.
    ///
    /// # Errors
    /// If the folder can't be created, or another process has opened it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        umask(Mode::RWXG | Mode::RWXO);
        std::fs::create_dir_all(path).with_context(|| format!("can't create the data folder {}", path.display()))?;
        let path = path.canonicalize()?;
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(path.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| anyhow::anyhow!("another trainyard process uses the data folder {}", path.display()))?;
        if let Err(error) = restrict_permissions(&path) {
            // Only the owner can change the mode, and a mounted volume can belong to another user.
            tracing::warn!(%error, folder = %path.display(), "other users may be able to read the data folder");
        }
        Ok(Self { path, _lock: lock })
    }

    /// The path of an entry of the folder.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Sets every empty setting that can be derived from the folder. Relative paths of other folders start in this folder.
    ///
    /// # Errors
    /// If a stored secret can't be read or written.
    pub fn fill_defaults(&self, config: &mut Config) -> anyhow::Result<()> {
        let fill = |value: &mut String, with: String| {
            if value.is_empty() {
                *value = with;
            }
        };
        fill(&mut config.database.url, file_url("sqlite", &self.folder("trainyard.db"))?);
        fill(&mut config.artifacts.url, file_url("file", &self.folder("objects"))?);
        for folder in [&mut config.api.upload_dir, &mut config.inference.cache_dir, &mut config.worker.work_dir] {
            *folder = self.path.join(&folder);
        }
        if config.auth.jwt_secret.is_empty() {
            config.auth.jwt_secret = self.stored_secret("jwt_secret")?;
        }
        if config.webhooks.secret.is_none() {
            // Letters and digits are valid base64: 48 of them encode 36 bytes.
            let stored = self.stored_secret_with("webhook_secret", || format!("whsec_{}", random_text(48)))?;
            let secret = Secret::parse(&stored).map_err(|message| anyhow::anyhow!("webhook_secret {message}"))?;
            config.webhooks.secret = Some(secret);
        }
        Ok(())
    }

    /// Returns the secret in the file `name`. The first call generates it.
    fn stored_secret(&self, name: &str) -> anyhow::Result<String> {
        self.stored_secret_with(name, || random_text(48))
    }

    /// Like [`Self::stored_secret`], with a generator for the value.
    fn stored_secret_with(&self, name: &str, generate: impl FnOnce() -> String) -> anyhow::Result<String> {
        let path = self.folder(name);
        if let Ok(secret) = std::fs::read_to_string(&path) {
            return Ok(secret);
        }
        let secret = generate();
        // Written atomically: a partly written secret would invalidate all tokens after a crash.
        let draft = self.folder(&format!("{name}.new"));
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(secret.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, &path)?;
        Ok(secret)
    }
}

/// The URL of a file, with reserved characters escaped.
fn file_url(scheme: &str, path: &Path) -> anyhow::Result<String> {
    let url = Url::from_file_path(path).map_err(|()| anyhow::anyhow!("{} is not an absolute path", path.display()))?;
    Ok(format!("{scheme}://{}", url.path()))
}

/// Removes all permissions of other users from an existing folder and its contents. The folder itself is changed last,
/// so that a folder without permissions for others is complete.
fn restrict_permissions(folder: &Path) -> std::io::Result<()> {
    let mode = std::fs::metadata(folder)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let (entry, kind) = entry.and_then(|entry| entry.file_type().map(|kind| (entry.path(), kind)))?;
        if kind.is_dir() {
            restrict_permissions(&entry)?;
        } else if kind.is_file() {
            let mode = std::fs::metadata(&entry)?.permissions().mode();
            std::fs::set_permissions(&entry, Permissions::from_mode(mode & 0o700))?;
        }
    }
    std::fs::set_permissions(folder, Permissions::from_mode(mode & 0o700))
}

/// A random string of letters and digits, from a cryptographically secure generator.
pub fn random_text(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_can_be_opened_once_and_stores_its_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/data");
        let first = DataDir::open(&path).unwrap();
        let secret = first.stored_secret("s").unwrap();
        assert_eq!(secret.len(), 48);
        assert!(DataDir::open(&path).unwrap_err().to_string().contains("another trainyard process"));
        drop(first);
        assert_eq!(DataDir::open(&path).unwrap().stored_secret("s").unwrap(), secret);
    }

    #[test]
    fn reserved_characters_in_the_path_of_a_folder_are_escaped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b%20c?d#e");
        let mut config = crate::config::load(None, &Vec::new()).unwrap();
        DataDir::open(&path).unwrap().fill_defaults(&mut config).unwrap();
        let root = path.canonicalize().unwrap();
        for (url, name) in [(&config.database.url, "trainyard.db"), (&config.artifacts.url, "objects")] {
            let (_, path) = url.split_once("://").unwrap();
            let path = Url::parse(&format!("file://{path}")).unwrap().to_file_path().unwrap();
            assert_eq!(path, root.join(name));
        }
        assert!(trainyard_storage::check_url(&config.database.url).is_ok());
    }

    #[test]
    fn relative_folders_of_the_settings_start_in_the_folder_and_absolute_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let flags = vec![("inference.cache_dir", "/cache".into()), ("worker.work_dir", "jobs".into())];
        let mut config = crate::config::load(None, &flags).unwrap();
        DataDir::open(folder.path()).unwrap().fill_defaults(&mut config).unwrap();
        let root = folder.path().canonicalize().unwrap();
        assert_eq!(config.api.upload_dir, root.join("uploads"));
        assert_eq!(config.inference.cache_dir, Path::new("/cache"));
        assert_eq!(config.worker.work_dir, root.join("jobs"));
    }

    #[test]
    fn permissions_of_an_existing_folder_are_restricted_without_following_links() {
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
        assert_eq!(mode(&other), 0o644, "the target of a link is unchanged");
    }

    #[test]
    fn a_webhook_secret_is_generated_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let filled = || {
            let mut config = crate::config::load(None, &Vec::new()).unwrap();
            data.fill_defaults(&mut config).unwrap();
            config.webhooks
        };
        let first = filled();
        assert!(first.secret.is_some() && first == filled());
        let path = folder.path().join("webhook_secret");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Secret::parse(&std::fs::read_to_string(path).unwrap()).ok(), first.secret);
    }
}
