//! What can go wrong with a database, sorted by what a caller can do about it.

use std::sync::Arc;

use crate::fault::{AWAY, Fault};

/// The result of every call here.
pub type Result<T> = std::result::Result<T, StorageError>;

/// Why a call failed. The texts name no table, no SQL and no address: those are in the source chain, for the log.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The write collides with a row that is there (unique), or refers to one that isn't (foreign key).
    #[error("the change conflicts with what is stored")]
    Conflict,
    /// The database is away, busy, full or read-only, or asks for the transaction to be tried again.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The schema is older than this program. It passes once `trainyard migrate` has run.
    #[error("the database's schema is not up to date: run `trainyard migrate`")]
    Unmigrated(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// A stored row can't be read back; the text says which column, never its value.
    #[error("a stored row can't be read back: {0}")]
    Corrupt(String),
    /// The database's address is no good; the text says what was expected.
    #[error("{0}")]
    BadUrl(String),
    /// A defect of this program or of the schema.
    #[error("the database refused a query")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StorageError {
    /// Whether the same call can succeed later, once the database has what it lacks.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unmigrated(_))
    }

    /// What is wrong with the database, for a health report that anybody can read: no address, no SQL.
    pub fn condition(&self) -> &'static str {
        match self {
            Self::Unmigrated(_) => "the database's schema is not up to date: run `trainyard migrate`",
            Self::Unavailable(_) => self.fault().map_or(AWAY, Fault::condition),
            Self::Conflict | Self::Corrupt(_) | Self::BadUrl(_) | Self::Other(_) => AWAY,
        }
    }

    /// Whether the database itself said so, rather than that no connection to it was to be had.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Unavailable(_) => {
                let from_server = |error: &sqlx::Error| matches!(error, sqlx::Error::Database(_));
                self.driver().is_some_and(from_server) || self.cause::<Diagnosed>().is_some()
            }
            _ => true,
        }
    }

    /// Whether the connection that met this error must be closed rather than used again.
    pub(crate) fn ends_connection(&self) -> bool {
        // Without a driver's error: nothing was answered in time, and what was asked may still be under way.
        matches!(self, Self::Unavailable(_)) && self.fault().is_none_or(Fault::ends_connection)
    }

    /// Whether the server takes no writes.
    pub(crate) fn is_read_only(&self) -> bool {
        self.fault() == Some(Fault::ReadOnly)
    }

    /// How the driver's error was sorted, if one is the cause.
    pub(crate) fn fault(&self) -> Option<Fault> {
        let diagnosed = || self.cause::<Diagnosed>().map(|cause| cause.0);
        self.driver().map(Fault::of).or_else(diagnosed)
    }

    /// The driver's error among the causes.
    fn driver(&self) -> Option<&sqlx::Error> {
        self.cause()
    }

    fn cause<E: std::error::Error + 'static>(&self) -> Option<&E> {
        let Self::Unavailable(cause) = self else { return None };
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(cause.as_ref());
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }

    /// The same error once more, for each of those who shared the call that failed.
    pub(crate) fn shared(error: &Arc<Self>) -> Self {
        let cause = || Box::new(SharedCause(Arc::clone(error)));
        match &**error {
            Self::Conflict => Self::Conflict,
            Self::Unavailable(_) => Self::Unavailable(cause()),
            Self::Unmigrated(_) => Self::Unmigrated(Some(cause())),
            Self::Corrupt(what) => Self::Corrupt(what.clone()),
            Self::BadUrl(what) => Self::BadUrl(what.clone()),
            Self::Other(_) => Self::Other(cause()),
        }
    }
}

/// The cause of an error that several callers got.
#[derive(Debug, thiserror::Error)]
#[error("a call made together with others failed")]
struct SharedCause(#[source] Arc<StorageError>);

/// A fault that is known without a driver's error: from a setting of the server, or from an earlier statement.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.condition())]
pub(crate) struct Diagnosed(pub(crate) Fault);

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        match (Fault::of(&error), &error) {
            (Fault::Conflict, _) => Self::Conflict,
            (Fault::Retry | Fault::Unavailable(_) | Fault::Disk(_) | Fault::ReadOnly, _) => {
                Self::Unavailable(error.into())
            }
            (Fault::Unmigrated, _) => Self::Unmigrated(Some(error.into())),
            (Fault::Defect, sqlx::Error::ColumnDecode { index, .. }) => {
                Self::Corrupt(format!("column {}", index.trim_matches('"')))
            }
            (Fault::Defect, sqlx::Error::Decode(_)) => Self::Corrupt("a value".into()),
            (Fault::Defect, _) => Self::Other(error.into()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StorageError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as E;
        match error {
            E::Execute(error) | E::ExecuteMigration(error, _) => match Self::from(error) {
                Self::Conflict => Self::Unavailable("two processes migrated at the same time".into()),
                // Only a migration itself can be wrong about the tables that are there.
                Self::Unmigrated(cause) => Self::Other(cause.unwrap_or_else(|| "a table is missing".into())),
                other => other,
            },
            other => Self::Other(other.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_for_clients_keep_the_cause_to_the_source_chain() {
        let error = StorageError::from(sqlx::Error::Io(std::io::Error::other("10.0.0.7:5432 refused")));
        assert!(error.is_retryable() && error.ends_connection());
        assert!(!error.to_string().contains("10.0.0.7") && !error.condition().contains("10.0.0.7"));
        let cause = std::error::Error::source(&error).unwrap();
        assert!(cause.to_string().contains("10.0.0.7"));
    }

    #[test]
    fn a_server_that_takes_no_writes_is_known_by_everybody_who_shared_the_call() {
        let error = Arc::new(StorageError::Unavailable(Diagnosed(Fault::ReadOnly).into()));
        let shared = StorageError::shared(&error);
        assert!(shared.is_read_only() && shared.ends_connection());
        assert!(shared.condition().contains("read-only"));
    }
}
