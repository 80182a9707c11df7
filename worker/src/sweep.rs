//! The sweep: periodic duties that keep the queue consistent with the database. It runs in every API and worker process; a
//! lease row elects one leader. Every duty is a compare-and-set or idempotent, so two leaders at once do no harm.

mod cleanup;
mod dispatch;
mod error_log;
mod expired;
mod failures;
mod gauges;
mod guards;
mod history;
mod lag;
mod lease_grace;
mod orphans;
mod request_log;
mod schedules;
mod throttled;
mod webhooks;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use trainyard_artifacts::Store;
use trainyard_domain::Clock;
use trainyard_queue::Queue;
use trainyard_storage::{Db, ExpiryCursor, FailureCursor, JobLimits, Result, StorageError};
use trainyard_telemetry::catalogue;

use crate::webhooks::WebhookConfig;
use dispatch::Backlog;
use error_log::ErrorLog;
use lag::Lag;
use lease_grace::LeaseGrace;
use throttled::Throttled;
use webhooks::Sending;

const LEADER: &str = "sweep";
/// Time limit of a round.
const ROUND_LIMIT: Duration = Duration::from_secs(60);

/// Settings of the sweep; `app/src/default.toml` documents the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepConfig {
    /// Time between two rounds, in milliseconds.
    pub every_ms: u64,
    /// Lease of the leader, in seconds.
    pub lease_s: u64,
    /// About the most jobs that are enqueued in one call.
    pub dispatch_batch: u64,
    /// Most enqueued jobs of one user and priority class; further jobs wait in the database.
    pub dispatch_window: u64,
    /// Grace period after a database outage, in which workers renew leases and the sweep ends no expired lease, in
    /// milliseconds.
    pub settle_ms: u64,
    /// A worker whose last heartbeat is older than this counts as dead, in seconds.
    pub worker_dead_after_s: u64,
    /// Time between two measurements of the gauges, in seconds. A slow measurement runs less often.
    pub measure_every_s: u64,
    /// Time between two deletions of expired rows, in seconds.
    pub cleanup_every_s: u64,
    /// Time between two searches of the object store for orphans, in seconds.
    pub orphans_every_s: u64,
    /// Minimum age of orphans, in seconds.
    pub orphan_age_s: u64,
    /// How long ended jobs are kept, in seconds; 0 keeps them for ever. Jobs with a model version
    /// are kept as long as the version.
    pub keep_finished_s: u64,
    /// Most rows per transaction of a deletion.
    pub expiry_batch: i64,
    /// Age after which a due time of a schedule counts as missed, in seconds.
    pub schedule_late_s: u64,
    /// Most runs kept per schedule.
    pub schedule_runs_kept: i64,
    /// How long runs of schedules are kept, in seconds; 0 sets no limit.
    pub keep_schedule_runs_s: u64,
    /// How long audit entries are kept, in seconds; 0 keeps them for ever.
    pub keep_audit_s: u64,
    /// How long the log of an ended job is kept, in seconds; 0 keeps it as long as the job.
    pub keep_logs_s: u64,
    /// How long finished bulk actions are kept, in seconds; 0 keeps them for ever.
    pub keep_actions_s: u64,
    /// How long the row of a dead worker is kept, in seconds.
    pub keep_workers_s: u64,
    /// How long the objects of the request log are kept, in seconds; 0 keeps them for ever.
    pub keep_request_log_s: u64,
}

/// The dependencies of the sweep, and the settings that it shares with the API.
#[derive(Clone)]
pub struct SweepDeps {
    /// The database.
    pub db: Db,
    /// The queue of job ids.
    pub queue: Queue,
    /// The object store of datasets and models.
    pub store: Store,
    /// For the age of objects. Jobs use the database's time.
    pub clock: Clock,
    /// Settings of webhooks.
    pub webhooks: WebhookConfig,
    /// The limits on queued and running jobs, which apply to schedules too.
    pub job_limits: JobLimits,
}

/// Runs the sweep every `every_ms` until `shutdown`. An error is logged once, and the next round retries. `owner` must be
/// unique to this process start.
pub async fn run(deps: SweepDeps, config: SweepConfig, owner: String, shutdown: CancellationToken) {
    let SweepDeps { db, queue, store, clock, webhooks, job_limits } = deps;
    let every = Duration::from_millis(config.every_ms.max(1));
    let (state, log, lag) = (State::default(), ErrorLog::default(), Lag::new(Instant::now()));
    let mut sweep = Sweep { db, queue, store, clock, webhooks, job_limits, config, owner, state, log, lag };
    loop {
        let round = async {
            let limited = async {
                sweep.round().await;
                let next = tokio::time::Instant::now() + every;
                sweep.top_up(next).await;
                next
            };
            let next = tokio::time::timeout(ROUND_LIMIT + every, limited).await.unwrap_or_else(|_| {
                // The next round uses other connections.
                tracing::warn!(limit_s = ROUND_LIMIT.as_secs(), "a round of the sweep exceeded its time limit");
                sweep.reset();
                tokio::time::Instant::now() + every
            });
            tokio::time::sleep_until(next).await;
        };
        tokio::select! {
            () = round => {}
            () = shutdown.cancelled() => break,
        }
    }
    sweep.release_lead().await;
}

struct Sweep {
    db: Db,
    queue: Queue,
    store: Store,
    clock: Clock,
    webhooks: WebhookConfig,
    job_limits: JobLimits,
    config: SweepConfig,
    owner: String,
    state: State,
    log: ErrorLog,
    lag: Lag,
}

/// The state of a leader between rounds. A new leader starts with an empty state.
#[derive(Default)]
struct State {
    /// The start of the last round that this process led; `None` while it does not lead.
    leads: Option<Instant>,
    /// Users with jobs that wait for room in their windows.
    backlog: Backlog,
    lease_grace: LeaseGrace,
    measuring: Throttled<std::result::Result<gauges::Queue, SweepError>>,
    counting: Throttled<std::result::Result<i64, SweepError>>,
    /// The minute of the last sample.
    sampled: Option<DateTime<Utc>>,
    cleaned: Option<Instant>,
    /// The position of the deletion of succeeded jobs.
    expired: Option<ExpiryCursor>,
    /// When the last pass over the failed jobs began.
    indexed: Option<Instant>,
    /// The position of the pass over the failed jobs.
    indexing: Option<FailureCursor>,
    searched: Option<Instant>,
    search: Option<AbortOnDropHandle<std::result::Result<(), SweepError>>>,
    sending: Sending,
}

impl Sweep {
    /// Runs one round if this process leads.
    async fn round(&mut self) {
        let now = match self.lead().await {
            Ok(Some(now)) => now,
            Ok(None) => {
                self.reset();
                return;
            }
            Err(error) => {
                self.log.failed("lead", &error);
                self.state.lease_grace.restart();
                self.hide_stale_gauges();
                return;
            }
        };
        self.log.succeeded("lead");
        let started = Instant::now();
        let (every, grace) =
            (Duration::from_millis(self.config.every_ms), Duration::from_millis(self.config.settle_ms));
        let may_end_leases = self.state.lease_grace.is_over(started, every, grace);

        let answer = dispatch::promote(self, now).await;
        self.log_result("promote", answer);
        // Before the dispatch, which enqueues the jobs of schedules.
        let answer = schedules::run(self, now).await;
        self.log_result("schedules", answer);
        let answer = dispatch::run(self).await;
        self.log_result("dispatch", answer);
        if may_end_leases {
            let answer = expired::run(self, now).await;
            self.log_result("expired", answer);
        }
        let answer = webhooks::run(self).await;
        self.log_result("webhooks", answer);
        let answer = guards::run(self, now).await;
        self.log_result("guards", answer);
        self.measure().await;
        let answer = history::run(self, now).await;
        self.log_result("history", answer);
        if is_due(&mut self.state.cleaned, self.config.cleanup_every_s) {
            let answer = cleanup::run(self, now).await;
            self.log_result("cleanup", answer);
        }
        let answer = failures::run(self).await;
        self.log_result("failures", answer);
        self.search_orphans().await;
        self.state.lease_grace.round_ended(Instant::now());
        metrics::histogram!(catalogue::SWEEP_DURATION_SECONDS).record(started.elapsed().as_secs_f64());
    }

    /// Enqueues waiting jobs until the next round, as windows get room.
    async fn top_up(&mut self, next_round: tokio::time::Instant) {
        if !self.state.backlog.is_empty() {
            let answer = dispatch::top_up(self, next_round).await;
            self.log_result("dispatch", answer);
        }
    }

    /// Starts measurements of the queue and the dead letters, and sets the gauges from the last results.
    async fn measure(&mut self) {
        let (every, db) = (Duration::from_secs(self.config.measure_every_s), &self.db);
        if let Some(answer) = self.state.measuring.poll(every, || gauges::measure(db.clone())).await {
            let answer = answer.map(|queue| gauges::set_queue(&queue));
            self.log_result("gauges", answer);
        }
        let db = &self.db;
        if let Some(answer) = self.state.counting.poll(every, || gauges::count_failed(db.clone())).await {
            let answer = answer.map(gauges::set_dead_letters);
            self.log_result("dead letters", answer);
        }
    }

    /// Clears the state and hides the gauges after the lead is lost.
    fn reset(&mut self) {
        if self.state.leads.is_some() {
            gauges::hide();
        }
        self.state = State::default();
    }

    /// Hides the gauges while the database is away, once the lease may have expired.
    fn hide_stale_gauges(&self) {
        let lease = Duration::from_secs(self.config.lease_s);
        if self.state.leads.is_some_and(|since| since.elapsed() > lease) {
            gauges::hide();
        }
    }

    /// Searches the object store for orphans and expired objects in a task beside the rounds, one search at a time.
    async fn search_orphans(&mut self) {
        if let Some(search) = self.state.search.take_if(|search| search.is_finished()) {
            // The panic hook has logged a panic.
            let answer = search.await.unwrap_or(Ok(()));
            self.log_result("orphans", answer);
        }
        if self.state.search.is_none() && is_due(&mut self.state.searched, self.config.orphans_every_s) {
            let (now, kept_s) = (self.clock.now(), self.config.keep_request_log_s);
            let orphans_before = now - seconds(self.config.orphan_age_s);
            let logged_before = (kept_s > 0).then(|| now - seconds(kept_s));
            let (db, store) = (self.db.clone(), self.store.clone());
            let search = tokio::spawn(async move {
                orphans::run(db, store.clone(), orphans_before).await?;
                request_log::run(&store, logged_before).await
            });
            self.state.search = Some(AbortOnDropHandle::new(search));
        }
    }

    /// Acquires or renews the lead; the database's time if this process leads.
    async fn lead(&mut self) -> Result<Option<DateTime<Utc>>> {
        let answer = self.acquire_lead().await;
        let (answered, every) = (Instant::now(), Duration::from_millis(self.config.every_ms));
        if let Ok((_, ago, _)) = &answer {
            self.lag.observe(answered, *ago);
        }
        self.lag.report(answered, every);
        let (now, _, leads) = answer?;
        if leads {
            self.lag.observe(answered, Some(Duration::ZERO));
            if self.state.leads.replace(answered).is_none() {
                tracing::info!(owner = self.owner, "this process leads the sweep");
            }
        }
        Ok(leads.then_some(now))
    }

    /// Returns the database's time, the age of the last round of any leader, and whether this process leads.
    async fn acquire_lead(&self) -> Result<(DateTime<Utc>, Option<Duration>, bool)> {
        let mut tx = self.db.begin().await?;
        let now = tx.now().await?;
        let lease = seconds(self.config.lease_s);
        let before = tx.leaders().expires_at(LEADER).await?;
        let leads = tx.leaders().acquire(LEADER, &self.owner, now, now + lease).await?;
        tx.commit().await?;
        let ago = before.map(|until| (now - (until - lease)).to_std().unwrap_or_default());
        Ok((now, ago, leads))
    }

    /// Releases the lead for another process.
    async fn release_lead(&mut self) {
        if self.state.leads.is_none() {
            return;
        }
        self.reset();
        let released = async {
            let mut tx = self.db.begin().await?;
            tx.leaders().release(LEADER, &self.owner).await?;
            tx.commit().await
        };
        // After an error, the lease expires.
        let _ = tokio::time::timeout(Duration::from_secs(2), released).await;
    }

    fn log_result(&mut self, duty: &'static str, answer: std::result::Result<(), SweepError>) {
        match answer {
            Ok(()) => self.log.succeeded(duty),
            Err(error) => {
                if matches!(&error, SweepError::Storage(error) if error.is_retryable()) {
                    self.state.lease_grace.restart();
                }
                self.log.failed(duty, &error);
            }
        }
    }
}

/// Why a duty failed in this round.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Queue(#[from] trainyard_queue::QueueError),
    #[error(transparent)]
    Artifacts(#[from] trainyard_artifacts::ArtifactError),
    #[error("webhooks are due, but webhooks.secret is not set in this process")]
    NoSecret,
    #[error("the HTTP client of webhooks could not be created")]
    Client(#[from] reqwest::Error),
}

/// Whether `every_s` have passed since `last`; if so, sets `last` to now.
fn is_due(last: &mut Option<Instant>, every_s: u64) -> bool {
    let due = last.is_none_or(|at| at.elapsed() >= Duration::from_secs(every_s));
    if due {
        *last = Some(Instant::now());
    }
    due
}

fn seconds(count: u64) -> chrono::Duration {
    chrono::Duration::seconds(i64::try_from(count).unwrap_or(i64::MAX / 1_000))
}
