//! The last checkpoints of training jobs, fenced by the claims of their runs.

use serde_json::json;
use trainyard_domain::outcome::RunOutcome;
use trainyard_domain::{FailureCode, Job, JobError, JobId};
use trainyard_storage::{Checkpoint, RecordOutcome};

use crate::fixture::Fixture;
use crate::running::{end, next_of};

on_both!(
    the_last_checkpoint_replaces_the_one_before,
    an_old_claim_records_nothing,
    a_user_who_retries_a_job_starts_without_a_checkpoint,
    checkpoints_are_in_use_while_their_job_can_succeed,
    an_expired_job_returns_the_key_of_its_checkpoint,
);

fn checkpoint(job: JobId, claim: i64, number: i64) -> Checkpoint {
    Checkpoint {
        key: format!("checkpoints/{job}/{claim}/{number}.tyc"),
        bytes: 4_000 + number,
        sha256: "ab".repeat(32),
    }
}

async fn record(fixture: &Fixture, job: JobId, claim: i64, number: i64) -> RecordOutcome {
    let mut tx = fixture.db.begin().await.unwrap();
    let recorded = tx.checkpoints().record(job, claim, &checkpoint(job, claim, number)).await.unwrap();
    tx.commit().await.unwrap();
    recorded
}

async fn last(fixture: &Fixture, job: JobId) -> Option<Checkpoint> {
    fixture.db.read().await.unwrap().checkpoints().last(job).await.unwrap()
}

async fn running(fixture: &Fixture) -> Job {
    let id = fixture.queue().await;
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

async fn the_last_checkpoint_replaces_the_one_before(fixture: Fixture) {
    let (job, other) = (running(&fixture).await, running(&fixture).await);
    assert_eq!(last(&fixture, job.id).await, None);
    assert_eq!(record(&fixture, job.id, 1, 0).await, RecordOutcome::Stored { replaced: None });
    assert_eq!(record(&fixture, other.id, 1, 0).await, RecordOutcome::Stored { replaced: None });
    let replaced = Some(checkpoint(job.id, 1, 0).key);
    assert_eq!(record(&fixture, job.id, 1, 1).await, RecordOutcome::Stored { replaced });
    // The commit of the first may have been reported as failed.
    assert_eq!(record(&fixture, job.id, 1, 1).await, RecordOutcome::Stored { replaced: None });
    assert_eq!(last(&fixture, job.id).await, Some(checkpoint(job.id, 1, 1)));
    assert_eq!(last(&fixture, other.id).await, Some(checkpoint(other.id, 1, 0)));
    assert_eq!(fixture.job(job.id).await.revision, job.revision, "clients see no change of the job");
    let mut tx = fixture.db.begin().await.unwrap();
    tx.checkpoints().remove(job.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(last(&fixture, job.id).await, None);
    assert!(last(&fixture, other.id).await.is_some(), "another job keeps its checkpoint");
}

async fn an_old_claim_records_nothing(fixture: Fixture) {
    let first = running(&fixture).await;
    record(&fixture, first.id, 1, 0).await;
    let second = run_again(&fixture, &first).await;
    assert_eq!(record(&fixture, first.id, 1, 1).await, RecordOutcome::Fenced);
    assert_eq!(last(&fixture, first.id).await, Some(checkpoint(first.id, 1, 0)), "the next run continues from it");
    let replaced = Some(checkpoint(first.id, 1, 0).key);
    assert_eq!(record(&fixture, first.id, second.claim, 0).await, RecordOutcome::Stored { replaced });
}

async fn a_user_who_retries_a_job_starts_without_a_checkpoint(fixture: Fixture) {
    let job = running(&fixture).await;
    record(&fixture, job.id, 1, 0).await;
    fail(&fixture, &job).await;
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().retry(job.id, fixture.now).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(last(&fixture, job.id).await, None);
}

async fn checkpoints_are_in_use_while_their_job_can_succeed(fixture: Fixture) {
    let (active, failed) = (running(&fixture).await, running(&fixture).await);
    for job in [&active, &failed] {
        record(&fixture, job.id, 1, 0).await;
    }
    fail(&fixture, &failed).await;
    let keys = [checkpoint(active.id, 1, 0).key, checkpoint(failed.id, 1, 0).key, "checkpoints/unknown".to_owned()];
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let named = async || {
        let found = fixture.db.read().await.unwrap().checkpoints().named(&keys).await.unwrap();
        keys.iter().map(|key| found.contains(*key)).collect::<Vec<_>>()
    };
    assert_eq!(named().await, [true, false, false]);
    let again = run_again(&fixture, &active).await;
    assert_eq!(named().await, [true, false, false], "the next run continues from it");
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().succeed(again.id, again.claim, &json!({}), None, fixture.later(33)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(named().await, [false, false, false]);
}

async fn an_expired_job_returns_the_key_of_its_checkpoint(fixture: Fixture) {
    let failed = running(&fixture).await;
    record(&fixture, failed.id, 1, 0).await;
    fail(&fixture, &failed).await;
    let mut tx = fixture.db.begin().await.unwrap();
    let expired = tx.jobs().expire_unsuccessful(fixture.later(60), 10).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((expired.jobs, expired.objects), (1, vec![checkpoint(failed.id, 1, 0).key]));
    assert_eq!(last(&fixture, failed.id).await, None);
}
