//! Submits the jobs of schedules whose time has come. Moving the schedule on and what comes of it are one transaction, so
//! each time fires once, however many sweeps look and whichever of them dies.
//!
//! A schedule's jobs count against the same limits as submitted ones; one beyond them is refused, and the schedule says so.

use chrono::{DateTime, Utc};
use trainyard_domain::schedule::{Outcome, Overlap, Plan};
use trainyard_domain::{FieldError, IndexedDataset, Job, JobId, JobSpec, Role, Schedule, ScheduleId, ScheduleRun};
use trainyard_storage::{Admission, Cancelled, Fired, JobDemand, JobLimits, Result as StorageResult, Tx};
use trainyard_telemetry::{Span, TraceParent, catalogue};

use super::{Sweep, SweepError, seconds};

/// Schedules acted upon in one round; the rest waits for the next.
const BATCH: i64 = 100;

pub(super) async fn run(sweep: &mut Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    let due = sweep.db.read().await?.schedules().due(now, BATCH).await?;
    let mut failed = Ok(());
    for id in due {
        match fire(sweep, id).await {
            Ok(()) => {}
            Err(SweepError::Storage(error)) if error.is_retryable() => return Err(error.into()),
            // One that can't be read must not hold up the others.
            Err(error) => failed = Err(error),
        }
    }
    failed
}

/// What one schedule's times came to.
#[derive(Default)]
struct Round {
    runs: Vec<ScheduleRun>,
    /// Jobs to tell their workers to stop.
    stopped: Vec<JobId>,
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
    let mut round = Round::default();
    for due_at in plan.missed {
        round.record(&mut tx, came_to(&schedule, due_at, now, Outcome::SkippedMissed)).await?;
    }
    for due_at in plan.fire {
        if unreadable {
            let why = "its cron expression or time zone is not known any more";
            round.record(&mut tx, refused(&schedule, due_at, now, why.into())).await?;
        } else {
            round.act(&mut tx, &schedule, due_at, now, sweep.config.job_limits).await?;
        }
    }
    tx.schedules().note(id, &round.result()).await?;
    tx.schedules().trim_runs(id, sweep.config.schedule_runs_kept.max(1)).await?;
    tx.commit().await?;
    round.tell(sweep, &schedule).await;
    Ok(())
}

fn plan(sweep: &Sweep, schedule: &Schedule, first: DateTime<Utc>, now: DateTime<Utc>) -> Option<Plan> {
    let timetable = schedule.timetable(now).ok()?;
    Some(timetable.plan(first, now, schedule.catch_up, seconds(sweep.config.schedule_late_s)))
}

fn came_to(schedule: &Schedule, due_at: DateTime<Utc>, now: DateTime<Utc>, outcome: Outcome) -> ScheduleRun {
    ScheduleRun { schedule_id: schedule.id, due_at, job_id: None, outcome, message: None, at: now }
}

fn refused(schedule: &Schedule, due_at: DateTime<Utc>, now: DateTime<Utc>, why: String) -> ScheduleRun {
    ScheduleRun { message: Some(why), ..came_to(schedule, due_at, now, Outcome::Refused) }
}

impl Round {
    /// Decides about one time, and does it.
    async fn act(
        &mut self,
        tx: &mut Tx,
        schedule: &Schedule,
        due_at: DateTime<Utc>,
        now: DateTime<Utc>,
        limits: JobLimits,
    ) -> StorageResult<()> {
        let mut job = match order(tx, schedule).await? {
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
            let message = Some(format!("job {other} had not ended"));
            let skipped = ScheduleRun { message, ..came_to(schedule, due_at, now, Outcome::SkippedOverlap) };
            return self.record(tx, skipped).await.map(|_| ());
        }
        // Before the rows of other jobs are changed: quotas are locked first, everywhere.
        if let Some(why) = refusal(tx, &job, &active, limits).await? {
            return self.record(tx, refused(schedule, due_at, now, why)).await.map(|_| ());
        }
        let submitted = ScheduleRun { job_id: Some(job.id), ..came_to(schedule, due_at, now, Outcome::Submitted) };
        if self.record(tx, submitted).await? {
            for other in active {
                match tx.jobs().cancel(other, now).await? {
                    Cancelled::Requested => self.stopped.push(other),
                    Cancelled::AtOnce => tx.webhooks().tell(other, now).await?,
                    // Its end was recorded, and its webhook written, since it was looked for.
                    Cancelled::AlreadyFinal | Cancelled::Missing => {}
                }
            }
            // Nobody asked, so the trace begins here.
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

    /// `false` when this time was acted upon already.
    async fn record(&mut self, tx: &mut Tx, run: ScheduleRun) -> StorageResult<bool> {
        let fresh = tx.schedules().add_run(&run).await?;
        if fresh {
            self.runs.push(run);
        }
        Ok(fresh)
    }

    fn result(&self) -> Fired {
        let refused = self.runs.last().filter(|run| run.outcome == Outcome::Refused);
        Fired {
            job: self.submitted.last().map(|job| (job.id, job.created_at)),
            error: refused.and_then(|run| run.message.clone()),
        }
    }

    /// What others hear of it, once it is durable.
    async fn tell(&self, sweep: &Sweep, schedule: &Schedule) {
        for run in &self.runs {
            metrics::counter!(catalogue::SCHEDULES_FIRINGS_TOTAL, "outcome" => run.outcome.as_str()).increment(1);
            if run.outcome == Outcome::Refused {
                let (schedule, why) = (schedule.name.as_str(), run.message.as_deref());
                tracing::warn!(schedule, why, "a schedule's order was refused");
            }
        }
        for job in &self.submitted {
            let algorithm = job.spec.algorithm.as_str();
            metrics::counter!(catalogue::JOBS_SUBMITTED_TOTAL, "algorithm" => algorithm).increment(1);
            tracing::info!(job_id = %job.id, schedule = schedule.name, "a schedule submitted a job");
        }
        for job in &self.stopped {
            // The mark is durable and the worker reads it at its next renewal; the message only makes it quick.
            if let Err(error) = sweep.queue.request_cancel(*job).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(job_id = %job, error, "the worker will see the cancel mark later");
            }
        }
    }
}

/// Why the job may not be added in place of `replaced`.
async fn refusal(tx: &mut Tx, job: &Job, replaced: &[JobId], limits: JobLimits) -> StorageResult<Option<String>> {
    let demand = JobDemand { replaces: replaced.to_vec(), ..JobDemand::one(job.created_by, job.dataset_id) };
    Ok(match tx.jobs().admit(&[demand], limits).await?.first() {
        Some(Admission::Admitted) => None,
        Some(Admission::UserFull) => {
            Some(format!("the account has {} jobs queued or running (api.max_jobs_per_user)", limits.per_user))
        }
        Some(Admission::TotalFull) => Some(format!("{} jobs are queued or running (api.max_jobs_total)", limits.total)),
        Some(Admission::DatasetDeleted) | None => Some("the data set has been deleted".into()),
    })
}

/// The order on the data of the day; else why there is none.
async fn order(
    tx: &mut Tx,
    schedule: &Schedule,
) -> StorageResult<Result<(JobSpec, trainyard_domain::DatasetId), String>> {
    let creator = tx.users().by_id(schedule.created_by).await?;
    if !creator.is_some_and(|user| user.role == Role::Admin && !user.disabled) {
        return Ok(Err("the account that made the schedule may not submit jobs any more".into()));
    }
    let name = &schedule.template.dataset;
    let Some(dataset) = tx.datasets().latest(name).await? else {
        return Ok(Err(format!("the data set '{}' is gone", name.as_str())));
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
