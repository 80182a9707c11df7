//! Submits the jobs of due schedules. One transaction advances the schedule and records the result, so each due time fires
//! once, also with several sweeps and crashes.
//!
//! Jobs of schedules count towards the same limits as submitted jobs. A refused job is recorded as a run of the schedule.

use chrono::{DateTime, Utc};
use trainyard_domain::schedule::{Outcome, Overlap, Plan};
use trainyard_domain::{FieldError, IndexedDataset, Job, JobId, JobSpec, Role, Schedule, ScheduleId, ScheduleRun};
use trainyard_storage::{Admission, Cancelled, JobDemand, JobLimits, Result as StorageResult, ScheduleResult, Tx};
use trainyard_telemetry::{Span, TraceParent, catalogue};

use super::{Sweep, SweepError, seconds};

/// Most schedules per firing.
const BATCH: i64 = 100;

pub(super) async fn run(sweep: &mut Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    let due = sweep.db.read().await?.schedules().due(now, BATCH).await?;
    let mut failed = Ok(());
    for id in due {
        match fire(sweep, id).await {
            Ok(()) => {}
            Err(SweepError::Storage(error)) if error.is_retryable() => return Err(error.into()),
            // An unreadable schedule must not block the others.
            Err(error) => failed = Err(error),
        }
    }
    failed
}

/// The results of one schedule's due times.
#[derive(Default)]
struct Firing {
    runs: Vec<ScheduleRun>,
    /// Running jobs whose cancellation must be published.
    cancelled: Vec<JobId>,
    submitted: Vec<Job>,
}

async fn fire(sweep: &Sweep, id: ScheduleId) -> Result<(), SweepError> {
    let mut tx = sweep.db.begin().await?;
    let now = tx.now().await?;
    let Some(schedule) = tx.schedules().get(id).await? else { return Ok(()) };
    let Some(first) = schedule.next_run_at.filter(|first| *first <= now && !schedule.paused) else { return Ok(()) };
    let plan = plan(sweep, &schedule, first, now);
    let unreadable = plan.is_none();
    let plan = plan.unwrap_or(Plan { fire: vec![first], missed: vec![], next: None });
    if !tx.schedules().advance(&schedule, plan.next).await? {
        return Ok(());
    }
    let mut firing = Firing::default();
    for due_at in plan.missed {
        firing.record(&mut tx, run_with(&schedule, due_at, now, Outcome::SkippedMissed)).await?;
    }
    for due_at in plan.fire {
        if unreadable {
            let why = "the cron expression or the time zone is no longer valid";
            firing.record(&mut tx, refused(&schedule, due_at, now, why.into())).await?;
        } else {
            firing.submit(&mut tx, &schedule, due_at, now, sweep.job_limits).await?;
        }
    }
    tx.schedules().record_result(id, &firing.result()).await?;
    tx.schedules().trim_runs(id, sweep.config.schedule_runs_kept.max(1)).await?;
    tx.commit().await?;
    firing.report(sweep, &schedule).await;
    Ok(())
}

fn plan(sweep: &Sweep, schedule: &Schedule, first: DateTime<Utc>, now: DateTime<Utc>) -> Option<Plan> {
    let timetable = schedule.timetable(now).ok()?;
    Some(timetable.plan(first, now, schedule.catch_up, seconds(sweep.config.schedule_late_s)))
}

fn run_with(schedule: &Schedule, due_at: DateTime<Utc>, now: DateTime<Utc>, outcome: Outcome) -> ScheduleRun {
    ScheduleRun { schedule_id: schedule.id, due_at, job_id: None, outcome, message: None, at: now }
}

fn refused(schedule: &Schedule, due_at: DateTime<Utc>, now: DateTime<Utc>, why: String) -> ScheduleRun {
    ScheduleRun { message: Some(why), ..run_with(schedule, due_at, now, Outcome::Refused) }
}

impl Firing {
    /// Handles one due time.
    async fn submit(
        &mut self,
        tx: &mut Tx,
        schedule: &Schedule,
        due_at: DateTime<Utc>,
        now: DateTime<Utc>,
        limits: JobLimits,
    ) -> StorageResult<()> {
        let mut job = match resolve(tx, schedule).await? {
            Err(why) => return self.record(tx, refused(schedule, due_at, now, why)).await.map(|_| ()),
            Ok((spec, dataset)) => {
                Job::submitted(spec, dataset, schedule.created_by, Some(format!("schedule:{}", schedule.id)), now)
            }
        };
        let active = match schedule.overlap {
            Overlap::Allow => vec![],
            Overlap::Skip | Overlap::Replace => tx.schedules().active_jobs(schedule).await?,
        };
        if let (Overlap::Skip, Some(other)) = (schedule.overlap, active.first()) {
            let message = Some(format!("job {other} is still queued or running"));
            let skipped = ScheduleRun { message, ..run_with(schedule, due_at, now, Outcome::SkippedOverlap) };
            return self.record(tx, skipped).await.map(|_| ());
        }
        // Quotas are always locked before the rows of jobs.
        if let Some(why) = refusal(tx, &job, &active, limits).await? {
            return self.record(tx, refused(schedule, due_at, now, why)).await.map(|_| ());
        }
        let submitted = ScheduleRun { job_id: Some(job.id), ..run_with(schedule, due_at, now, Outcome::Submitted) };
        if self.record(tx, submitted).await? {
            for other in active {
                match tx.jobs().cancel(other, now).await? {
                    Cancelled::Requested => self.cancelled.push(other),
                    Cancelled::AtOnce => tx.webhooks().enqueue(other, now).await?,
                    // The job has ended since it was read, and its webhook is written.
                    Cancelled::AlreadyFinal | Cancelled::Missing => {}
                }
            }
            // There is no request, so a new trace starts here.
            let mut span = Span::begin(TraceParent::begin(), None, "schedule.fire");
            span.describe(|span| {
                span.text("schedule.name", &schedule.name);
                span.text("job.id", job.id);
            });
            job.traceparent = span.context().map(|place| place.to_string());
            tx.jobs().insert(&job).await?;
            self.submitted.push(job);
        }
        Ok(())
    }

    /// Records the run; `false` if this due time has one already.
    async fn record(&mut self, tx: &mut Tx, run: ScheduleRun) -> StorageResult<bool> {
        let is_new = tx.schedules().add_run(&run).await?;
        if is_new {
            self.runs.push(run);
        }
        Ok(is_new)
    }

    fn result(&self) -> ScheduleResult {
        let refused = self.runs.last().filter(|run| run.outcome == Outcome::Refused);
        ScheduleResult {
            job: self.submitted.last().map(|job| (job.id, job.created_at)),
            error: refused.and_then(|run| run.message.clone()),
        }
    }

    /// Updates metrics and logs, and publishes cancellations, after the commit.
    async fn report(&self, sweep: &Sweep, schedule: &Schedule) {
        for run in &self.runs {
            metrics::counter!(catalogue::SCHEDULES_FIRINGS_TOTAL, "outcome" => run.outcome.as_str()).increment(1);
            if run.outcome == Outcome::Refused {
                let (schedule, why) = (schedule.name.as_str(), run.message.as_deref());
                tracing::warn!(schedule, why, "a schedule's job was refused");
            }
        }
        for job in &self.submitted {
            let (kind, algorithm) = (job.spec.kind().as_str(), job.spec.algorithm().as_str());
            metrics::counter!(catalogue::JOBS_SUBMITTED_TOTAL, "algorithm" => algorithm, "kind" => kind).increment(1);
            tracing::info!(job_id = %job.id, schedule = schedule.name, "a schedule submitted a job");
        }
        for job in &self.cancelled {
            // The cancellation is durable, and the worker reads it at its next renewal. The message is faster.
            if let Err(error) = sweep.queue.request_cancel(*job).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(job_id = %job, error, "a cancel message was not published; the worker reads the cancellation at its next renewal");
            }
        }
    }
}

/// Why the job may not replace `replaced`.
async fn refusal(tx: &mut Tx, job: &Job, replaced: &[JobId], limits: JobLimits) -> StorageResult<Option<String>> {
    let demand = JobDemand { replaces: replaced.to_vec(), ..JobDemand::one(job.created_by, job.dataset_id) };
    Ok(match tx.jobs().admit(&[demand], limits).await?.first() {
        Some(Admission::Admitted) => None,
        Some(Admission::UserFull) => {
            Some(format!("the account has {} jobs queued or running (api.max_jobs_per_user)", limits.per_user))
        }
        Some(Admission::TotalFull) => Some(format!("{} jobs are queued or running (api.max_jobs_total)", limits.total)),
        Some(Admission::DatasetDeleted) | None => Some("the dataset was deleted".into()),
    })
}

/// The job specification for the newest dataset version, or the reason why there is none.
async fn resolve(
    tx: &mut Tx,
    schedule: &Schedule,
) -> StorageResult<Result<(JobSpec, trainyard_domain::DatasetId), String>> {
    let creator = tx.users().by_id(schedule.created_by).await?;
    if !creator.is_some_and(|user| user.role == Role::Admin && !user.disabled) {
        return Ok(Err("the account that created the schedule may no longer submit jobs".into()));
    }
    let name = &schedule.template.dataset;
    let Some(dataset) = tx.datasets().latest(name).await? else {
        return Ok(Err(format!("the dataset '{}' does not exist", name.as_str())));
    };
    let dataset = IndexedDataset::from(dataset);
    Ok(schedule.template.resolve(&dataset).map(|spec| (spec, dataset.id)).map_err(|errors| summary(&errors)))
}

/// Most refused fields that a schedule's `last_error` names.
const MAX_NAMED: usize = 10;

fn summary(errors: &[FieldError]) -> String {
    let mut lines: Vec<_> =
        errors.iter().take(MAX_NAMED).map(|error| format!("{} {}", error.field, error.message)).collect();
    if errors.len() > MAX_NAMED {
        lines.push(format!("and {} more", errors.len() - MAX_NAMED));
    }
    lines.join("; ")
}
