//! The heartbeat: renews every lease this process holds, from an operating system thread that does nothing else, with a
//! runtime and a database connection of its own. Training, serving and a full connection pool can't hold it up.
//!
//! It is also where a run learns that it was cancelled or that its claim is lost. A database that is away ends no run:
//! the thread goes on trying, and the runs go on if their claims still stand.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use trainyard_storage::{Db, Renewal, Result, StorageError, WorkerRow};

use crate::held::Stop;
use crate::worker::Worker;

/// The running heartbeat. Dropping it ends the thread too.
pub(crate) struct Heartbeat {
    stop: DropGuard,
    thread: std::thread::JoinHandle<()>,
}

impl Heartbeat {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system refuses a thread or a runtime.
    pub(crate) fn start(worker: Arc<Worker>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let beat = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = Beat::new(&worker).run() => {}
                    () = stopped.cancelled() => {}
                }
            });
            worker.health.rests();
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

struct Beat<'a> {
    worker: &'a Worker,
    row: WorkerRow,
    db: Option<Db>,
    renewed: Option<Instant>,
    well: bool,
}

impl<'a> Beat<'a> {
    fn new(worker: &'a Worker) -> Self {
        let row = WorkerRow {
            id: worker.id.clone(),
            busy: 0,
            capacity: i64::try_from(worker.config.slots()).unwrap_or(i64::MAX),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: worker.deps.clock.now(),
        };
        Self { worker, row, db: None, renewed: None, well: true }
    }

    async fn run(mut self) {
        let config = &self.worker.config;
        let tick = Duration::from_millis(config.cancel_poll_ms.max(10)).min(config.renew_every());
        // A connection that hangs must be given up while there is still time to renew on a new one.
        let limit = Duration::from_millis(config.lease_s.max(1) * 1_000 / 3);
        loop {
            let answer = match timeout(limit, self.turn()).await {
                Ok(answer) => answer,
                Err(late) => {
                    self.db = None;
                    Err(StorageError::Unavailable(late.into()))
                }
            };
            self.note(answer);
            self.worker.health.beats();
            sleep(tick).await;
        }
    }

    /// Renews when it is time to, else looks for cancel marks.
    async fn turn(&mut self) -> Result<()> {
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
            self.look_for_marks(&db).await
        }
    }

    async fn renew(&mut self, db: &Db) -> Result<()> {
        let worker = self.worker;
        let held = worker.runs.claims();
        self.row.busy = i64::try_from(held.len()).unwrap_or(i64::MAX);
        let mut tx = db.begin().await?;
        let now = tx.now().await?;
        let renewals = tx.jobs().renew(&worker.id, &held, now + worker.config.lease()).await?;
        tx.workers().beat(&self.row, now).await?;
        tx.commit().await?;
        self.heed(&renewals);
        Ok(())
    }

    /// Between renewals a read is enough: it bounds how long a cancel takes when the queue's push is lost.
    async fn look_for_marks(&self, db: &Db) -> Result<()> {
        let held = self.worker.runs.claims();
        if held.is_empty() {
            return Ok(());
        }
        let mut tx = db.glance().await?;
        let marks = tx.jobs().marks(&held).await?;
        tx.commit().await?;
        self.heed(&marks);
        Ok(())
    }

    /// Stops the runs that no longer stand, and those that were asked to stop.
    fn heed(&self, news: &[Renewal]) {
        let runs = &self.worker.runs;
        for Renewal { id, claim, stands, cancel_requested } in news.iter().copied() {
            if !stands {
                runs.stop(id, claim, Stop::LeaseLost);
            } else if cancel_requested {
                runs.stop(id, claim, Stop::Cancelled);
            }
        }
    }

    /// Says once that the database is away, and once that it is back.
    fn note(&mut self, answer: Result<()>) {
        let was_well = std::mem::replace(&mut self.well, answer.is_ok());
        match answer {
            Ok(()) if !was_well => tracing::info!("leases are renewed again"),
            Err(error) if was_well => {
                tracing::warn!(error = &error as &dyn std::error::Error, "leases can't be renewed; trying on");
            }
            Ok(()) | Err(_) => {}
        }
    }
}
