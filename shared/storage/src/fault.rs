//! Classifies the errors of the drivers by PostgreSQL's SQLSTATE and SQLite's result codes.

use sqlx::error::{DatabaseError, ErrorKind};

/// The class of a driver's error: what it means for the call, the transaction and the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A unique or foreign key constraint refused the write.
    Conflict,
    /// The transaction may be retried on this connection: a deadlock, a lock timeout or a statement timeout.
    Retry,
    /// The server is unreachable, lacks a resource or refuses the session. The connection must not be reused.
    Unavailable(&'static str),
    /// The disk of the database is full or reports errors. The connection must not be reused.
    Disk(&'static str),
    /// The server is read-only: a standby or a demoted primary. All connections to it are outdated.
    ReadOnly,
    /// A table or a column is missing, because the schema is older than this program.
    Unmigrated,
    /// A defect of this program or of the stored data. A retry does not help.
    Defect,
}

/// The condition without further information.
pub(crate) const UNAVAILABLE: &str = "the database does not answer as it should";
const READ_ONLY: &str = "the database is read-only: it accepts no writes";
pub(crate) const DISK_FULL: &str = "the database's disk is full";
const DISK_ERROR: &str = "the database's disk reports an error";
const DENIED: &str = "the database's user lacks a permission";

impl Fault {
    /// Classifies an error of either driver.
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        use sqlx::Error as E;
        match error {
            E::Database(refusal) => Self::of_database(refusal.as_ref()),
            E::PoolTimedOut => Self::Unavailable("all connections to the database are in use"),
            E::Io(_) | E::Tls(_) | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => Self::Unavailable(UNAVAILABLE),
            // The connection broke within an answer, or its transaction state is unknown.
            E::Protocol(_) | E::InvalidSavePointStatement => Self::Unavailable(UNAVAILABLE),
            _ => Self::Defect,
        }
    }

    fn of_database(error: &dyn DatabaseError) -> Self {
        let code = error.code().unwrap_or_default();
        match error.kind() {
            ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation => Self::Conflict,
            // SQLSTATE has five characters. SQLite's (extended) result codes are shorter numbers.
            _ if code.len() == 5 => Self::of_sqlstate(&code),
            _ => Self::of_sqlite(&code, error.message()),
        }
    }

    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    fn of_sqlstate(code: &str) -> Self {
        match code {
            "23001" => Self::Conflict,
            "25006" => Self::ReadOnly,
            // Undefined column, undefined table, invalid schema name.
            "42703" | "42P01" | "3F000" => Self::Unmigrated,
            // idle_in_transaction_session_timeout and transaction_timeout.
            "25P03" | "25P04" => Self::Unavailable(UNAVAILABLE),
            // A prepared statement is missing or outdated, after a schema change or behind a pooler.
            "26000" | "42P05" | "0A000" => Self::Unavailable(UNAVAILABLE),
            "42501" => Self::Unavailable(DENIED),
            "53100" => Self::Disk(DISK_FULL),
            "58030" => Self::Disk(DISK_ERROR),
            "53300" => Self::Unavailable("the database has too many connections"),
            "57014" => Self::Retry,
            // Corrupted data or index: a retry does not help.
            "XX001" | "XX002" => Self::Defect,
            _ => match &code[..2] {
                // Transaction rollback (serialization, deadlock), lock not available or object in use, snapshot too old.
                "40" | "55" | "72" => Self::Retry,
                "28" => Self::Unavailable("the database refuses the user or the password in database.url"),
                "3D" => Self::Unavailable("the database that database.url names does not exist"),
                // Connection, resources, operator intervention, system error, configuration file, internal error.
                "08" | "53" | "57" | "58" | "F0" | "XX" => Self::Unavailable(UNAVAILABLE),
                _ => Self::Defect,
            },
        }
    }

    /// <https://www.sqlite.org/rescode.html>; the low byte is the primary code. SQLite may have rolled back the transaction
    /// after every `Unavailable` or `Disk` error.
    fn of_sqlite(code: &str, message: &str) -> Self {
        match code.parse::<i64>().map(|code| code & 0xff) {
            // SQLITE_ERROR: only the message says that a table or a column is missing.
            Ok(1) if ["no such table", "no such column", "has no column named"].iter().any(|m| message.contains(m)) => {
                Self::Unmigrated
            }
            // ABORT, BUSY, LOCKED, NOMEM, INTERRUPT, PROTOCOL, SCHEMA.
            Ok(4..=7 | 9 | 15 | 17) => Self::Unavailable(UNAVAILABLE),
            Ok(3) => Self::Unavailable("this process's user may not access the database file"),
            Ok(8) => Self::Unavailable(READ_ONLY),
            Ok(10) => Self::Disk(DISK_ERROR),
            Ok(13) => Self::Disk(DISK_FULL),
            Ok(14) => Self::Unavailable("the database file cannot be opened"),
            _ => Self::Defect,
        }
    }

    /// Whether the connection must be closed.
    pub(crate) fn ends_connection(self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Disk(_) | Self::ReadOnly)
    }

    /// The condition, without an address and SQL.
    pub(crate) fn condition(self) -> &'static str {
        match self {
            Self::Unavailable(condition) | Self::Disk(condition) => condition,
            Self::ReadOnly => READ_ONLY,
            Self::Conflict | Self::Retry | Self::Unmigrated | Self::Defect => UNAVAILABLE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_sqlstate_is_classified() {
        let unavailable = [
            "08000", "08006", "08P01", "0A000", "25P03", "25P04", "26000", "28000", "28P01", "3D000", "42501", "42P05",
            "53000", "53200", "53300", "53400", "57000", "57P01", "57P02", "57P03", "57P04", "57P05", "58000", "58P01",
            "F0000", "XX000",
        ];
        for code in unavailable {
            let fault = Fault::of_sqlstate(code);
            assert!(matches!(fault, Fault::Unavailable(_)) && fault.ends_connection(), "{code} is {fault:?}");
        }
        for code in ["53100", "58030"] {
            let fault = Fault::of_sqlstate(code);
            assert!(matches!(fault, Fault::Disk(_)) && fault.ends_connection(), "{code} is {fault:?}");
        }
        for code in ["40001", "40P01", "40003", "55P03", "55006", "57014", "72000"] {
            let fault = Fault::of_sqlstate(code);
            assert!(fault == Fault::Retry && !fault.ends_connection(), "{code} is {fault:?}");
        }
        for code in ["42P01", "42703", "3F000"] {
            assert_eq!(Fault::of_sqlstate(code), Fault::Unmigrated, "{code}");
        }
        for code in ["21000", "22P02", "22021", "23502", "23514", "25P02", "2D000", "42601", "54000", "P0001", "XX001"]
        {
            assert_eq!(Fault::of_sqlstate(code), Fault::Defect, "{code}");
        }
        assert_eq!(Fault::of_sqlstate("25006"), Fault::ReadOnly);
        assert_eq!(Fault::of_sqlstate("23001"), Fault::Conflict);
    }

    #[test]
    fn sqlite_result_codes_are_classified_by_their_low_byte() {
        // BUSY, BUSY_SNAPSHOT, LOCKED, NOMEM, READONLY, READONLY_DBMOVED, CANTOPEN, ABORT_ROLLBACK.
        for code in ["5", "517", "6", "7", "8", "1032", "14", "516"] {
            let fault = Fault::of_sqlite(code, "");
            assert!(matches!(fault, Fault::Unavailable(_)) && fault.ends_connection(), "{code} is {fault:?}");
        }
        // IOERR, IOERR_WRITE, IOERR_SHMSIZE, FULL.
        for code in ["10", "778", "4874", "13"] {
            let fault = Fault::of_sqlite(code, "");
            assert!(matches!(fault, Fault::Disk(_)) && fault.ends_connection(), "{code} is {fault:?}");
        }
        // ERROR, CORRUPT, CONSTRAINT_NOTNULL, MISMATCH, NOTADB.
        for code in ["1", "11", "1299", "20", "26"] {
            assert_eq!(Fault::of_sqlite(code, "syntax error"), Fault::Defect, "{code}");
        }
        for message in ["no such table: jobs", "no such column: claim", "table jobs has no column named claim"] {
            assert_eq!(Fault::of_sqlite("1", message), Fault::Unmigrated, "{message}");
        }
    }
}
