//! Schedules, the retry of dead letters, and the deletion of expired jobs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use trainyard_domain::schedule::{CatchUp, Outcome, Overlap, Template};
use trainyard_domain::spec::Draft;
use trainyard_domain::{
    Dataset, DatasetId, FailureCode, Job, JobFilter, JobId, JobStatus, Schedule, ScheduleId, ScheduleRun,
};
use trainyard_storage::{DatasetDeletion, JobLimits};
use trainyard_testkit::eventually;
use trainyard_worker::SweepConfig;

use crate::harness::{Harness, JOB_LIMITS, quick_sweep, train_task};

const LIMIT: Duration = Duration::from_secs(60);

async fn harness() -> Harness {
    with_profile(Harness::new().await).await
}

/// A harness with a second version of its dataset, which schedules are validated against.
async fn with_profile(harness: Harness) -> Harness {
    let dataset = Dataset { id: DatasetId::at(harness.clock.now()), version: 2, ..harness.dataset.clone() };
    let mut tx = harness.db.begin().await.unwrap();
    tx.datasets().insert(&dataset).await.unwrap();
    tx.commit().await.unwrap();
    harness
}

/// A yearly schedule that is due now.
fn yearly(harness: &Harness) -> Schedule {
    let now = harness.clock.now();
    let draft = Draft {
        name: "demo".into(),
        algorithm: "random_forest".into(),
        features: vec!["sex".into()],
        target: "survived".into(),
        params: json!({"n_trees": 5}).as_object().unwrap().clone(),
        learning: trainyard_domain::spec::LearningOptions::default(),
        priority: 0,
        run_at: None,
        auto_promote: None,
        max_attempts: 3,
        timeout_s: 60,
        webhook_url: None,
        seed: 42,
    };
    Schedule {
        id: ScheduleId::at(now),
        name: "yearly".into(),
        cron: "@yearly".into(),
        timezone: "UTC".into(),
        template: Template { dataset: harness.dataset.name.clone(), draft },
        catch_up: CatchUp::One,
        overlap: Overlap::Skip,
        paused: false,
        created_by: harness.new_job("x").created_by,
        created_at: now,
        updated_at: now,
        next_run_at: Some(now),
        last_run_at: None,
        last_job_id: None,
        last_error: None,
        revision: 1,
    }
}

async fn store(harness: &Harness, schedule: Schedule) -> ScheduleId {
    let mut tx = harness.db.begin().await.unwrap();
    tx.schedules().insert(&schedule).await.unwrap();
    tx.commit().await.unwrap();
    schedule.id
}

async fn read(harness: &Harness, id: ScheduleId) -> Schedule {
    harness.db.read().await.unwrap().schedules().get(id).await.unwrap().unwrap()
}

async fn runs(harness: &Harness, id: ScheduleId) -> Vec<ScheduleRun> {
    harness.db.read().await.unwrap().schedules().runs(id, None, 1_000).await.unwrap()
}

/// Applies `change`, makes the schedule due again, and waits for its run.
async fn again(harness: &Harness, id: ScheduleId, change: impl FnOnce(&mut Schedule)) -> ScheduleRun {
    let before = runs(harness, id).await.len();
    let mut schedule = read(harness, id).await;
    change(&mut schedule);
    schedule.next_run_at = Some(harness.clock.now());
    let mut tx = harness.db.begin().await.unwrap();
    assert!(tx.schedules().update(&schedule).await.unwrap());
    tx.commit().await.unwrap();
    eventually("the schedule has a new run", LIMIT, async || {
        let runs = runs(harness, id).await;
        (runs.len() > before).then(|| runs[0].clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_schedule_submits_a_job_and_waits_for_its_next_time() {
    let harness = harness().await;
    let id = store(&harness, yearly(&harness)).await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), harness.config()));
    let run = eventually("it fires", LIMIT, async || runs(&harness, id).await.pop()).await;
    let job = harness.until_status(run.job_id.unwrap(), JobStatus::Succeeded).await;
    let features = job.spec.training().unwrap().features.as_slice();
    assert_eq!((job.spec.dataset_version, features), (2, ["sex".to_owned()].as_slice()), "the newest data");
    worker.drain().await;
    sweep.stop().await;
    let schedule = read(&harness, id).await;
    assert_eq!((run.outcome, schedule.last_job_id), (Outcome::Submitted, Some(job.id)));
    assert!(schedule.next_run_at.unwrap() > schedule.last_run_at.unwrap());
    assert_eq!(runs(&harness, id).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sweeps_at_once_fire_each_time_once() {
    let harness = harness().await;
    let first: DateTime<Utc> = harness.clock.now() - chrono::Duration::minutes(30);
    let missed = Schedule {
        cron: "* * * * *".into(),
        catch_up: CatchUp::All,
        overlap: Overlap::Allow,
        next_run_at: Some(first),
        ..yearly(&harness)
    };
    let ids = [
        store(&harness, missed.clone()).await,
        store(&harness, Schedule { id: ScheduleId::at(first), name: "other".into(), ..missed }).await,
    ];
    // With a lease of zero length, each round of either sweep acquires the lead, so both work at once.
    let both = SweepConfig { lease_s: 0, every_ms: 1, ..quick_sweep() };
    let sweeps = [harness.sweep_with("one", both.clone()), harness.sweep_with("two", both)];
    let mut fired = 0;
    for id in ids {
        let runs = eventually("all missed times have runs", LIMIT, async || {
            let runs = runs(&harness, id).await;
            (runs.len() >= 30).then_some(runs)
        })
        .await;
        assert!(runs.iter().all(|run| run.outcome == Outcome::Submitted && run.job_id.is_some()), "{runs:?}");
        fired += runs.len();
    }
    for sweep in sweeps {
        sweep.stop().await;
    }
    let jobs = harness.db.read().await.unwrap().jobs().list(&JobFilter::default(), None, 1_000).await.unwrap().jobs;
    let late = (runs(&harness, ids[0]).await.len() + runs(&harness, ids[1]).await.len()) - fired;
    assert_eq!(jobs.len(), fired + late, "one job per due time");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_active_job_is_kept_joined_or_replaced() {
    let harness = harness().await;
    let id = store(&harness, Schedule { next_run_at: None, ..yearly(&harness) }).await;
    let sweep = harness.sweep("s");
    let first = again(&harness, id, |_| ()).await.job_id.unwrap();
    let skipped = again(&harness, id, |_| ()).await;
    assert_eq!((skipped.outcome, skipped.job_id), (Outcome::SkippedOverlap, None));
    assert!(skipped.message.unwrap().contains(&first.to_string()));
    let beside = again(&harness, id, |schedule| schedule.overlap = Overlap::Allow).await.job_id.unwrap();
    let instead = again(&harness, id, |schedule| schedule.overlap = Overlap::Replace).await.job_id.unwrap();
    for (job, status) in [(first, JobStatus::Cancelled), (beside, JobStatus::Cancelled), (instead, JobStatus::Queued)] {
        assert_eq!(harness.job(job).await.status, status);
    }
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_job_is_recorded_with_its_reason() {
    let harness = harness().await;
    let id = store(&harness, Schedule { next_run_at: None, overlap: Overlap::Allow, ..yearly(&harness) }).await;
    let sweep = harness.sweep("s");
    let refused = again(&harness, id, |schedule| schedule.template.draft.features = vec!["shoe_size".into()]).await;
    assert_eq!((refused.outcome, refused.job_id), (Outcome::Refused, None));
    let message = read(&harness, id).await.last_error.unwrap();
    assert!(message.starts_with("features[0] 'shoe_size' is not a column of titanic"), "{message}");
    let good = again(&harness, id, |schedule| schedule.template.draft.features = vec!["sex".into()]).await;
    assert_eq!((good.outcome, read(&harness, id).await.last_error), (Outcome::Submitted, None));

    let mut tx = harness.db.begin().await.unwrap();
    tx.users().update(harness.new_job("x").created_by, None, Some(true)).await.unwrap();
    tx.commit().await.unwrap();
    let shut_out = again(&harness, id, |_| ()).await;
    assert_eq!(shut_out.outcome, Outcome::Refused, "a disabled account's schedules submit nothing");
    let mut tx = harness.db.begin().await.unwrap();
    tx.users().update(harness.new_job("x").created_by, None, Some(false)).await.unwrap();
    // An earlier job still uses the dataset.
    let last = tx.schedules().get(id).await.unwrap().unwrap().last_job_id.unwrap();
    let now = tx.now().await.unwrap();
    tx.jobs().cancel(last, now).await.unwrap();
    let deletion = tx.datasets().delete(&harness.dataset.name).await.unwrap();
    assert!(matches!(deletion, DatasetDeletion::Deleted(_)), "{deletion:?}");
    tx.commit().await.unwrap();
    assert_eq!(again(&harness, id, |_| ()).await.message.unwrap(), "the dataset 'titanic' does not exist");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedules_job_beyond_the_limits_is_refused() {
    let harness = harness().await;
    for name in ["one", "two"] {
        harness.submit_within(harness.new_job(name), JOB_LIMITS).await;
    }
    let id = store(&harness, yearly(&harness)).await;
    let job_limits = JobLimits { per_user: 2, total: 100 };
    let sweep = harness.sweep_with_limits("s", job_limits);
    let seen = eventually("it has fired", LIMIT, async || runs(&harness, id).await.pop()).await;
    sweep.stop().await;
    assert_eq!((seen.outcome, seen.job_id), (Outcome::Refused, None));
    let why = read(&harness, id).await.last_error.unwrap();
    assert!(why.contains("2 jobs queued or running (api.max_jobs_per_user)"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_at_the_limit_replaces_its_own_job() {
    for harness in [Harness::new().await, Harness::on_postgres(4).await] {
        let harness = with_profile(harness).await;
        let id = store(&harness, Schedule { next_run_at: None, overlap: Overlap::Replace, ..yearly(&harness) }).await;
        let job_limits = JobLimits { per_user: 2, total: 2 };
        let sweep = harness.sweep_with_limits("s", job_limits);
        let other = harness.submit_within(harness.new_job("other"), job_limits).await;
        let first = again(&harness, id, |_| ()).await.job_id.unwrap();
        let second = again(&harness, id, |_| ()).await;
        assert_eq!((second.outcome, &second.message), (Outcome::Submitted, &None));
        assert_eq!(harness.job(first).await.status, JobStatus::Cancelled);
        assert_eq!(harness.job(second.job_id.unwrap()).await.status, JobStatus::Queued);
        assert_eq!(harness.job(other).await.status, JobStatus::Queued);
        let beside = again(&harness, id, |schedule| schedule.overlap = Overlap::Allow).await;
        assert_eq!(beside.outcome, Outcome::Refused, "no other place is free");
        sweep.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_times_are_skipped_if_configured() {
    let harness = harness().await;
    let past = harness.clock.now() - chrono::Duration::hours(3);
    let missed = Schedule { catch_up: CatchUp::Skip, next_run_at: Some(past), ..yearly(&harness) };
    let id = store(&harness, Schedule { cron: "30 * * * *".into(), ..missed }).await;
    // With a limit of 0, every due time of the last three hours counts as missed.
    let sweep = harness.sweep_with("s", SweepConfig { schedule_late_s: 0, ..quick_sweep() });
    let seen = eventually("the missed times have runs", LIMIT, async || {
        let runs = runs(&harness, id).await;
        (!runs.is_empty()).then_some(runs)
    })
    .await;
    sweep.stop().await;
    assert!(seen.iter().all(|run| run.outcome == Outcome::SkippedMissed && run.job_id.is_none()), "{seen:?}");
    assert!((3..=4).contains(&seen.len()), "{seen:?}");
    assert!(read(&harness, id).await.next_run_at.unwrap() > harness.clock.now());
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_a_dead_letter_and_can_be_retried() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let script =
        harness.script("poison", "if [ ! -e \"$folder/go\" ]; then kill -SEGV $$; fi; exec \"$real\" train-task");
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&script, harness.config()));
    harness.until_status(id, JobStatus::Failed).await;
    let filter = JobFilter { status: JobStatus::Failed.into(), ..JobFilter::default() };
    let dead = harness.db.read().await.unwrap().jobs().list(&filter, None, 10).await.unwrap().jobs;
    let [letter] = dead.as_slice() else { panic!("{dead:?}") };
    assert_eq!((letter.id, letter.error.as_ref().unwrap().code), (id, FailureCode::Crashed));
    harness.go();
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    assert!(tx.jobs().retry(id, now).await.unwrap());
    tx.commit().await.unwrap();
    let job = harness.until_status(id, JobStatus::Succeeded).await;
    assert_eq!((job.claim, job.counts.crashes), (4, 0), "three crashes, reset by the retry");
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_jobs_are_deleted() {
    let harness = Harness::new().await;
    // A job ends after its submission, and its id contains the time of the submission.
    let failed = |days: i64| {
        let ended = harness.clock.now() - chrono::Duration::days(days);
        let created_at = ended - chrono::Duration::minutes(1);
        Job {
            id: JobId::at(created_at),
            status: JobStatus::Failed,
            created_at,
            run_at: created_at,
            finished_at: Some(ended),
            ..harness.new_job("demo")
        }
    };
    let young = harness.submit(failed(29)).await;
    let mut old = vec![];
    for _ in 0..5 {
        old.push(harness.submit(failed(31)).await);
    }
    old.push(harness.submit(Job { status: JobStatus::Succeeded, ..failed(31) }).await);
    let all = async || {
        let jobs = harness.db.read().await.unwrap().jobs().list(&JobFilter::default(), None, 100).await.unwrap().jobs;
        jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let keeps = harness.sweep_with("k", SweepConfig { keep_finished_s: 0, cleanup_every_s: 0, ..quick_sweep() });
    let probe = harness.submit_named("demo").await;
    harness.until_enqueued(1).await;
    keeps.stop().await;
    assert_eq!(all().await.len(), 8, "0 keeps everything");
    let sweep = harness.sweep_with("s", SweepConfig { expiry_batch: 2, cleanup_every_s: 0, ..quick_sweep() });
    eventually("the expired jobs are deleted", LIMIT, async || (all().await == [probe, young]).then_some(())).await;
    sweep.stop().await;
}
