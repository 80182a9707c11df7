//! The heartbeat renews the leases of all active runs. It has its own operating system thread, runtime and database
//! connection, so training, other requests and a full connection pool can't delay it.
//!
//! It also stops runs that were cancelled or whose claim is lost. While the database is away the heartbeat retries, and the
//! runs continue.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use trainyard_storage::{Db, Renewal, Result, StorageError, WorkerRow};

use crate::active_runs::StopReason;
use crate::worker::Worker;

/// The running heartbeat. Dropping it ends the thread too.
pub(crate) struct Heartbeat {
    stop: DropGuard,
    thread: std::thread::JoinHandle<()>,
}

impl Heartbeat {
    /// Starts the thread.
    pub(crate) fn start(worker: Arc<Worker>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let beat = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = HeartbeatLoop::new(&worker).run() => {}
                    () = stopped.cancelled() => {}
                }
            });
            worker.health.clear_heartbeat();
        };
        let thread = std::thread::Builder::new().name("heartbeat".into()).spawn(beat)?;
        Ok(Self { stop: stop.drop_guard(), thread })
    }

    /// Ends the thread.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        let _ = tokio::task::spawn_blocking(|| self.thread.join()).await;
    }
}

struct HeartbeatLoop<'a> {
    worker: &'a Worker,
    row: WorkerRow,
    db: Option<Db>,
    renewed: Option<Instant>,
    is_healthy: bool,
}

impl<'a> HeartbeatLoop<'a> {
    fn new(worker: &'a Worker) -> Self {
        let row = WorkerRow {
            id: worker.id.clone(),
            busy: 0,
            capacity: i64::try_from(worker.config.slots()).unwrap_or(i64::MAX),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: worker.deps.clock.now(),
            memory_limit_mb: i64::try_from(worker.config.child_memory_mb).unwrap_or(i64::MAX),
        };
        Self { worker, row, db: None, renewed: None, is_healthy: true }
    }

    async fn run(mut self) {
        let config = &self.worker.config;
        let tick = Duration::from_millis(config.cancel_poll_ms.max(10)).min(config.renew_every());
        // A hanging connection is dropped while there is still time to renew on a new connection.
        let limit = Duration::from_millis(config.lease_s.max(1) * 1_000 / 3);
        loop {
            let result = match timeout(limit, self.renew_or_check()).await {
                Ok(result) => result,
                Err(late) => {
                    self.db = None;
                    Err(StorageError::Unavailable(late.into()))
                }
            };
            self.log_change(result);
            self.worker.health.record_heartbeat();
            sleep(tick).await;
        }
    }

    /// Renews the leases if it is time to, otherwise checks for cancellations.
    async fn renew_or_check(&mut self) -> Result<()> {
        let db = match &self.db {
            Some(db) => db.clone(),
            None => {
                let (url, options) = &self.worker.deps.heartbeat_db;
                self.db.insert(Db::connect(url, options).await?).clone()
            }
        };
        if self.renewed.is_none_or(|at| at.elapsed() >= self.worker.config.renew_every()) {
            self.renew(&db).await?;
            self.renewed = Some(Instant::now());
            Ok(())
        } else {
            self.check_cancellations(&db).await
        }
    }

    async fn renew(&mut self, db: &Db) -> Result<()> {
        let worker = self.worker;
        let claims = worker.runs.claims();
        self.row.busy = i64::try_from(claims.len()).unwrap_or(i64::MAX);
        let mut tx = db.begin().await?;
        let now = tx.now().await?;
        let renewals = tx.jobs().renew(&worker.id, &claims, now + worker.config.lease()).await?;
        tx.workers().heartbeat(&self.row, now).await?;
        tx.commit().await?;
        self.stop_runs(&renewals);
        Ok(())
    }

    /// Reads cancellations between renewals. This bounds the delay of a cancellation whose message was lost.
    async fn check_cancellations(&self, db: &Db) -> Result<()> {
        let claims = self.worker.runs.claims();
        if claims.is_empty() {
            return Ok(());
        }
        let mut tx = db.read_autocommit().await?;
        let renewals = tx.jobs().check_leases(&claims).await?;
        tx.commit().await?;
        self.stop_runs(&renewals);
        Ok(())
    }

    /// Stops runs whose claim is lost or whose job was cancelled.
    fn stop_runs(&self, renewals: &[Renewal]) {
        let runs = &self.worker.runs;
        for Renewal { id, claim, is_current, cancel_requested } in renewals.iter().copied() {
            if !is_current {
                runs.stop(id, claim, StopReason::LeaseLost);
            } else if cancel_requested {
                runs.stop(id, claim, StopReason::Cancelled);
            }
        }
    }

    /// Logs the first failure, and the recovery.
    fn log_change(&mut self, result: Result<()>) {
        let was_healthy = std::mem::replace(&mut self.is_healthy, result.is_ok());
        match result {
            Ok(()) if !was_healthy => tracing::info!("leases are renewed again"),
            Err(error) if was_healthy => {
                tracing::warn!(error = &error as &dyn std::error::Error, "leases can't be renewed; retrying");
            }
            Ok(()) | Err(_) => {}
        }
    }
}
