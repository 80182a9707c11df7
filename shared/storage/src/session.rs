//! Connections to Postgres, reused last in, first out.
//!
//! sqlx's pool reuses connections first in, first out, so every connection prepares every statement before all callers are
//! fast. It also pings each returned connection. This module keeps recently used connections, with their prepared
//! statements and without a ping. sqlx's pool still opens connections, and limits their number and age.

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
use crate::sql::with_timeout;

/// A connection that was used this recently is reused without a ping. If it is broken, the next statement fails.
pub(crate) const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// After this long a connection returns to sqlx's pool, which checks its age.
const KEPT_FOR: Duration = Duration::from_secs(300);
/// Timeout of a rollback, after which the connection is closed.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(5);

/// The connection pool of a process.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    pool: PgPool,
    idle: Arc<IdleConnections>,
    demotion: Arc<Demotion>,
    disk: Arc<DiskFaults>,
    /// One permit for each connection of sqlx's pool. With a permit a connection is available here or in sqlx's pool.
    /// Without permits a caller could wait at sqlx's pool while a connection returns here.
    permits: Arc<Semaphore>,
    acquire_timeout: Duration,
    pooler: Option<Pooler>,
}

/// A pooler in transaction mode: session state must not outlive a transaction.
#[derive(Debug, Clone)]
struct Pooler {
    /// Timeouts that are set with each `BEGIN`; without a pooler they are set once for each connection.
    limits: Arc<str>,
}

/// Recently used connections, in order of their return; `None` after the pool is closed.
#[derive(Debug)]
struct IdleConnections(Mutex<Option<Vec<PooledConnection>>>);

/// A connection that sqlx's pool counts as in use.
#[derive(Debug)]
struct PooledConnection {
    connection: PoolConnection<Postgres>,
    since: Instant,
    used: Instant,
}

/// A connection in use, in a transaction or in autocommit mode. Dropping it rolls back; [`Session::commit`] commits.
#[derive(Debug)]
pub(crate) struct Session {
    /// `None` once the connection is returned.
    pooled: Option<PooledConnection>,
    begun: bool,
    /// Set by an error after which the connection must be closed.
    failed: bool,
    prepares: bool,
    idle: Arc<IdleConnections>,
    demotion: Arc<Demotion>,
    disk: Arc<DiskFaults>,
    /// Released after the connection, because fields drop in order.
    permit: Option<OwnedSemaphorePermit>,
}

impl Sessions {
    /// sqlx's pool shares `demotion` and closes connections to a demoted server.
    pub(crate) fn new(pool: PgPool, demotion: Arc<Demotion>, disk: Arc<DiskFaults>, options: &PoolOptions) -> Self {
        let permits = usize::try_from(options.max_connections).unwrap_or(Semaphore::MAX_PERMITS).max(1);
        Self {
            pool,
            idle: Arc::new(IdleConnections(Mutex::new(Some(Vec::new())))),
            demotion,
            disk,
            permits: Arc::new(Semaphore::new(permits)),
            acquire_timeout: options.acquire_timeout,
            pooler: options.pooler.then(|| Pooler { limits: limits("SET LOCAL", options).into() }),
        }
    }

    /// A connection in autocommit mode. Behind a pooler it has a transaction: sqlx prepares and executes a statement in two
    /// steps, which would otherwise reach different sessions.
    pub(crate) async fn autocommit(&self) -> Result<Session> {
        if self.pooler.is_some() {
            return self.begin("BEGIN").await;
        }
        let permit = self.permit().await?;
        let pooled = match self.idle.take() {
            Some(pooled) => pooled,
            None => self.open().await?,
        };
        Ok(self.session(pooled, permit))
    }

    /// A connection in a transaction, started by `begin`.
    pub(crate) async fn begin(&self, begin: &'static str) -> Result<Session> {
        let mut permit = self.permit().await?;
        if let Some(pooled) = self.idle.take() {
            let mut session = self.session(pooled, permit);
            // Bound the wait for an unresponsive server by the timeout for a connection.
            if let Ok(Ok(())) = timeout(self.acquire_timeout, session.begin(self.begins(begin))).await {
                return Ok(session);
            }
            // The server was probably restarted, so the other connections are broken too.
            self.idle.clear();
            drop(session);
            permit = self.permit().await?;
        }
        let mut session = self.session(self.open().await?, permit);
        session.begin(self.begins(begin)).await?;
        Ok(session)
    }

    /// The statement that starts a transaction.
    fn begins(&self, begin: &'static str) -> SqlStr {
        match &self.pooler {
            None => begin.into_sql_str(),
            Some(pooler) => AssertSqlSafe(format!("{begin}; {}", pooler.limits)).into_sql_str(),
        }
    }

    /// A connection that leaves the pool.
    pub(crate) async fn detached(&self) -> Result<PgConnection> {
        self.idle.clear();
        Ok(self.open().await?.connection.detach())
    }

    /// Connections in use, and the maximum number of connections.
    pub(crate) fn in_use(&self) -> (usize, usize) {
        let most = usize::try_from(self.pool.options().get_max_connections()).unwrap_or(usize::MAX).max(1);
        (most.saturating_sub(self.permits.available_permits()), most)
    }

    /// Closes all connections, after those in use are returned.
    pub(crate) async fn close(&self) {
        let all = self.idle.lock().take();
        drop(all);
        self.pool.close().await;
    }

    async fn open(&self) -> Result<PooledConnection> {
        let connection = with_timeout(self.pool.acquire()).await?;
        let now = Instant::now();
        Ok(PooledConnection { connection, since: now, used: now })
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        match timeout(self.acquire_timeout, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(permit) => permit.map_err(|closed| StorageError::Unavailable(closed.into())),
            Err(late) => Err(StorageError::Unavailable(late.into())),
        }
    }

    fn session(&self, pooled: PooledConnection, permit: OwnedSemaphorePermit) -> Session {
        let (prepares, idle) = (self.pooler.is_none(), Arc::clone(&self.idle));
        let (demotion, disk) = (Arc::clone(&self.demotion), Arc::clone(&self.disk));
        Session {
            pooled: Some(pooled),
            begun: false,
            failed: false,
            prepares,
            idle,
            demotion,
            disk,
            permit: Some(permit),
        }
    }
}

impl IdleConnections {
    /// The most recently used connection, if it needs no ping.
    fn take(&self) -> Option<PooledConnection> {
        let (pooled, stale) = {
            let mut idle = self.lock();
            let idle = idle.as_mut()?;
            let fresh = idle.iter().position(|pooled| pooled.used.elapsed() < TRUSTED_FOR).unwrap_or(idle.len());
            let stale: Vec<_> = idle.drain(..fresh).collect();
            (idle.pop(), stale)
        };
        drop(stale);
        pooled
    }

    fn put(&self, mut pooled: PooledConnection) {
        pooled.used = Instant::now();
        if let Some(idle) = self.lock().as_mut().filter(|_| pooled.since.elapsed() < KEPT_FOR) {
            idle.push(pooled);
        }
    }

    /// Returns all connections to sqlx's pool.
    fn clear(&self) {
        let all = self.lock().as_mut().map(std::mem::take);
        drop(all);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<PooledConnection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Whether statements are cached as named prepared statements.
    pub(crate) fn prepares(&self) -> bool {
        self.prepares
    }

    async fn begin(&mut self, begin: SqlStr) -> Result<()> {
        // Set before the statement: if this future is dropped, a rollback is needed.
        self.begun = true;
        let outcome = with_timeout(sqlx::raw_sql(begin).execute(&mut **self)).await;
        self.note(outcome)?;
        Ok(())
    }

    /// Records whether an error closes the connection, is a read-only refusal, or is a disk error.
    pub(crate) fn note<T>(&mut self, outcome: Result<T>) -> Result<T> {
        if let Err(error) = &outcome {
            self.failed |= error.ends_connection();
            self.disk.note(error, Instant::now());
            if error.is_read_only() && self.demotion.record(Instant::now()) {
                // They lead to the same server. sqlx's pool closes them.
                self.idle.clear();
            }
        }
        outcome
    }

    /// Commits and returns the connection.
    pub(crate) async fn commit(mut self) -> Result<()> {
        if self.begun {
            let outcome = with_timeout(sqlx::raw_sql("COMMIT").execute(&mut *self)).await;
            self.note(outcome)?;
            self.begun = false;
        }
        if let Some(pooled) = self.pooled.take_if(|pooled| !self.failed && !self.demotion.is_after(pooled.since)) {
            self.idle.put(pooled);
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(PooledConnection { mut connection, .. }) = self.pooled.take() else { return };
        if self.failed {
            // Closing the connection rolls back.
            return connection.close_on_drop();
        }
        if !self.begun {
            return;
        }
        let permit = self.permit.take();
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    let _permit = permit;
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

/// Unreachable: returning the connection consumes the session.
const RETURNED: &str = "a session has its connection until it is returned";

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.pooled.as_ref().expect(RETURNED).connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.pooled.as_mut().expect(RETURNED).connection
    }
}
