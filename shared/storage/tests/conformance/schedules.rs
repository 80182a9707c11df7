//! Schedules: what is due, who may act on it, and what came of it.

use futures::future::join_all;
use serde_json::json;
use trainyard_domain::schedule::{CatchUp, Outcome, Overlap, Template};
use trainyard_domain::spec::Draft;
use trainyard_domain::{JobId, JobStatus, Schedule, ScheduleId, ScheduleRun};
use trainyard_storage::{Fired, StorageError};

use crate::bench::Bench;

on_both!(
    a_schedule_reads_back_as_it_was_stored,
    a_name_is_given_once,
    only_what_has_come_and_is_not_paused_is_due,
    of_many_that_take_a_time_one_gets_it,
    a_time_comes_to_one_thing_only,
    a_change_over_a_firing_is_refused,
    jobs_that_have_not_ended_are_found,
    a_refusal_stays_until_a_job_is_accepted,
    old_runs_are_forgotten_and_removal_takes_the_rest,
);

pub(crate) fn schedule(bench: &Bench, name: &str) -> Schedule {
    let draft = Draft {
        name: "demo".into(),
        algorithm: "random_forest".into(),
        features: vec!["*".into()],
        target: "survived".into(),
        params: json!({"n_trees": 10, "max_depth": null}).as_object().unwrap().clone(),
        priority: -3,
        run_at: None,
        max_attempts: 3,
        timeout_s: 60,
        webhook_url: None,
        seed: u64::MAX,
    };
    Schedule {
        id: ScheduleId::at(bench.now),
        name: name.into(),
        cron: "0 * * * *".into(),
        timezone: "Europe/Berlin".into(),
        template: Template { dataset: bench.dataset.name.clone(), draft },
        catch_up: CatchUp::One,
        overlap: Overlap::Skip,
        paused: false,
        created_by: bench.user,
        created_at: bench.now,
        updated_at: bench.now,
        next_run_at: Some(bench.now),
        last_run_at: None,
        last_job_id: None,
        last_error: None,
        revision: 1,
    }
}

pub(crate) async fn store(bench: &Bench, schedule: Schedule) -> Schedule {
    let mut tx = bench.db.begin().await.unwrap();
    tx.schedules().insert(&schedule).await.unwrap();
    tx.commit().await.unwrap();
    schedule
}

async fn read(bench: &Bench, id: ScheduleId) -> Schedule {
    bench.db.read().await.unwrap().schedules().get(id).await.unwrap().unwrap()
}

fn run(bench: &Bench, id: ScheduleId, due: i64, job_id: Option<JobId>) -> ScheduleRun {
    let outcome = if job_id.is_some() { Outcome::Submitted } else { Outcome::Refused };
    let (due_at, at) = (bench.later(due), bench.later(due + 1));
    ScheduleRun { schedule_id: id, due_at, job_id, outcome, message: Some("why".into()), at }
}

async fn add(bench: &Bench, run: &ScheduleRun) -> bool {
    let mut tx = bench.db.begin().await.unwrap();
    let fresh = tx.schedules().add_run(run).await.unwrap();
    tx.commit().await.unwrap();
    fresh
}

async fn advance(bench: &Bench, schedule: &Schedule) -> bool {
    let mut tx = bench.db.begin().await.unwrap();
    let won = tx.schedules().advance(schedule, Some(bench.later(3600))).await.unwrap();
    tx.commit().await.unwrap();
    won
}

async fn a_schedule_reads_back_as_it_was_stored(bench: Bench) {
    let stored = store(&bench, schedule(&bench, "nightly")).await;
    let other = store(&bench, Schedule { paused: true, ..schedule(&bench, "weekly") }).await;
    assert_eq!(format!("{:?}", read(&bench, stored.id).await), format!("{stored:?}"));
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.schedules().count().await.unwrap(), 2);
    let listed = tx.schedules().list(None, 10).await.unwrap();
    let mut ids = [stored.id, other.id];
    ids.sort();
    assert_eq!(listed.iter().map(|s| s.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
    assert_eq!(tx.schedules().list(Some(ids[1]), 10).await.unwrap().len(), 1);
    assert!(tx.schedules().get(ScheduleId::at(bench.now)).await.unwrap().is_none());
}

async fn a_name_is_given_once(bench: Bench) {
    store(&bench, schedule(&bench, "nightly")).await;
    let mut tx = bench.db.begin().await.unwrap();
    let again = tx.schedules().insert(&schedule(&bench, "nightly")).await;
    assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");
}

async fn only_what_has_come_and_is_not_paused_is_due(bench: Bench) {
    let late = Some(bench.later(-60));
    let second = store(&bench, schedule(&bench, "now")).await;
    let first = store(&bench, Schedule { next_run_at: late, ..schedule(&bench, "late") }).await;
    store(&bench, Schedule { next_run_at: Some(bench.later(1)), ..schedule(&bench, "soon") }).await;
    store(&bench, Schedule { next_run_at: None, ..schedule(&bench, "never") }).await;
    store(&bench, Schedule { paused: true, next_run_at: late, ..schedule(&bench, "paused") }).await;
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.schedules().due(bench.now, 10).await.unwrap(), [first.id, second.id]);
    assert_eq!(tx.schedules().due(bench.now, 1).await.unwrap(), [first.id]);
}

async fn of_many_that_take_a_time_one_gets_it(bench: Bench) {
    let schedule = store(&bench, schedule(&bench, "nightly")).await;
    let won = join_all((0..10).map(|_| advance(&bench, &schedule))).await;
    assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    let moved = read(&bench, schedule.id).await;
    assert_eq!((moved.next_run_at, moved.revision), (Some(bench.later(3600)), 2));
    let paused = Schedule { paused: true, ..moved };
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.schedules().update(&paused).await.unwrap());
    tx.commit().await.unwrap();
    assert!(!advance(&bench, &read(&bench, schedule.id).await).await, "a pause stops it at once");
}

async fn a_time_comes_to_one_thing_only(bench: Bench) {
    let schedule = store(&bench, schedule(&bench, "nightly")).await;
    let jobs = [bench.queue().await, bench.queue().await];
    let runs = jobs.map(|job| run(&bench, schedule.id, 0, Some(job)));
    let fresh = join_all(runs.iter().map(|run| add(&bench, run))).await;
    assert_eq!(fresh.iter().filter(|fresh| **fresh).count(), 1);
    let kept = bench.db.read().await.unwrap().schedules().runs(schedule.id, None, 10).await.unwrap();
    assert_eq!(kept, [runs[fresh.iter().position(|fresh| *fresh).unwrap()].clone()]);
    let nobodys = run(&bench, ScheduleId::at(bench.now), 0, None);
    let refused = bench.db.begin().await.unwrap().schedules().add_run(&nobodys).await;
    assert!(matches!(refused, Err(StorageError::Conflict)), "{refused:?}");
}

async fn a_change_over_a_firing_is_refused(bench: Bench) {
    let seen = store(&bench, schedule(&bench, "nightly")).await;
    assert!(advance(&bench, &seen).await);
    let changed = Schedule { cron: "0 0 * * *".into(), ..seen };
    let mut tx = bench.db.begin().await.unwrap();
    assert!(!tx.schedules().update(&changed).await.unwrap());
    assert!(tx.schedules().update(&Schedule { revision: 2, ..changed }).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(read(&bench, seen.id).await.cron, "0 0 * * *");
}

async fn jobs_that_have_not_ended_are_found(bench: Bench) {
    let mut schedule = store(&bench, schedule(&bench, "nightly")).await;
    let ended = bench.queue_with(|job| job.status = JobStatus::Failed).await;
    let (running, queued) = (bench.queue().await, bench.queue().await);
    bench.claim(running, "w", bench.now).await.unwrap();
    bench.queue().await;
    for (due, job) in [(0, ended), (1, running)] {
        assert!(add(&bench, &run(&bench, schedule.id, due, Some(job))).await);
    }
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.schedules().active_jobs(&schedule).await.unwrap(), [running]);
    // The last job counts also when so many times were skipped since that its run is forgotten.
    schedule.last_job_id = Some(queued);
    let mut both = tx.schedules().active_jobs(&schedule).await.unwrap();
    both.sort();
    let mut expected = [running, queued];
    expected.sort();
    assert_eq!(both, expected);
}

async fn a_refusal_stays_until_a_job_is_accepted(bench: Bench) {
    let id = store(&bench, schedule(&bench, "nightly")).await.id;
    let note = async |fired: Fired| {
        let mut tx = bench.db.begin().await.unwrap();
        tx.schedules().note(id, &fired).await.unwrap();
        tx.commit().await.unwrap();
        let seen = read(&bench, id).await;
        (seen.last_error, seen.last_job_id, seen.last_run_at)
    };
    let job = bench.queue().await;
    let refused = Fired { job: None, error: Some("gone".into()) };
    assert_eq!(note(refused).await, (Some("gone".into()), None, None));
    assert_eq!(note(Fired::default()).await.0, Some("gone".into()), "a time that was skipped says nothing new");
    let accepted = Fired { job: Some((job, bench.now)), error: None };
    assert_eq!(note(accepted).await, (None, Some(job), Some(bench.now)));
    assert_eq!(note(Fired::default()).await, (None, Some(job), Some(bench.now)));
}

async fn old_runs_are_forgotten_and_removal_takes_the_rest(bench: Bench) {
    let id = store(&bench, schedule(&bench, "nightly")).await.id;
    let job = bench.queue().await;
    for due in 0..5 {
        assert!(add(&bench, &run(&bench, id, due, Some(job))).await);
    }
    let due = async |before| {
        let runs = bench.db.read().await.unwrap().schedules().runs(id, before, 2).await.unwrap();
        runs.into_iter().map(|run| (run.due_at - bench.now).num_seconds()).collect::<Vec<_>>()
    };
    assert_eq!((due(None).await, due(Some(bench.later(3))).await), (vec![4, 3], vec![2, 1]));
    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.schedules().trim_runs(id, 3).await.unwrap(), 2);
    assert_eq!(tx.schedules().trim_runs(id, 3).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(due(Some(bench.later(3))).await, [2]);
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.schedules().delete(id).await.unwrap());
    assert!(!tx.schedules().delete(id).await.unwrap());
    tx.commit().await.unwrap();
    assert!(due(None).await.is_empty());
    assert_eq!(bench.job(job).await.status, JobStatus::Queued, "jobs stay");
}
