//! A transaction and its repositories.

use chrono::{DateTime, Utc};
use trainyard_domain::Clock;

use crate::api_keys::ApiKeys;
use crate::audit::Audit;
use crate::checkpoints::Checkpoints;
use crate::datasets::Datasets;
use crate::error::{Result, StorageError};
use crate::idempotency::Idempotency;
use crate::identities::Identities;
use crate::job_actions::JobActions;
use crate::jobs::Jobs;
use crate::known_addresses::KnownAddresses;
use crate::leaders::Leaders;
use crate::logs::Logs;
use crate::models::Models;
use crate::predictions::Predictions;
use crate::queue_history::QueueHistory;
use crate::schedules::Schedules;
use crate::session::Session;
use crate::sql::with_timeout;
use crate::sqlite_session::SqliteSession;
use crate::tokens::RefreshTokens;
use crate::users::Users;
use crate::webhooks::Webhooks;
use crate::workers::Workers;

/// A transaction. Dropping it rolls back; [`Tx::commit`] commits.
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
    /// The database's time in microseconds; on SQLite the host's. Leases use this time, so that a wrong clock of a worker
    /// has no effect.
    pub async fn now(&mut self) -> Result<DateTime<Utc>> {
        match &mut self.inner {
            Inner::Postgres(session) => {
                let clock = sqlx::query_scalar("SELECT clock_timestamp()").persistent(session.prepares());
                let outcome = with_timeout(clock.fetch_one(&mut **session)).await;
                session.note(outcome)
            }
            Inner::Sqlite(..) => Ok(Clock::system().now()),
        }
    }

    /// The time parameter of a statement. For `None` Postgres uses `statement_timestamp()` within the statement, which saves
    /// a round trip; SQLite uses the host's time.
    pub(crate) fn statement_time(&self, at: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        match self.inner {
            Inner::Postgres(_) => at,
            Inner::Sqlite(..) => at.or_else(|| Some(Clock::system().now())),
        }
    }

    /// Commits.
    ///
    /// # Errors
    /// After [`StorageError::Unavailable`] the outcome is unknown: the connection may have broken after the commit. State
    /// changes are compare-and-sets, so a retry is safe.
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

    /// Identities of external token issuers.
    pub fn identities(&mut self) -> Identities<'_> {
        Identities(self)
    }

    /// Known client addresses of accounts.
    pub fn known_addresses(&mut self) -> KnownAddresses<'_> {
        KnownAddresses(self)
    }

    /// Refresh tokens.
    pub fn refresh_tokens(&mut self) -> RefreshTokens<'_> {
        RefreshTokens(self)
    }

    /// API keys.
    pub fn api_keys(&mut self) -> ApiKeys<'_> {
        ApiKeys(self)
    }

    /// The audit trail.
    pub fn audit(&mut self) -> Audit<'_> {
        Audit(self)
    }

    /// Datasets.
    pub fn datasets(&mut self) -> Datasets<'_> {
        Datasets(self)
    }

    /// Jobs and the state of the queue.
    pub fn jobs(&mut self) -> Jobs<'_> {
        Jobs(self)
    }

    /// Bulk actions on jobs.
    pub fn job_actions(&mut self) -> JobActions<'_> {
        JobActions(self)
    }

    /// The history of the queue.
    pub fn queue_history(&mut self) -> QueueHistory<'_> {
        QueueHistory(self)
    }

    /// Logs of runs.
    pub fn logs(&mut self) -> Logs<'_> {
        Logs(self)
    }

    /// Idempotency keys.
    pub fn idempotency(&mut self) -> Idempotency<'_> {
        Idempotency(self)
    }

    /// Models, versions and aliases.
    pub fn models(&mut self) -> Models<'_> {
        Models(self)
    }

    /// The parts of the results of prediction jobs.
    pub fn predictions(&mut self) -> Predictions<'_> {
        Predictions(self)
    }

    /// The last checkpoints of training jobs.
    pub fn checkpoints(&mut self) -> Checkpoints<'_> {
        Checkpoints(self)
    }

    /// Webhook deliveries.
    pub fn webhooks(&mut self) -> Webhooks<'_> {
        Webhooks(self)
    }

    /// Schedules and their runs.
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

    /// Refuses a write in a read transaction. Postgres would refuse too, SQLite only sometimes.
    pub(crate) fn check_may_write(&self) -> Result<()> {
        if self.may_write { Ok(()) } else { Err(StorageError::Other("a write in a read transaction".into())) }
    }
}
