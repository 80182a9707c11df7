//! The sweep and the clock: schedules fire once a time, poison can be retried, ended jobs go.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use trainyard_domain::schedule::{CatchUp, Outcome, Overlap, Template};
use trainyard_domain::spec::Draft;
use trainyard_domain::{
    ColumnProfile, Dataset, DatasetId, Dtype, FailureCode, Job, JobId, JobStatus, Schedule, ScheduleId, ScheduleRun,
};
use trainyard_storage::{DatasetDeletion, JobFilter, JobLimits};
use trainyard_testkit::eventually;
use trainyard_worker::SweepConfig;

use crate::yard::{Yard, quick_sweep, train_task};

const LIMIT: Duration = Duration::from_secs(60);

async fn yard() -> Yard {
    with_profile(Yard::new().await).await
}

/// A yard whose data set has a profile, so that orders can be checked against it.
async fn with_profile(yard: Yard) -> Yard {
    let column = |name: &str, dtype: Dtype| ColumnProfile {
        name: name.into(),
        dtype,
        missing: 0,
        distinct: 2,
        min: None,
        max: None,
        top: None,
        values_sha256: format!("values of {name}"),
        partition_sha256: format!("partition of {name}"),
    };
    let columns = vec![column("sex", Dtype::Category), column("survived", Dtype::Boolean)];
    let dataset = Dataset { id: DatasetId::at(yard.clock.now()), version: 2, columns, ..yard.dataset.clone() };
    let mut tx = yard.db.begin().await.unwrap();
    tx.datasets().insert(&dataset).await.unwrap();
    tx.commit().await.unwrap();
    yard
}

/// Due at every turn of the year, and now.
fn yearly(yard: &Yard) -> Schedule {
    let now = yard.clock.now();
    let draft = Draft {
        name: "demo".into(),
        algorithm: "random_forest".into(),
        features: vec!["sex".into()],
        target: "survived".into(),
        params: json!({"n_trees": 5}).as_object().unwrap().clone(),
        priority: 0,
        run_at: None,
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
        template: Template { dataset: yard.dataset.name.clone(), draft },
        catch_up: CatchUp::One,
        overlap: Overlap::Skip,
        paused: false,
        created_by: yard.new_job("x").created_by,
        created_at: now,
        updated_at: now,
        next_run_at: Some(now),
        last_run_at: None,
        last_job_id: None,
        last_error: None,
        revision: 1,
    }
}

async fn store(yard: &Yard, schedule: Schedule) -> ScheduleId {
    let mut tx = yard.db.begin().await.unwrap();
    tx.schedules().insert(&schedule).await.unwrap();
    tx.commit().await.unwrap();
    schedule.id
}

async fn read(yard: &Yard, id: ScheduleId) -> Schedule {
    yard.db.read().await.unwrap().schedules().get(id).await.unwrap().unwrap()
}

async fn runs(yard: &Yard, id: ScheduleId) -> Vec<ScheduleRun> {
    yard.db.read().await.unwrap().schedules().runs(id, None, 1_000).await.unwrap()
}

/// Makes it due once more, with what `change` changes, and waits for what comes of it.
async fn again(yard: &Yard, id: ScheduleId, change: impl FnOnce(&mut Schedule)) -> ScheduleRun {
    let before = runs(yard, id).await.len();
    let mut schedule = read(yard, id).await;
    change(&mut schedule);
    schedule.next_run_at = Some(yard.clock.now());
    let mut tx = yard.db.begin().await.unwrap();
    assert!(tx.schedules().update(&schedule).await.unwrap());
    tx.commit().await.unwrap();
    eventually("the time comes to something", LIMIT, async || {
        let runs = runs(yard, id).await;
        (runs.len() > before).then(|| runs[0].clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_schedule_submits_a_job_that_trains_and_waits_for_its_next_time() {
    let yard = yard().await;
    let id = store(&yard, yearly(&yard)).await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    let run = eventually("it fires", LIMIT, async || runs(&yard, id).await.pop()).await;
    let job = yard.until_status(run.job_id.unwrap(), JobStatus::Succeeded).await;
    assert_eq!((job.spec.dataset_version, job.spec.features), (2, vec!["sex".to_owned()]), "the newest data");
    worker.drain().await;
    sweep.stop().await;
    let schedule = read(&yard, id).await;
    assert_eq!((run.outcome, schedule.last_job_id), (Outcome::Submitted, Some(job.id)));
    assert!(schedule.next_run_at.unwrap() > schedule.last_run_at.unwrap());
    assert_eq!(runs(&yard, id).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sweeps_at_once_fire_each_time_once() {
    let yard = yard().await;
    let first: DateTime<Utc> = yard.clock.now() - chrono::Duration::minutes(30);
    let missed = Schedule {
        cron: "* * * * *".into(),
        catch_up: CatchUp::All,
        overlap: Overlap::Allow,
        next_run_at: Some(first),
        ..yearly(&yard)
    };
    let ids = [
        store(&yard, missed.clone()).await,
        store(&yard, Schedule { id: ScheduleId::at(first), name: "other".into(), ..missed }).await,
    ];
    // A lease of no length: each round of either takes the lead, so both really work at once.
    let both = SweepConfig { lease_s: 0, every_ms: 1, ..quick_sweep() };
    let sweeps = [yard.sweep_with("one", both.clone()), yard.sweep_with("two", both)];
    let mut fired = 0;
    for id in ids {
        let runs = eventually("all are caught up with", LIMIT, async || {
            let runs = runs(&yard, id).await;
            (runs.len() >= 30).then_some(runs)
        })
        .await;
        assert!(runs.iter().all(|run| run.outcome == Outcome::Submitted && run.job_id.is_some()), "{runs:?}");
        fired += runs.len();
    }
    for sweep in sweeps {
        sweep.stop().await;
    }
    let jobs = yard.db.read().await.unwrap().jobs().list(&JobFilter::default(), None, 1_000).await.unwrap();
    let late = (runs(&yard, ids[0]).await.len() + runs(&yard, ids[1]).await.len()) - fired;
    assert_eq!(jobs.len(), fired + late, "one job a time, none twice and none lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_not_ended_is_left_alone_joined_or_replaced() {
    let yard = yard().await;
    let id = store(&yard, Schedule { next_run_at: None, ..yearly(&yard) }).await;
    let sweep = yard.sweep("s");
    let first = again(&yard, id, |_| ()).await.job_id.unwrap();
    let skipped = again(&yard, id, |_| ()).await;
    assert_eq!((skipped.outcome, skipped.job_id), (Outcome::SkippedOverlap, None));
    assert!(skipped.message.unwrap().contains(&first.to_string()));
    let beside = again(&yard, id, |schedule| schedule.overlap = Overlap::Allow).await.job_id.unwrap();
    let instead = again(&yard, id, |schedule| schedule.overlap = Overlap::Replace).await.job_id.unwrap();
    for (job, status) in [(first, JobStatus::Cancelled), (beside, JobStatus::Cancelled), (instead, JobStatus::Queued)] {
        assert_eq!(yard.job(job).await.status, status);
    }
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_can_not_be_trained_any_more_is_told() {
    let yard = yard().await;
    let id = store(&yard, Schedule { next_run_at: None, overlap: Overlap::Allow, ..yearly(&yard) }).await;
    let sweep = yard.sweep("s");
    let refused = again(&yard, id, |schedule| schedule.template.draft.features = vec!["shoe_size".into()]).await;
    assert_eq!((refused.outcome, refused.job_id), (Outcome::Refused, None));
    let told = read(&yard, id).await.last_error.unwrap();
    assert!(told.starts_with("features[0] 'shoe_size' is not a column of titanic"), "{told}");
    let good = again(&yard, id, |schedule| schedule.template.draft.features = vec!["sex".into()]).await;
    assert_eq!((good.outcome, read(&yard, id).await.last_error), (Outcome::Submitted, None));

    let mut tx = yard.db.begin().await.unwrap();
    tx.users().update(yard.new_job("x").created_by, None, Some(true)).await.unwrap();
    tx.commit().await.unwrap();
    let shut_out = again(&yard, id, |_| ()).await;
    assert_eq!(shut_out.outcome, Outcome::Refused, "a disabled account's schedules submit nothing");
    let mut tx = yard.db.begin().await.unwrap();
    tx.users().update(yard.new_job("x").created_by, None, Some(false)).await.unwrap();
    // A job of before still needs the data set.
    let last = tx.schedules().get(id).await.unwrap().unwrap().last_job_id.unwrap();
    let now = tx.now().await.unwrap();
    tx.jobs().cancel(last, now).await.unwrap();
    let deletion = tx.datasets().delete(&yard.dataset.name).await.unwrap();
    assert!(matches!(deletion, DatasetDeletion::Deleted(_)), "{deletion:?}");
    tx.commit().await.unwrap();
    assert_eq!(again(&yard, id, |_| ()).await.message.unwrap(), "the data set 'titanic' is gone");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedules_job_beyond_the_limits_is_refused() {
    let yard = yard().await;
    for name in ["one", "two"] {
        yard.submit_within(yard.new_job(name), JobLimits::default()).await;
    }
    let id = store(&yard, yearly(&yard)).await;
    let job_limits = JobLimits { per_user: 2, total: 100 };
    let sweep = yard.sweep_with("s", SweepConfig { job_limits, ..quick_sweep() });
    let seen = eventually("it has fired", LIMIT, async || runs(&yard, id).await.pop()).await;
    sweep.stop().await;
    assert_eq!((seen.outcome, seen.job_id), (Outcome::Refused, None));
    let why = read(&yard, id).await.last_error.unwrap();
    assert!(why.contains("2 jobs queued or running (api.max_jobs_per_user)"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_at_the_limit_replaces_its_own_job() {
    for yard in [Yard::new().await, Yard::on_postgres(4).await] {
        let yard = with_profile(yard).await;
        let id = store(&yard, Schedule { next_run_at: None, overlap: Overlap::Replace, ..yearly(&yard) }).await;
        let job_limits = JobLimits { per_user: 2, total: 2 };
        let sweep = yard.sweep_with("s", SweepConfig { job_limits, ..quick_sweep() });
        let other = yard.submit_within(yard.new_job("other"), job_limits).await;
        let first = again(&yard, id, |_| ()).await.job_id.unwrap();
        let second = again(&yard, id, |_| ()).await;
        assert_eq!((second.outcome, &second.message), (Outcome::Submitted, &None));
        assert_eq!(yard.job(first).await.status, JobStatus::Cancelled);
        assert_eq!(yard.job(second.job_id.unwrap()).await.status, JobStatus::Queued);
        assert_eq!(yard.job(other).await.status, JobStatus::Queued);
        let beside = again(&yard, id, |schedule| schedule.overlap = Overlap::Allow).await;
        assert_eq!(beside.outcome, Outcome::Refused, "no other place is free");
        sweep.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_was_missed_is_skipped_where_that_is_wanted() {
    let yard = yard().await;
    let past = yard.clock.now() - chrono::Duration::hours(3);
    let missed = Schedule { catch_up: CatchUp::Skip, next_run_at: Some(past), ..yearly(&yard) };
    let id = store(&yard, Schedule { cron: "30 * * * *".into(), ..missed }).await;
    // However the test falls in the hour, no time in the last three hours is less than no time ago.
    let sweep = yard.sweep_with("s", SweepConfig { schedule_late_s: 0, ..quick_sweep() });
    let seen = eventually("they are looked at", LIMIT, async || {
        let runs = runs(&yard, id).await;
        (!runs.is_empty()).then_some(runs)
    })
    .await;
    sweep.stop().await;
    assert!(seen.iter().all(|run| run.outcome == Outcome::SkippedMissed && run.job_id.is_none()), "{seen:?}");
    assert!((3..=4).contains(&seen.len()), "{seen:?}");
    assert!(read(&yard, id).await.next_run_at.unwrap() > yard.clock.now());
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_lies_among_the_failed_jobs_and_runs_again_when_it_is_retried() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let script = yard.script("poison", "if [ ! -e \"$yard/go\" ]; then kill -SEGV $$; fi; exec \"$real\" train-task");
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&script, yard.config()));
    yard.until_status(id, JobStatus::Failed).await;
    let filter = JobFilter { status: Some(JobStatus::Failed), ..JobFilter::default() };
    let dead = yard.db.read().await.unwrap().jobs().list(&filter, None, 10).await.unwrap();
    let [letter] = dead.as_slice() else { panic!("{dead:?}") };
    assert_eq!((letter.id, letter.error.as_ref().unwrap().code), (id, FailureCode::Crashed));
    yard.go();
    let mut tx = yard.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    assert!(tx.jobs().retry(id, now).await.unwrap());
    tx.commit().await.unwrap();
    let job = yard.until_status(id, JobStatus::Succeeded).await;
    assert_eq!((job.claim, job.counts.crashes), (4, 0), "three deaths, forgotten, and a fresh start");
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_ended_long_ago_are_removed() {
    let yard = Yard::new().await;
    // Nothing ends before it was submitted, and a job's id tells when that was.
    let failed = |days: i64| {
        let ended = yard.clock.now() - chrono::Duration::days(days);
        let created_at = ended - chrono::Duration::minutes(1);
        Job {
            id: JobId::at(created_at),
            status: JobStatus::Failed,
            created_at,
            run_at: created_at,
            finished_at: Some(ended),
            ..yard.new_job("demo")
        }
    };
    let young = yard.submit(failed(29)).await;
    let mut old = vec![];
    for _ in 0..5 {
        old.push(yard.submit(failed(31)).await);
    }
    old.push(yard.submit(Job { status: JobStatus::Succeeded, ..failed(31) }).await);
    let all = async || {
        let jobs = yard.db.read().await.unwrap().jobs().list(&JobFilter::default(), None, 100).await.unwrap();
        jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let keeps = yard.sweep_with("k", SweepConfig { keep_finished_s: 0, cleanup_every_s: 0, ..quick_sweep() });
    let probe = yard.submit_named("demo").await;
    yard.until_sent(1).await;
    keeps.stop().await;
    assert_eq!(all().await.len(), 8, "0 keeps everything");
    let sweep = yard.sweep_with("s", SweepConfig { expiry_batch: 2, cleanup_every_s: 0, ..quick_sweep() });
    eventually("the old ones are gone", LIMIT, async || (all().await == [probe, young]).then_some(())).await;
    sweep.stop().await;
}
