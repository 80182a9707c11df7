//! Schedules and their runs.

use futures::future::join_all;
use serde_json::json;
use trainyard_domain::schedule::{CatchUp, Outcome, Overlap, Template};
use trainyard_domain::spec::Draft;
use trainyard_domain::{JobId, JobStatus, Schedule, ScheduleId, ScheduleRun};
use trainyard_storage::{ScheduleResult, StorageError};

use crate::fixture::Fixture;

on_both!(
    a_schedule_reads_back_as_it_was_stored,
    a_schedule_name_is_unique,
    only_due_schedules_that_are_not_paused_are_found,
    one_of_many_concurrent_advances_succeeds,
    a_due_time_has_one_run,
    an_update_of_a_stale_revision_is_refused,
    active_jobs_of_a_schedule_are_found,
    a_refusal_is_shown_until_the_next_accepted_job,
    old_runs_are_trimmed_and_deletion_removes_the_rest,
);

pub(crate) fn schedule(fixture: &Fixture, name: &str) -> Schedule {
    let draft = Draft {
        name: "demo".into(),
        algorithm: "random_forest".into(),
        features: vec!["*".into()],
        target: "survived".into(),
        params: json!({"n_trees": 10, "max_depth": null}).as_object().unwrap().clone(),
        learning: trainyard_domain::spec::LearningOptions::default(),
        priority: -3,
        run_at: None,
        auto_promote: None,
        max_attempts: 3,
        timeout_s: 60,
        webhook_url: None,
        seed: u64::MAX,
    };
    Schedule {
        id: ScheduleId::at(fixture.now),
        name: name.into(),
        cron: "0 * * * *".into(),
        timezone: "Europe/Berlin".into(),
        template: Template { dataset: fixture.dataset.name.clone(), draft },
        catch_up: CatchUp::One,
        overlap: Overlap::Skip,
        paused: false,
        created_by: fixture.user,
        created_at: fixture.now,
        updated_at: fixture.now,
        next_run_at: Some(fixture.now),
        last_run_at: None,
        last_job_id: None,
        last_error: None,
        revision: 1,
    }
}

pub(crate) async fn store(fixture: &Fixture, schedule: Schedule) -> Schedule {
    let mut tx = fixture.db.begin().await.unwrap();
    tx.schedules().insert(&schedule).await.unwrap();
    tx.commit().await.unwrap();
    schedule
}

async fn read(fixture: &Fixture, id: ScheduleId) -> Schedule {
    fixture.db.read().await.unwrap().schedules().get(id).await.unwrap().unwrap()
}

fn run(fixture: &Fixture, id: ScheduleId, due: i64, job_id: Option<JobId>) -> ScheduleRun {
    let outcome = if job_id.is_some() { Outcome::Submitted } else { Outcome::Refused };
    let (due_at, at) = (fixture.later(due), fixture.later(due + 1));
    ScheduleRun { schedule_id: id, due_at, job_id, outcome, message: Some("why".into()), at }
}

async fn add(fixture: &Fixture, run: &ScheduleRun) -> bool {
    let mut tx = fixture.db.begin().await.unwrap();
    let fresh = tx.schedules().add_run(run).await.unwrap();
    tx.commit().await.unwrap();
    fresh
}

async fn advance(fixture: &Fixture, schedule: &Schedule) -> bool {
    let mut tx = fixture.db.begin().await.unwrap();
    let won = tx.schedules().advance(schedule, Some(fixture.later(3600))).await.unwrap();
    tx.commit().await.unwrap();
    won
}

async fn a_schedule_reads_back_as_it_was_stored(fixture: Fixture) {
    let stored = store(&fixture, schedule(&fixture, "nightly")).await;
    let other = store(&fixture, Schedule { paused: true, ..schedule(&fixture, "weekly") }).await;
    assert_eq!(format!("{:?}", read(&fixture, stored.id).await), format!("{stored:?}"));
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.schedules().count().await.unwrap(), 2);
    let listed = tx.schedules().list(None, 10).await.unwrap();
    let mut ids = [stored.id, other.id];
    ids.sort();
    assert_eq!(listed.iter().map(|s| s.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
    assert_eq!(tx.schedules().list(Some(ids[1]), 10).await.unwrap().len(), 1);
    assert!(tx.schedules().get(ScheduleId::at(fixture.now)).await.unwrap().is_none());
}

async fn a_schedule_name_is_unique(fixture: Fixture) {
    store(&fixture, schedule(&fixture, "nightly")).await;
    let mut tx = fixture.db.begin().await.unwrap();
    let again = tx.schedules().insert(&schedule(&fixture, "nightly")).await;
    assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");
}

async fn only_due_schedules_that_are_not_paused_are_found(fixture: Fixture) {
    let late = Some(fixture.later(-60));
    let second = store(&fixture, schedule(&fixture, "now")).await;
    let first = store(&fixture, Schedule { next_run_at: late, ..schedule(&fixture, "late") }).await;
    store(&fixture, Schedule { next_run_at: Some(fixture.later(1)), ..schedule(&fixture, "soon") }).await;
    store(&fixture, Schedule { next_run_at: None, ..schedule(&fixture, "never") }).await;
    store(&fixture, Schedule { paused: true, next_run_at: late, ..schedule(&fixture, "paused") }).await;
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.schedules().due(fixture.now, 10).await.unwrap(), [first.id, second.id]);
    assert_eq!(tx.schedules().due(fixture.now, 1).await.unwrap(), [first.id]);
}

async fn one_of_many_concurrent_advances_succeeds(fixture: Fixture) {
    let schedule = store(&fixture, schedule(&fixture, "nightly")).await;
    let won = join_all((0..10).map(|_| advance(&fixture, &schedule))).await;
    assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    let moved = read(&fixture, schedule.id).await;
    assert_eq!((moved.next_run_at, moved.revision), (Some(fixture.later(3600)), 2));
    let paused = Schedule { paused: true, ..moved };
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.schedules().update(&paused).await.unwrap());
    tx.commit().await.unwrap();
    assert!(!advance(&fixture, &read(&fixture, schedule.id).await).await, "a paused schedule does not advance");
}

async fn a_due_time_has_one_run(fixture: Fixture) {
    let schedule = store(&fixture, schedule(&fixture, "nightly")).await;
    let jobs = [fixture.queue().await, fixture.queue().await];
    let runs = jobs.map(|job| run(&fixture, schedule.id, 0, Some(job)));
    let fresh = join_all(runs.iter().map(|run| add(&fixture, run))).await;
    assert_eq!(fresh.iter().filter(|fresh| **fresh).count(), 1);
    let kept = fixture.db.read().await.unwrap().schedules().runs(schedule.id, None, 10).await.unwrap();
    assert_eq!(kept, [runs[fresh.iter().position(|fresh| *fresh).unwrap()].clone()]);
    let nobodys = run(&fixture, ScheduleId::at(fixture.now), 0, None);
    let refused = fixture.db.begin().await.unwrap().schedules().add_run(&nobodys).await;
    assert!(matches!(refused, Err(StorageError::Conflict)), "{refused:?}");
}

async fn an_update_of_a_stale_revision_is_refused(fixture: Fixture) {
    let seen = store(&fixture, schedule(&fixture, "nightly")).await;
    assert!(advance(&fixture, &seen).await);
    let changed = Schedule { cron: "0 0 * * *".into(), ..seen };
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(!tx.schedules().update(&changed).await.unwrap());
    assert!(tx.schedules().update(&Schedule { revision: 2, ..changed }).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(read(&fixture, seen.id).await.cron, "0 0 * * *");
}

async fn active_jobs_of_a_schedule_are_found(fixture: Fixture) {
    let mut schedule = store(&fixture, schedule(&fixture, "nightly")).await;
    let ended = fixture.queue_with(|job| job.status = JobStatus::Failed).await;
    let (running, queued) = (fixture.queue().await, fixture.queue().await);
    fixture.claim(running, "w", fixture.now).await.unwrap();
    fixture.queue().await;
    for (due, job) in [(0, ended), (1, running)] {
        assert!(add(&fixture, &run(&fixture, schedule.id, due, Some(job))).await);
    }
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.schedules().active_jobs(&schedule).await.unwrap(), [running]);
    // The last job counts also if its run was trimmed.
    schedule.last_job_id = Some(queued);
    let mut both = tx.schedules().active_jobs(&schedule).await.unwrap();
    both.sort();
    let mut expected = [running, queued];
    expected.sort();
    assert_eq!(both, expected);
}

async fn a_refusal_is_shown_until_the_next_accepted_job(fixture: Fixture) {
    let id = store(&fixture, schedule(&fixture, "nightly")).await.id;
    let note = async |fired: ScheduleResult| {
        let mut tx = fixture.db.begin().await.unwrap();
        tx.schedules().record_result(id, &fired).await.unwrap();
        tx.commit().await.unwrap();
        let seen = read(&fixture, id).await;
        (seen.last_error, seen.last_job_id, seen.last_run_at)
    };
    let job = fixture.queue().await;
    let refused = ScheduleResult { job: None, error: Some("gone".into()) };
    assert_eq!(note(refused).await, (Some("gone".into()), None, None));
    assert_eq!(note(ScheduleResult::default()).await.0, Some("gone".into()), "a skipped time keeps the reason");
    let accepted = ScheduleResult { job: Some((job, fixture.now)), error: None };
    assert_eq!(note(accepted).await, (None, Some(job), Some(fixture.now)));
    assert_eq!(note(ScheduleResult::default()).await, (None, Some(job), Some(fixture.now)));
}

async fn old_runs_are_trimmed_and_deletion_removes_the_rest(fixture: Fixture) {
    let id = store(&fixture, schedule(&fixture, "nightly")).await.id;
    let job = fixture.queue().await;
    for due in 0..5 {
        assert!(add(&fixture, &run(&fixture, id, due, Some(job))).await);
    }
    let due = async |before| {
        let runs = fixture.db.read().await.unwrap().schedules().runs(id, before, 2).await.unwrap();
        runs.into_iter().map(|run| (run.due_at - fixture.now).num_seconds()).collect::<Vec<_>>()
    };
    assert_eq!((due(None).await, due(Some(fixture.later(3))).await), (vec![4, 3], vec![2, 1]));
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.schedules().trim_runs(id, 3).await.unwrap(), 2);
    assert_eq!(tx.schedules().trim_runs(id, 3).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(due(Some(fixture.later(3))).await, [2]);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.schedules().delete(id).await.unwrap());
    assert!(!tx.schedules().delete(id).await.unwrap());
    tx.commit().await.unwrap();
    assert!(due(None).await.is_empty());
    assert_eq!(fixture.job(job).await.status, JobStatus::Queued, "its jobs stay");
}
