//! The parts of the results of prediction jobs, fenced by the claims of their runs.

use serde_json::json;
use trainyard_domain::outcome::RunOutcome;
use trainyard_domain::{FailureCode, Job, JobError, JobId, JobStatus};
use trainyard_storage::PredictionPart;

use crate::fixture::Fixture;
use crate::running::{end, next_of};

on_both!(
    parts_are_recorded_in_order,
    a_part_is_recorded_once,
    an_old_claim_records_and_removes_nothing,
    a_later_run_sees_the_parts_of_earlier_ones,
    a_user_who_retries_a_job_starts_it_anew,
    parts_are_in_use_while_their_job_can_succeed,
    an_expired_job_returns_the_keys_of_its_parts,
);

fn part(job: JobId, claim: i64, number: i64) -> PredictionPart {
    PredictionPart {
        number,
        key: format!("predictions/{job}/{claim}/{number}.csv"),
        rows: 100 + number,
        bytes: 4_000,
        sha256: "ab".repeat(32),
        counts: json!({"missing": {"age": 7}}),
    }
}

async fn record(fixture: &Fixture, job: JobId, claim: i64, number: i64) -> bool {
    let mut tx = fixture.db.begin().await.unwrap();
    let recorded = tx.predictions().record_part(job, claim, &part(job, claim, number)).await.unwrap();
    tx.commit().await.unwrap();
    recorded
}

async fn parts(fixture: &Fixture, job: JobId) -> Vec<PredictionPart> {
    fixture.db.read().await.unwrap().predictions().parts(job).await.unwrap()
}

/// A prediction job that a worker runs.
async fn running(fixture: &Fixture) -> Job {
    let id = fixture.queue_prediction().await;
    fixture.claim(id, "w", fixture.now).await.unwrap()
}

/// Ends the run and starts another one.
async fn run_again(fixture: &Fixture, job: &Job) -> Job {
    let now = fixture.later(31);
    assert!(end(fixture, job.id, job.claim, &next_of(job, RunOutcome::Interrupted, now), now).await);
    fixture.claim(job.id, "other", fixture.later(32)).await.unwrap()
}

async fn fail(fixture: &Fixture, job: &Job) {
    let failure = RunOutcome::Failed(JobError::new(FailureCode::BadData, "no rows"));
    assert!(end(fixture, job.id, job.claim, &next_of(job, failure, fixture.now), fixture.now).await);
}

async fn parts_are_recorded_in_order(fixture: Fixture) {
    let (job, other) = (running(&fixture).await, running(&fixture).await);
    for number in [0, 1, 2] {
        assert!(record(&fixture, job.id, 1, number).await);
    }
    assert!(record(&fixture, other.id, 1, 0).await);
    let expected: Vec<_> = [0, 1, 2].map(|number| part(job.id, 1, number)).into();
    assert_eq!(parts(&fixture, job.id).await, expected);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.predictions().truncate(job.id, 1, 1).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(parts(&fixture, job.id).await, expected[..1]);
    assert_eq!(parts(&fixture, other.id).await.len(), 1, "another job keeps its parts");
    assert_eq!(fixture.job(job.id).await.revision, job.revision, "clients see no change of the job");
}

async fn a_part_is_recorded_once(fixture: Fixture) {
    let job = running(&fixture).await;
    // The commit of the first may have been reported as failed.
    assert!(record(&fixture, job.id, 1, 0).await && record(&fixture, job.id, 1, 0).await);
    assert_eq!(parts(&fixture, job.id).await.len(), 1);
}

async fn an_old_claim_records_and_removes_nothing(fixture: Fixture) {
    let first = running(&fixture).await;
    assert!(record(&fixture, first.id, 1, 0).await);
    let second = run_again(&fixture, &first).await;
    assert!(!record(&fixture, first.id, 1, 1).await);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(!tx.predictions().truncate(first.id, 1, 0).await.unwrap());
    tx.commit().await.unwrap();
    assert!(record(&fixture, first.id, second.claim, 1).await);
    let keys: Vec<_> = parts(&fixture, first.id).await.into_iter().map(|part| part.key).collect();
    assert_eq!(keys, [part(first.id, 1, 0).key, part(first.id, 2, 1).key]);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(!tx.jobs().succeed(first.id, 1, &json!({}), None, fixture.later(33)).await.unwrap());
    assert!(tx.jobs().succeed(first.id, 2, &json!({"rows": 200}), None, fixture.later(33)).await.unwrap());
    tx.commit().await.unwrap();
    let job = fixture.job(first.id).await;
    assert_eq!((job.status, job.model_version), (JobStatus::Succeeded, None));
    assert!(!record(&fixture, first.id, 2, 2).await, "a result that is published does not change");
}

async fn a_later_run_sees_the_parts_of_earlier_ones(fixture: Fixture) {
    let first = running(&fixture).await;
    // The old run waits for the row that the sweep has locked.
    let mut tx = fixture.db.begin().await.unwrap();
    let next = next_of(&first, RunOutcome::Interrupted, fixture.later(31));
    assert!(tx.jobs().finish_run(first.id, 1, &next, fixture.later(31)).await.unwrap());
    let (db, late) = (fixture.db.clone(), part(first.id, 1, 0));
    let recording = tokio::spawn(async move {
        let mut tx = db.begin().await.unwrap();
        let recorded = tx.predictions().record_part(first.id, 1, &late).await.unwrap();
        tx.commit().await.unwrap();
        recorded
    });
    fixture.until_one_waits().await;
    tx.commit().await.unwrap();
    assert!(!recording.await.unwrap());
    fixture.claim(first.id, "other", fixture.later(32)).await.unwrap();
    assert!(parts(&fixture, first.id).await.is_empty());
}

async fn a_user_who_retries_a_job_starts_it_anew(fixture: Fixture) {
    let job = running(&fixture).await;
    assert!(record(&fixture, job.id, 1, 0).await);
    fail(&fixture, &job).await;
    assert_eq!(parts(&fixture, job.id).await.len(), 1);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().retry(job.id, fixture.now).await.unwrap());
    tx.commit().await.unwrap();
    assert!(parts(&fixture, job.id).await.is_empty());
}

async fn parts_are_in_use_while_their_job_can_succeed(fixture: Fixture) {
    let (active, failed) = (running(&fixture).await, running(&fixture).await);
    for job in [&active, &failed] {
        assert!(record(&fixture, job.id, 1, 0).await);
    }
    fail(&fixture, &failed).await;
    let keys = [part(active.id, 1, 0).key, part(failed.id, 1, 0).key, "predictions/unknown".to_owned()];
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let named = async || {
        let found = fixture.db.read().await.unwrap().predictions().named(&keys).await.unwrap();
        keys.iter().map(|key| found.contains(*key)).collect::<Vec<_>>()
    };
    assert_eq!(named().await, [true, false, false]);
    let again = run_again(&fixture, &active).await;
    assert_eq!(named().await, [true, false, false], "the next run continues after them");
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().succeed(again.id, again.claim, &json!({}), None, fixture.later(33)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(named().await, [true, false, false]);
}

async fn an_expired_job_returns_the_keys_of_its_parts(fixture: Fixture) {
    let (succeeded, failed) = (running(&fixture).await, running(&fixture).await);
    for (job, number) in [(&succeeded, 0), (&succeeded, 1), (&failed, 0)] {
        assert!(record(&fixture, job.id, 1, number).await);
    }
    fail(&fixture, &failed).await;
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().succeed(succeeded.id, 1, &json!({}), None, fixture.now).await.unwrap());
    let unsuccessful = tx.jobs().expire_unsuccessful(fixture.later(60), 10).await.unwrap();
    assert_eq!((unsuccessful.jobs, unsuccessful.objects), (1, vec![part(failed.id, 1, 0).key]));
    let (expired, _) = tx.jobs().expire_succeeded(fixture.later(60), None, 10).await.unwrap();
    let mut objects = expired.objects;
    objects.sort();
    assert_eq!((expired.jobs, objects), (1, vec![part(succeeded.id, 1, 0).key, part(succeeded.id, 1, 1).key]));
    tx.commit().await.unwrap();
    assert!(parts(&fixture, succeeded.id).await.is_empty());
}
