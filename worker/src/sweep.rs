//! The housekeeping that keeps the queue true. Every API and worker process offers to do it; a lease row lets one of
//! them do it at a time, and since every duty is a compare-and-set or harmless to repeat, two at once do no harm.

mod cleanup;
mod dispatch;
mod expired;
mod gauges;
mod lag;
mod log;
mod orphans;
mod paced;
mod schedules;
mod settle;
mod webhooks;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use trainyard_artifacts::Store;
use trainyard_domain::Clock;
use trainyard_queue::Queue;
use trainyard_storage::{Db, ExpiryMark, JobLimits, Result, StorageError};
use trainyard_telemetry::catalogue;

use crate::webhooks::WebhookConfig;
use dispatch::Behind;
use lag::Lag;
use log::Log;
use paced::Paced;
use settle::Settle;
use webhooks::Sending;

const LEADER: &str = "sweep";
/// A round that takes longer than this is given up.
const ROUND_LIMIT: Duration = Duration::from_secs(60);

/// Settings of the sweep. Every field has the default named in its documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SweepConfig {
    /// How often it runs, in milliseconds (1,000).
    pub every_ms: u64,
    /// A leader that is silent for this long is replaced, in seconds (10).
    pub lease_s: u64,
    /// About how many jobs are sent to the queue in one go (10,000).
    pub dispatch_batch: u64,
    /// Most jobs of one user in a priority class that are in the queue at once; the rest wait in the database (100).
    pub dispatch_window: u64,
    /// After the database was away, workers have this long to renew their leases before expired ones are taken from
    /// them, in milliseconds (5,000).
    pub settle_ms: u64,
    /// A worker whose last heartbeat is older than this counts as dead, in seconds (20).
    pub worker_dead_after_s: u64,
    /// How often the gauges are measured, in seconds (5). Measuring that takes long is done less often.
    pub measure_every_s: u64,
    /// How often rows that are no longer kept are removed, in seconds (60).
    pub cleanup_every_s: u64,
    /// How often the object store is searched for artifacts and data sets that no row names, in seconds (600).
    pub orphans_every_s: u64,
    /// Only objects older than this can be orphans, in seconds (3,600).
    pub orphan_age_s: u64,
    /// How webhooks are sent; a section of its own, because the API goes by it too.
    #[serde(skip)]
    pub webhooks: WebhookConfig,
    /// How many jobs may be queued and running; the API's, because schedules submit within the same limits.
    #[serde(skip)]
    pub job_limits: JobLimits,
    /// Jobs that ended this long ago are removed, but for those whose model version is there, in seconds (2,592,000:
    /// thirty days); 0 keeps them for ever.
    pub keep_finished_s: u64,
    /// Rows removed, or looked at, in one transaction (500).
    pub expiry_batch: i64,
    /// A schedule's time that passed longer ago than this was missed, in seconds (60).
    pub schedule_late_s: u64,
    /// Past times that a schedule remembers (1,000).
    pub schedule_runs_kept: i64,
    /// How long a schedule remembers a past time, in seconds (7,776,000: ninety days); 0 sets no limit.
    pub keep_schedule_runs_s: u64,
    /// How long audit entries are kept, in seconds (31,536,000: a year); 0 keeps them for ever.
    pub keep_audit_s: u64,
    /// How long the log of a job is kept after the job ended, in seconds (2,592,000: thirty days); 0 keeps it as long as
    /// the job.
    pub keep_logs_s: u64,
    /// How long a worker that stopped without saying so stays on record, in seconds (200).
    pub keep_workers_s: u64,
}

impl Default for SweepConfig {
    fn default() -> Self {
        Self {
            every_ms: 1_000,
            lease_s: 10,
            dispatch_batch: 10_000,
            dispatch_window: 100,
            settle_ms: 5_000,
            worker_dead_after_s: 20,
            measure_every_s: 5,
            cleanup_every_s: 60,
            orphans_every_s: 600,
            orphan_age_s: 3_600,
            webhooks: WebhookConfig::default(),
            job_limits: JobLimits::default(),
            keep_finished_s: 30 * 24 * 3_600,
            expiry_batch: 500,
            schedule_late_s: 60,
            schedule_runs_kept: 1_000,
            keep_schedule_runs_s: 90 * 24 * 3_600,
            keep_audit_s: 365 * 24 * 3_600,
            keep_logs_s: 30 * 24 * 3_600,
            keep_workers_s: 200,
        }
    }
}

/// Runs the sweep until `shutdown`, from the start on and then every `every_ms`. An error ends nothing: it is logged
/// once and the next round tries again. `owner` must be unique to this process start.
pub async fn run(
    db: Db,
    queue: Queue,
    store: Store,
    clock: Clock,
    config: SweepConfig,
    owner: String,
    shutdown: CancellationToken,
) {
    let every = Duration::from_millis(config.every_ms.max(1));
    let (state, log, lag) = (State::default(), Log::default(), Lag::new(Instant::now()));
    let mut sweep = Sweep { db, queue, store, clock, config, owner, state, log, lag };
    loop {
        let round = async {
            let both = async {
                sweep.round().await;
                let next = tokio::time::Instant::now() + every;
                sweep.top_up(next).await;
                next
            };
            let next = tokio::time::timeout(ROUND_LIMIT + every, both).await.unwrap_or_else(|_| {
                // Something hangs; the next round starts afresh, on other connections.
                tracing::warn!("a round of the sweep took too long and was given up");
                sweep.forget();
                tokio::time::Instant::now() + every
            });
            tokio::time::sleep_until(next).await;
        };
        tokio::select! {
            () = round => {}
            () = shutdown.cancelled() => break,
        }
    }
    sweep.resign().await;
}

struct Sweep {
    db: Db,
    queue: Queue,
    store: Store,
    clock: Clock,
    config: SweepConfig,
    owner: String,
    state: State,
    log: Log,
    lag: Lag,
}

/// What a leader remembers between rounds; a new leader starts without any of it.
#[derive(Default)]
struct State {
    /// When this process began to lead its last round; none when it does not lead.
    leads: Option<Instant>,
    /// Lines of jobs that wait for room in their windows.
    behind: Behind,
    /// Whether expired leases can be judged.
    settle: Settle,
    measuring: Paced<std::result::Result<gauges::Queue, SweepError>>,
    counting: Paced<std::result::Result<i64, SweepError>>,
    cleaned: Option<Instant>,
    /// How far the walk over succeeded jobs has come.
    expired: Option<ExpiryMark>,
    searched: Option<Instant>,
    search: Option<AbortOnDropHandle<std::result::Result<(), SweepError>>>,
    sending: Sending,
}

impl Sweep {
    /// One round, if this process leads.
    async fn round(&mut self) {
        let now = match self.lead().await {
            Ok(Some(now)) => now,
            Ok(None) => {
                self.forget();
                return;
            }
            Err(error) => {
                self.log.failed("lead", &error);
                self.state.settle.disturbed();
                self.fall_silent();
                return;
            }
        };
        self.log.worked("lead");
        let started = Instant::now();
        let (every, moment) =
            (Duration::from_millis(self.config.every_ms), Duration::from_millis(self.config.settle_ms));
        let settled = self.state.settle.is_settled(started, every, moment);

        let answer = dispatch::promote(self, now).await;
        self.note("promote", answer);
        // Before the dispatch, which sends what they submit.
        let answer = schedules::run(self, now).await;
        self.note("schedules", answer);
        let answer = dispatch::run(self).await;
        self.note("dispatch", answer);
        if settled {
            let answer = expired::run(self, now).await;
            self.note("expired", answer);
        }
        let answer = webhooks::run(self).await;
        self.note("webhooks", answer);
        self.measure().await;
        if is_due(&mut self.state.cleaned, self.config.cleanup_every_s) {
            let answer = cleanup::run(self, now).await;
            self.note("cleanup", answer);
        }
        self.search_orphans().await;
        self.state.settle.rests(Instant::now());
        metrics::histogram!(catalogue::SWEEP_DURATION_SECONDS).record(started.elapsed().as_secs_f64());
    }

    /// Keeps the queue filled until the next round.
    async fn top_up(&mut self, next_round: tokio::time::Instant) {
        if !self.state.behind.is_empty() {
            let answer = dispatch::top_up(self, next_round).await;
            self.note("dispatch", answer);
        }
    }

    /// Measures the queue and counts the dead letters, and shows what the last look found.
    async fn measure(&mut self) {
        let (every, db) = (Duration::from_secs(self.config.measure_every_s), &self.db);
        if let Some(answer) = self.state.measuring.turn(every, || gauges::measure(db.clone())).await {
            let answer = answer.map(|queue| gauges::show(&queue));
            self.note("gauges", answer);
        }
        let db = &self.db;
        if let Some(answer) = self.state.counting.turn(every, || gauges::count_failed(db.clone())).await {
            let answer = answer.map(gauges::show_failed);
            self.note("dead letters", answer);
        }
    }

    /// Leads no more: what was known and shown is the next leader's to find out.
    fn forget(&mut self) {
        if self.state.leads.is_some() {
            gauges::hide();
        }
        self.state = State::default();
    }

    /// The database does not answer: what was measured is shown no longer than the lease can be ours.
    fn fall_silent(&self) {
        let lease = Duration::from_secs(self.config.lease_s);
        if self.state.leads.is_some_and(|since| since.elapsed() > lease) {
            gauges::hide();
        }
    }

    /// The search walks the whole object store, so it goes on beside the rounds, one at a time.
    async fn search_orphans(&mut self) {
        if let Some(search) = self.state.search.take_if(|search| search.is_finished()) {
            // A search that panicked has told so itself.
            let answer = search.await.unwrap_or(Ok(()));
            self.note("orphans", answer);
        }
        if self.state.search.is_none() && is_due(&mut self.state.searched, self.config.orphans_every_s) {
            let before = self.clock.now() - seconds(self.config.orphan_age_s);
            let search = tokio::spawn(orphans::run(self.db.clone(), self.store.clone(), before));
            self.state.search = Some(AbortOnDropHandle::new(search));
        }
    }

    /// Becomes or stays the leader; the database's time if so.
    async fn lead(&mut self) -> Result<Option<DateTime<Utc>>> {
        let answer = self.campaign().await;
        let (asked, every) = (Instant::now(), Duration::from_millis(self.config.every_ms));
        if let Ok((_, ago, _)) = &answer {
            self.lag.seen(asked, *ago);
        }
        self.lag.tell(asked, every);
        let (now, _, leads) = answer?;
        if leads {
            self.lag.seen(asked, Some(Duration::ZERO));
            if self.state.leads.replace(asked).is_none() {
                tracing::info!(owner = self.owner, "this process sweeps");
            }
        }
        Ok(leads.then_some(now))
    }

    /// The database's time, how long ago the last round of whoever led began, and whether this process leads from now.
    async fn campaign(&self) -> Result<(DateTime<Utc>, Option<Duration>, bool)> {
        let mut tx = self.db.begin().await?;
        let now = tx.now().await?;
        let lease = seconds(self.config.lease_s);
        let before = tx.leaders().expires_at(LEADER).await?;
        let leads = tx.leaders().acquire(LEADER, &self.owner, now, now + lease).await?;
        tx.commit().await?;
        let ago = before.map(|until| (now - (until - lease)).to_std().unwrap_or_default());
        Ok((now, ago, leads))
    }

    /// Lets another process lead at once.
    async fn resign(&mut self) {
        if self.state.leads.is_none() {
            return;
        }
        self.forget();
        let resigned = async {
            let mut tx = self.db.begin().await?;
            tx.leaders().release(LEADER, &self.owner).await?;
            tx.commit().await
        };
        // If it does not work out, the lease runs out by itself.
        let _ = tokio::time::timeout(Duration::from_secs(2), resigned).await;
    }

    fn note(&mut self, duty: &'static str, answer: std::result::Result<(), SweepError>) {
        match answer {
            Ok(()) => self.log.worked(duty),
            Err(error) => {
                if matches!(&error, SweepError::Storage(error) if error.is_retryable()) {
                    self.state.settle.disturbed();
                }
                self.log.failed(duty, &error);
            }
        }
    }
}

/// Why a duty was left undone this round.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Queue(#[from] trainyard_queue::QueueError),
    #[error(transparent)]
    Artifacts(#[from] trainyard_artifacts::ArtifactError),
    #[error("webhooks are due, and webhooks.secret is not set in this process")]
    NoSecret,
    #[error("webhooks can't be sent")]
    Client(#[from] reqwest::Error),
}

/// Whether `every_s` have passed since `last`, which is set to now if so.
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
