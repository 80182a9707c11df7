//! The session file: `$XDG_CONFIG_HOME/trainyard/session.json`, readable only by its owner.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::error::ClientError;

/// A token is renewed this long before it expires, so that it does not expire in transit.
const RENEW_BEFORE: Duration = Duration::seconds(30);

/// A signed-in session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The server that issued the tokens. Only this server receives them.
    pub(crate) url: String,
    /// The account's e-mail address.
    pub(crate) email: String,
    /// The access token.
    pub(crate) access_token: String,
    /// The refresh token, which can be used once.
    pub(crate) refresh_token: String,
    /// When the access token expires.
    pub(crate) expires_at: DateTime<Utc>,
}

impl Session {
    /// The session in a response of `/login` or `/refresh` from `url`, received at `now`.
    pub(crate) fn from_answer(url: &str, answer: &Value, now: DateTime<Utc>) -> Result<Self, ClientError> {
        let text = |value: &Value, name: &str| match value.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(ClientError::Protocol(format!("{name} is missing"))),
        };
        Ok(Self {
            url: url.to_owned(),
            email: text(&answer["user"]["email"], "user.email")?,
            access_token: text(&answer["access_token"], "access_token")?,
            refresh_token: text(&answer["refresh_token"], "refresh_token")?,
            expires_at: now + Duration::seconds(answer["expires_in"].as_i64().unwrap_or(0)),
        })
    }

    /// Whether the access token should be renewed at `now`.
    pub(crate) fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.expires_at - RENEW_BEFORE <= now
    }
}

/// The session file.
#[derive(Debug, Clone)]
pub(crate) struct SessionFile {
    dir: PathBuf,
}

impl SessionFile {
    /// The session file of the current user.
    pub(crate) fn of_user() -> Result<Self, ClientError> {
        let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let config = config.or_else(|| Some(std::env::home_dir()?.join(".config")));
        let config = config
            .ok_or_else(|| ClientError::Usage("no home folder found for the session; set XDG_CONFIG_HOME".into()))?;
        Ok(Self::in_dir(config.join("trainyard")))
    }

    /// The session file in this folder.
    pub(crate) fn in_dir(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join("session.json")
    }

    /// Returns the session if the file exists and is valid.
    pub(crate) fn load(&self) -> Option<Session> {
        serde_json::from_slice(&fs::read(self.path()).ok()?).ok()
    }

    /// Replaces the session.
    pub(crate) fn save(&self, session: &Session) -> Result<(), ClientError> {
        let bytes = serde_json::to_vec_pretty(session).map_err(io::Error::from);
        let saved = bytes.and_then(|bytes| {
            fs::create_dir_all(&self.dir)?;
            let part = self.dir.join(format!(".session.{}", std::process::id()));
            create_private(&part)?.write_all(&bytes)?;
            fs::rename(part, self.path())
        });
        saved
            .map_err(|error| ClientError::Local(format!("the session can't be saved in {}", self.dir.display()), error))
    }

    /// Deletes the session file.
    pub(crate) fn remove(&self) -> Result<(), ClientError> {
        match fs::remove_file(self.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ClientError::Local(format!("{} can't be removed", self.path().display()), error))
            }
            _ => Ok(()),
        }
    }

    /// Locks the renewal of the session until the returned file is dropped. The server ends a session whose refresh
    /// token is used twice.
    pub(crate) fn lock(&self) -> Result<File, ClientError> {
        let locked = fs::create_dir_all(&self.dir).and_then(|()| {
            let file = create_private(&self.dir.join("session.lock"))?;
            file.lock()?;
            Ok(file)
        });
        locked.map_err(|error| ClientError::Local("the session can't be locked".into(), error))
    }
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session() -> Session {
        let answer = json!({"access_token": "a", "refresh_token": "r", "expires_in": 3600,
            "user": {"email": "ada@example.com"}});
        Session::from_answer("http://one", &answer, DateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_saved_session_can_be_loaded_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let file = SessionFile::in_dir(dir.path().join("deep"));
        assert_eq!(file.load(), None);
        file.save(&session()).unwrap();
        assert_eq!(file.load(), Some(session()));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file.path()).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        file.remove().unwrap();
        file.remove().unwrap();
        assert_eq!(file.load(), None);
    }

    #[test]
    fn tokens_are_renewed_before_they_expire() {
        let at = |seconds| DateTime::UNIX_EPOCH + Duration::seconds(seconds);
        assert!(!session().is_stale(at(3_500)));
        assert!(session().is_stale(at(3_580)));
    }
}
