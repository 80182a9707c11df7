//! What can go wrong with a database, sorted by what a caller can do about it.

use std::sync::Arc;

use sqlx::error::ErrorKind;

/// The result of every call here.
pub type Result<T> = std::result::Result<T, StorageError>;

/// Why a call failed. The texts name no table, no SQL and no address: those are in the source chain, for the log.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The write collides with a row that is there (unique), or refers to one that isn't (foreign key).
    #[error("the change conflicts with what is stored")]
    Conflict,
    /// The database is away, busy, or asks for the transaction to be tried again.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
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
    /// Whether the same call can succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// The same error once more, for each of those who shared the call that failed.
    pub(crate) fn shared(error: &Arc<Self>) -> Self {
        let cause = || Box::new(SharedCause(Arc::clone(error)));
        match &**error {
            Self::Conflict => Self::Conflict,
            Self::Unavailable(_) => Self::Unavailable(cause()),
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

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Database(refusal) => match refusal.kind() {
                ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation => Self::Conflict,
                _ if refusal.code().is_some_and(|code| is_passing(&code)) => Self::Unavailable(error.into()),
                _ => Self::Other(error.into()),
            },
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => {
                Self::Unavailable(error.into())
            }
            // A connection that broke in the middle of an answer.
            E::Protocol(_) => Self::Unavailable(error.into()),
            E::ColumnDecode { index, .. } => Self::Corrupt(format!("column {index}")),
            E::Decode(_) => Self::Corrupt("a value".into()),
            _ => Self::Other(error.into()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StorageError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as E;
        match error {
            E::Execute(error) | E::ExecuteMigration(error, _) => match Self::from(error) {
                Self::Conflict => Self::Unavailable("two processes migrated at the same time".into()),
                other => other,
            },
            other => Self::Other(other.into()),
        }
    }
}

/// Whether a database's error code stands for a state that passes: Postgres's SQLSTATE has five characters, SQLite's
/// (extended) result codes are short numbers.
fn is_passing(code: &str) -> bool {
    if code.len() == 5 {
        // 08 connection, 40 serialization failure and deadlock, 53 out of resources, 55P03 lock timeout,
        // 57 shutting down or cancelled (statement timeout), 58 I/O; 25P03 idle in transaction for too long.
        return matches!(&code[..2], "08" | "40" | "53" | "57" | "58") || matches!(code, "55P03" | "25P03");
    }
    // The low byte is the primary code: 5 busy, 6 locked, 10 I/O, 13 disk full, 14 can't open.
    matches!(code.parse::<i64>().map(|code| code & 0xff), Ok(5 | 6 | 10 | 13 | 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_states_are_told_from_defects() {
        for passing in ["40001", "40P01", "55P03", "57P01", "57014", "08006", "53300", "5", "517", "6", "13"] {
            assert!(is_passing(passing), "{passing}");
        }
        for lasting in ["42P01", "23502", "22P02", "25006", "1", "1299", "11"] {
            assert!(!is_passing(lasting), "{lasting}");
        }
    }

    #[test]
    fn texts_for_clients_keep_the_cause_to_the_source_chain() {
        let error = StorageError::from(sqlx::Error::Io(std::io::Error::other("10.0.0.7:5432 refused")));
        assert!(error.is_retryable());
        assert!(!error.to_string().contains("10.0.0.7"));
        let cause = std::error::Error::source(&error).unwrap();
        assert!(cause.to_string().contains("10.0.0.7"));
    }
}
