//! Errors of the database, by what a caller can do.

use std::sync::Arc;

use crate::fault::{Fault, UNAVAILABLE};

/// The result of a call to this crate.
pub type Result<T> = std::result::Result<T, StorageError>;

/// Why a call failed. Clients may see the texts; SQL and addresses are in the source chain, for the log.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A unique or foreign key constraint refused the write.
    #[error("the change conflicts with what is stored")]
    Conflict,
    /// The database is unreachable, busy, full or read-only, or asks to retry the transaction.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The schema is older than this program, until `trainyard migrate` has run.
    #[error("the database's schema is not up to date: run `trainyard migrate`")]
    Unmigrated(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// A stored row cannot be read. The text names table, key and column, never a value.
    #[error("a stored row cannot be read: {0}")]
    Corrupt(String),
    /// The database URL is invalid. The text says what is expected.
    #[error("{0}")]
    BadUrl(String),
    /// A defect of this program or of the schema.
    #[error("the database refused a query")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StorageError {
    /// Whether the same call can succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unmigrated(_))
    }

    /// What is wrong with the database, for the public health report: no address, no SQL.
    pub fn condition(&self) -> &'static str {
        match self {
            Self::Unmigrated(_) => "the database's schema is not up to date: run `trainyard migrate`",
            Self::Unavailable(_) => self.fault().map_or(UNAVAILABLE, Fault::condition),
            Self::Conflict | Self::Corrupt(_) | Self::BadUrl(_) | Self::Other(_) => UNAVAILABLE,
        }
    }

    /// Whether the error comes from the database itself, not from a missing connection.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Unavailable(_) => {
                let from_server = |error: &sqlx::Error| matches!(error, sqlx::Error::Database(_));
                self.driver().is_some_and(from_server) || self.cause::<Diagnosed>().is_some()
            }
            _ => true,
        }
    }

    /// Whether the connection must be closed instead of reused.
    pub(crate) fn ends_connection(&self) -> bool {
        // Without a driver's error the call timed out, and the statement may still run.
        matches!(self, Self::Unavailable(_)) && self.fault().is_none_or(Fault::ends_connection)
    }

    /// Whether the server takes no writes.
    pub(crate) fn is_read_only(&self) -> bool {
        self.fault() == Some(Fault::ReadOnly)
    }

    /// The class of the driver's error, if there is one.
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

    /// The same error for another caller of the failed batch.
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

/// The cause of an error that several callers share.
#[derive(Debug, thiserror::Error)]
#[error("the batch of this call failed")]
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
                Self::Conflict => Self::Unavailable("another process applied the same migration".into()),
                // A table that a migration expects is missing: a defect of the migration.
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
    fn texts_for_clients_contain_no_address() {
        let error = StorageError::from(sqlx::Error::Io(std::io::Error::other("10.0.0.7:5432 refused")));
        assert!(error.is_retryable() && error.ends_connection());
        assert!(!error.to_string().contains("10.0.0.7") && !error.condition().contains("10.0.0.7"));
        let cause = std::error::Error::source(&error).unwrap();
        assert!(cause.to_string().contains("10.0.0.7"));
    }

    #[test]
    fn a_shared_error_keeps_its_read_only_fault() {
        let error = Arc::new(StorageError::Unavailable(Diagnosed(Fault::ReadOnly).into()));
        let shared = StorageError::shared(&error);
        assert!(shared.is_read_only() && shared.ends_connection());
        assert!(shared.condition().contains("read-only"));
    }
}
