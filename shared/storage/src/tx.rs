//! A transaction, and the repositories that speak through it.

use chrono::{DateTime, Utc};
use trainyard_domain::Clock;

use crate::audit::Audit;
use crate::datasets::Datasets;
use crate::error::{Result, StorageError};
use crate::idempotency::Idempotency;
use crate::identities::Identities;
use crate::jobs::Jobs;
use crate::known_addresses::KnownAddresses;
use crate::leaders::Leaders;
use crate::logs::Logs;
use crate::models::Models;
use crate::schedules::Schedules;
use crate::session::Session;
use crate::sql::answered;
use crate::sqlite_session::SqliteSession;
use crate::tokens::RefreshTokens;
use crate::users::Users;
use crate::webhooks::Webhooks;
use crate::workers::Workers;

/// One transaction. Dropping it undoes everything; [`Tx::commit`] makes it last.
#[derive(Debug)]
pub struct Tx {
    pub(crate) inner: Inner,
    pub(crate) may_write: bool,
}

#[derive(Debug)]
pub(crate) enum Inner {
    Postgres(Session),
    Sqlite(SqliteSession),
}

impl Tx {
    /// The database's time, to the microsecond; on SQLite, which has no server, this host's. Leases are judged by it,
    /// so that a worker whose clock is off neither loses nor steals one.
    ///
    /// # Errors
    /// As every query.
    pub async fn now(&mut self) -> Result<DateTime<Utc>> {
        match &mut self.inner {
            Inner::Postgres(session) => {
                let clock = sqlx::query_scalar("SELECT clock_timestamp()").persistent(session.prepares());
                let outcome = answered(clock.fetch_one(&mut **session)).await;
                session.note(outcome)
            }
            Inner::Sqlite(..) => Ok(Clock::system().now()),
        }
    }

    /// The time that a statement goes by when it is told `at`. Told none, Postgres asks for its own within the statement
    /// (`statement_timestamp()`), which saves a round trip; SQLite has only this host's.
    pub(crate) fn moment(&self, at: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        match self.inner {
            Inner::Postgres(_) => at,
            Inner::Sqlite(..) => at.or_else(|| Some(Clock::system().now())),
        }
    }

    /// Makes the changes last.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] can mean either outcome: the connection broke before the answer came. Every
    /// state change here is a compare-and-set, so trying again is safe.
    pub async fn commit(self) -> Result<()> {
        match self.inner {
            Inner::Postgres(session) => session.commit().await,
            Inner::Sqlite(session) => session.commit().await,
        }
    }

    /// Accounts.
    pub fn users(&mut self) -> Users<'_> {
        Users(self)
    }

    /// Identities of outside token issuers.
    pub fn identities(&mut self) -> Identities<'_> {
        Identities(self)
    }

    /// Addresses that accounts signed in from.
    pub fn known_addresses(&mut self) -> KnownAddresses<'_> {
        KnownAddresses(self)
    }

    /// Refresh tokens.
    pub fn refresh_tokens(&mut self) -> RefreshTokens<'_> {
        RefreshTokens(self)
    }

    /// Who did what.
    pub fn audit(&mut self) -> Audit<'_> {
        Audit(self)
    }

    /// Data sets.
    pub fn datasets(&mut self) -> Datasets<'_> {
        Datasets(self)
    }

    /// Training jobs and the queue's switch.
    pub fn jobs(&mut self) -> Jobs<'_> {
        Jobs(self)
    }

    /// What runs said of themselves.
    pub fn logs(&mut self) -> Logs<'_> {
        Logs(self)
    }

    /// Answers already given to requests with an idempotency key.
    pub fn idempotency(&mut self) -> Idempotency<'_> {
        Idempotency(self)
    }

    /// Models, versions, aliases.
    pub fn models(&mut self) -> Models<'_> {
        Models(self)
    }

    /// What jobs tell when they end.
    pub fn webhooks(&mut self) -> Webhooks<'_> {
        Webhooks(self)
    }

    /// Schedules and what their times came to.
    pub fn schedules(&mut self) -> Schedules<'_> {
        Schedules(self)
    }

    /// Worker heartbeats.
    pub fn workers(&mut self) -> Workers<'_> {
        Workers(self)
    }

    /// Leader leases.
    pub fn leaders(&mut self) -> Leaders<'_> {
        Leaders(self)
    }

    /// Refuses to write through a transaction opened by `Db::read`: Postgres would too, SQLite would now and then.
    pub(crate) fn check_may_write(&self) -> Result<()> {
        if self.may_write { Ok(()) } else { Err(StorageError::Other("a write in a transaction opened to read".into())) }
    }
}
