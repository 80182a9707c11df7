//! Connections to Postgres, the one used last first.
//!
//! The pool hands connections out in turn, so that after a start each of them has to meet every statement once before the
//! last caller is answered quickly, and it asks each one that comes back whether it still stands. What is here keeps those
//! that were used a moment ago, with their statements prepared and no question asked, and leaves opening, limits and ages
//! to the pool.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, SqlSafeStr, SqlStr};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::connect::{PoolOptions, limits};
use crate::demotion::Demotion;
use crate::disk_faults::DiskFaults;
use crate::error::{Result, StorageError};
use crate::sql::answered;

/// A connection that was used this recently is not asked whether it still stands. If it does not, its next use fails as it
/// would if the connection broke then.
pub(crate) const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// After this long the pool gets a connection back, which looks at its age.
const KEPT_FOR: Duration = Duration::from_secs(300);
/// Longest wait for a transaction to be undone before its connection is closed instead.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(5);

/// All connections of a process.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    pool: PgPool,
    warm: Arc<Warm>,
    demotion: Arc<Demotion>,
    disk: Arc<DiskFaults>,
    /// As many as the pool may open connections. Who has a turn finds a connection here or in the pool; without turns,
    /// somebody might wait at the pool while connections come back here.
    turns: Arc<Semaphore>,
    acquire_timeout: Duration,
    pooler: Option<Pooler>,
}

/// What stands between here and the server and lends a session of the server's to each transaction: nothing that belongs
/// to a session may outlast one.
#[derive(Debug, Clone)]
struct Pooler {
    /// Executed with each `BEGIN`: the limits that a session of our own is given once.
    limits: Arc<str>,
}

/// Those used a moment ago, in the order they were given back; `None` once there are to be none.
#[derive(Debug)]
struct Warm(Mutex<Option<Vec<Lent>>>);

/// A connection that the pool counts as in use.
#[derive(Debug)]
struct Lent {
    connection: PoolConnection<Postgres>,
    since: Instant,
    used: Instant,
}

/// A connection in use, in a transaction or not. Dropping it undoes the transaction; [`Session::commit`] makes it last.
#[derive(Debug)]
pub(crate) struct Session {
    /// `None` once it is given back.
    lent: Option<Lent>,
    begun: bool,
    /// An error after which the connection is closed rather than given back.
    failed: bool,
    prepares: bool,
    warm: Arc<Warm>,
    demotion: Arc<Demotion>,
    disk: Arc<DiskFaults>,
    /// Passes on after the connection (fields drop in order).
    turn: Option<OwnedSemaphorePermit>,
}

impl Sessions {
    /// `demotion` is what the pool goes by too: it closes connections to a demoted server instead of lending them.
    pub(crate) fn new(pool: PgPool, demotion: Arc<Demotion>, disk: Arc<DiskFaults>, options: &PoolOptions) -> Self {
        let turns = usize::try_from(options.max_connections).unwrap_or(Semaphore::MAX_PERMITS).max(1);
        Self {
            pool,
            warm: Arc::new(Warm(Mutex::new(Some(Vec::new())))),
            demotion,
            disk,
            turns: Arc::new(Semaphore::new(turns)),
            acquire_timeout: options.acquire_timeout,
            pooler: options.pooler.then(|| Pooler { limits: limits("SET LOCAL", options).into() }),
        }
    }

    /// A connection without a transaction: each statement is one of its own. Through a pooler there is one all the same: a
    /// statement takes two steps, and its second one may otherwise reach another session than the first.
    pub(crate) async fn bare(&self) -> Result<Session> {
        if self.pooler.is_some() {
            return self.begin("BEGIN").await;
        }
        let turn = self.turn().await?;
        let lent = match self.warm.take() {
            Some(lent) => lent,
            None => self.open().await?,
        };
        Ok(self.session(lent, turn))
    }

    /// A connection on which `begin` was executed.
    pub(crate) async fn begin(&self, begin: &'static str) -> Result<Session> {
        let mut turn = self.turn().await?;
        if let Some(lent) = self.warm.take() {
            let mut session = self.session(lent, turn);
            // A server that fell silent may cost no more time here than waiting for a connection may.
            if let Ok(Ok(())) = timeout(self.acquire_timeout, session.begin(self.begins(begin))).await {
                return Ok(session);
            }
            // The server went away meanwhile, and most likely from under the others too.
            self.warm.clear();
            drop(session);
            turn = self.turn().await?;
        }
        let mut session = self.session(self.open().await?, turn);
        session.begin(self.begins(begin)).await?;
        Ok(session)
    }

    /// What a transaction begins with.
    fn begins(&self, begin: &'static str) -> SqlStr {
        match &self.pooler {
            None => begin.into_sql_str(),
            Some(pooler) => AssertSqlSafe(format!("{begin}; {}", pooler.limits)).into_sql_str(),
        }
    }

    /// A connection that is nobody else's from now on.
    pub(crate) async fn detached(&self) -> Result<PgConnection> {
        self.warm.clear();
        Ok(self.open().await?.connection.detach())
    }

    /// How many connections are in use, and how many there can be.
    pub(crate) fn in_use(&self) -> (usize, usize) {
        let most = usize::try_from(self.pool.options().get_max_connections()).unwrap_or(usize::MAX).max(1);
        (most.saturating_sub(self.turns.available_permits()), most)
    }

    /// Closes every connection, once those in use are given back.
    pub(crate) async fn close(&self) {
        let all = self.warm.lock().take();
        drop(all);
        self.pool.close().await;
    }

    async fn open(&self) -> Result<Lent> {
        let connection = answered(self.pool.acquire()).await?;
        let now = Instant::now();
        Ok(Lent { connection, since: now, used: now })
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        match timeout(self.acquire_timeout, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(turn) => turn.map_err(|closed| StorageError::Unavailable(closed.into())),
            Err(late) => Err(StorageError::Unavailable(late.into())),
        }
    }

    fn session(&self, lent: Lent, turn: OwnedSemaphorePermit) -> Session {
        let (prepares, warm) = (self.pooler.is_none(), Arc::clone(&self.warm));
        let (demotion, disk) = (Arc::clone(&self.demotion), Arc::clone(&self.disk));
        Session { lent: Some(lent), begun: false, failed: false, prepares, warm, demotion, disk, turn: Some(turn) }
    }
}

impl Warm {
    /// The connection used last, unless that is a while ago.
    fn take(&self) -> Option<Lent> {
        let (lent, stale) = {
            let mut warm = self.lock();
            let warm = warm.as_mut()?;
            let fresh = warm.iter().position(|lent| lent.used.elapsed() < TRUSTED_FOR).unwrap_or(warm.len());
            let stale: Vec<_> = warm.drain(..fresh).collect();
            (warm.pop(), stale)
        };
        drop(stale);
        lent
    }

    fn give(&self, mut lent: Lent) {
        lent.used = Instant::now();
        if let Some(warm) = self.lock().as_mut().filter(|_| lent.since.elapsed() < KEPT_FOR) {
            warm.push(lent);
        }
    }

    /// Gives all of them back to the pool.
    fn clear(&self) {
        let all = self.lock().as_mut().map(std::mem::take);
        drop(all);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Lent>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Whether statements are prepared once and kept under a name.
    pub(crate) fn prepares(&self) -> bool {
        self.prepares
    }

    async fn begin(&mut self, begin: SqlStr) -> Result<()> {
        // Before it is sent: given up halfway, it has to be undone too.
        self.begun = true;
        let outcome = answered(sqlx::raw_sql(begin).execute(&mut **self)).await;
        self.note(outcome)?;
        Ok(())
    }

    /// Remembers whether the connection may be used again, whether its server was demoted, and whether the server's disk is
    /// the cause.
    pub(crate) fn note<T>(&mut self, outcome: Result<T>) -> Result<T> {
        if let Err(error) = &outcome {
            self.failed |= error.ends_connection();
            self.disk.note(error, Instant::now());
            if error.is_read_only() && self.demotion.record(Instant::now()) {
                // They lead to the same server; the pool closes them.
                self.warm.clear();
            }
        }
        outcome
    }

    /// Makes the changes last and gives the connection back.
    pub(crate) async fn commit(mut self) -> Result<()> {
        if self.begun {
            let outcome = answered(sqlx::raw_sql("COMMIT").execute(&mut *self)).await;
            self.note(outcome)?;
            self.begun = false;
        }
        if let Some(lent) = self.lent.take_if(|lent| !self.failed && !self.demotion.is_after(lent.since)) {
            self.warm.give(lent);
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(Lent { mut connection, .. }) = self.lent.take() else { return };
        if self.failed {
            // Closing it rolls back too.
            return connection.close_on_drop();
        }
        if !self.begun {
            return;
        }
        let turn = self.turn.take();
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    let _turn = turn;
                    let undone = timeout(ROLLBACK_LIMIT, sqlx::raw_sql("ROLLBACK").execute(&mut *connection)).await;
                    if !matches!(undone, Ok(Ok(_))) {
                        connection.close_on_drop();
                    }
                });
            }
            Err(_) => connection.close_on_drop(),
        }
    }
}

/// What a session that was given back would be asked for; nobody can, since giving back consumes it.
const GIVEN_BACK: &str = "a session holds its connection until it is given back";

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.lent.as_ref().expect(GIVEN_BACK).connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.lent.as_mut().expect(GIVEN_BACK).connection
    }
}
