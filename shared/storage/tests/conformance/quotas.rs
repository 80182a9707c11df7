//! Limits of queued and running jobs, under concurrent submissions.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use trainyard_domain::{Job, JobId, JobStatus, Role, UserId};
use trainyard_storage::{Admission, Db, JobDemand, JobLimits, QuotaCredit, Submission};
use trainyard_testkit::eventually;

use crate::fixture::{Fixture, LEASE};

on_both!(
    the_limit_of_a_user_holds_under_concurrent_submissions,
    the_total_limit_holds_under_concurrent_submissions,
    the_limits_hold_while_two_processes_reserve_quota_ahead,
    credit_ends_with_a_count_of_another_process,
    submissions_within_credit_do_not_wait_for_each_other,
    the_limit_holds_under_concurrent_admissions,
    finished_jobs_free_their_quota,
    jobs_from_before_the_quota_migration_count,
    a_lowered_limit_refuses_jobs_until_enough_have_finished,
    a_refused_demand_uses_up_no_quota,
    a_job_that_replaces_another_takes_over_its_place,
    nothing_is_stored_after_the_deadline,
);

const LIMIT: Duration = Duration::from_secs(30);
const FEW: JobLimits = JobLimits { per_user: 10, total: 1_000 };

fn in_time() -> DateTime<Utc> {
    Utc::now() + TimeDelta::minutes(5)
}

/// Submits as the API does: within the credit or the upper bounds first, then by a count.
async fn submit_by(db: &Db, credit: &QuotaCredit, jobs: &[Job], limits: JobLimits) -> bool {
    loop {
        let mut tx = db.begin().await.unwrap();
        match tx.jobs().submit_within(jobs, &[], limits, in_time(), credit).await.unwrap() {
            Submission::Stored(reservation) => {
                tx.commit().await.unwrap();
                credit.add(reservation);
                return true;
            }
            Submission::CreditExpired => {}
            Submission::LimitReached | Submission::Late => break,
        }
    }
    submit_admitted(db, jobs, limits).await
}

async fn submit(db: &Db, jobs: &[Job], limits: JobLimits) -> bool {
    submit_by(db, &QuotaCredit::default(), jobs, limits).await
}

async fn submit_admitted(db: &Db, jobs: &[Job], limits: JobLimits) -> bool {
    let mut tx = db.begin().await.unwrap();
    let admitted = tx.jobs().admit(&[demand(jobs)], limits).await.unwrap() == [Admission::Admitted];
    if admitted {
        tx.jobs().submit(jobs, &[]).await.unwrap();
        tx.commit().await.unwrap();
    }
    admitted
}

fn demand(jobs: &[Job]) -> JobDemand {
    JobDemand { jobs: jobs.len() as i64, ..JobDemand::one(jobs[0].created_by, jobs[0].dataset_id) }
}

/// Submits half of the jobs by each of two pools, as two processes do.
async fn submit_all(fixture: &Fixture, submissions: Vec<Vec<Job>>, limits: JobLimits) -> usize {
    let other = Db::connect(&fixture.url, &fixture.options).await.unwrap();
    let both = [fixture.db.clone(), other].map(|db| Arc::new((db, QuotaCredit::default())));
    let all = submissions.into_iter().enumerate().map(|(n, jobs)| {
        let process = Arc::clone(&both[n % 2]);
        tokio::spawn(async move { submit_by(&process.0, &process.1, &jobs, limits).await })
    });
    join_all(all).await.into_iter().filter(|stored| *stored.as_ref().unwrap()).count()
}

fn of(fixture: &Fixture, user: UserId, count: usize) -> Vec<Job> {
    (0..count).map(|_| Job { created_by: user, ..fixture.draft() }).collect()
}

async fn active(fixture: &Fixture, user: UserId) -> i64 {
    fixture.db.read().await.unwrap().jobs().active_of(user).await.unwrap()
}

async fn the_limit_of_a_user_holds_under_concurrent_submissions(fixture: Fixture) {
    let stored = submit_all(&fixture, (0..40).map(|_| of(&fixture, fixture.user, 1)).collect(), FEW).await;
    assert_eq!((stored, active(&fixture, fixture.user).await), (10, 10));
    let bob = fixture.add_user("bob@example.com", Role::Admin).await;
    let stored = submit_all(&fixture, (0..6).map(|_| of(&fixture, bob, 4)).collect(), FEW).await;
    assert_eq!((stored, active(&fixture, bob).await), (2, 8), "each submission is all or none");
}

async fn the_total_limit_holds_under_concurrent_submissions(fixture: Fixture) {
    let mut submissions = Vec::new();
    for n in 0..20 {
        let user = fixture.add_user(&format!("user{n}@example.com"), Role::Admin).await;
        submissions.extend([of(&fixture, user, 1), of(&fixture, user, 2)]);
    }
    let limits = JobLimits { per_user: 10, total: 25 };
    submit_all(&fixture, submissions, limits).await;
    let total = fixture.db.read().await.unwrap().jobs().active_total().await.unwrap();
    assert!((24..=25).contains(&total), "{total}: full, but for a place that none for two fits into");
}

async fn the_limits_hold_while_two_processes_reserve_quota_ahead(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::Admin).await;
    let limits = JobLimits { per_user: 200, total: 300 };
    let submissions = (0..260).map(|n| of(&fixture, [fixture.user, bob][n % 2], 1 + n % 3)).collect();
    submit_all(&fixture, submissions, limits).await;
    let total = fixture.db.read().await.unwrap().jobs().active_total().await.unwrap();
    assert!((298..=300).contains(&total), "{total}: full, but for a place that the last submissions do not fit into");
    for user in [fixture.user, bob] {
        assert!(active(&fixture, user).await <= 200);
    }
}

/// Postgres alone uses credit.
async fn credit_ends_with_a_count_of_another_process(fixture: Fixture) {
    if fixture.db.engine() == "sqlite" {
        return;
    }
    let (credit, limits) = (QuotaCredit::default(), JobLimits { per_user: 200, total: 1_000 });
    // The first submission reserves nothing ahead, since the free quota is not known.
    for _ in 0..2 {
        assert!(submit_by(&fixture.db, &credit, &of(&fixture, fixture.user, 1), limits).await);
    }
    let count_in_another_process = of(&fixture, fixture.user, 198);
    assert!(submit_admitted(&fixture.db, &count_in_another_process, limits).await, "a count sees no credit");
    let submission = {
        let mut tx = fixture.db.begin().await.unwrap();
        tx.jobs().submit_within(&of(&fixture, fixture.user, 1), &[], limits, in_time(), &credit).await.unwrap()
    };
    assert_eq!(submission, Submission::CreditExpired);
    assert!(!submit_by(&fixture.db, &credit, &of(&fixture, fixture.user, 1), limits).await);
    assert_eq!(active(&fixture, fixture.user).await, 200);
}

/// On SQLite all writers wait for each other.
async fn submissions_within_credit_do_not_wait_for_each_other(fixture: Fixture) {
    if fixture.db.engine() == "sqlite" {
        return;
    }
    let (credit, limits) = (QuotaCredit::default(), JobLimits { per_user: 200, total: 1_000 });
    for _ in 0..2 {
        assert!(submit_by(&fixture.db, &credit, &of(&fixture, fixture.user, 1), limits).await);
    }
    let mut first = fixture.db.begin().await.unwrap();
    let jobs = of(&fixture, fixture.user, 1);
    assert!(stored(first.jobs().submit_within(&jobs, &[], limits, in_time(), &credit).await));
    let mut second = fixture.db.begin().await.unwrap();
    let jobs = of(&fixture, fixture.user, 1);
    assert!(stored(second.jobs().submit_within(&jobs, &[], limits, in_time(), &credit).await));
    second.commit().await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(active(&fixture, fixture.user).await, 4);
}

fn stored(outcome: trainyard_storage::Result<Submission>) -> bool {
    matches!(outcome.unwrap(), Submission::Stored(_))
}

async fn the_limit_holds_under_concurrent_admissions(fixture: Fixture) {
    let all = (0..20).map(|_| {
        let (db, jobs) = (fixture.db.clone(), of(&fixture, fixture.user, 1));
        tokio::spawn(async move { submit_admitted(&db, &jobs, FEW).await })
    });
    let stored = join_all(all).await.into_iter().filter(|stored| *stored.as_ref().unwrap()).count();
    assert_eq!((stored, active(&fixture, fixture.user).await), (10, 10));
}

async fn finished_jobs_free_their_quota(fixture: Fixture) {
    let jobs = of(&fixture, fixture.user, 10);
    assert!(submit(&fixture.db, &jobs, FEW).await);
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().claim_many(&[jobs[0].id, jobs[1].id], "w", Some(fixture.now), LEASE).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!submit(&fixture.db, &of(&fixture, fixture.user, 1), FEW).await, "a running job counts");
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().succeed_without_model(&[(jobs[0].id, 1)], Some(fixture.now)).await.unwrap();
    tx.jobs().cancel(jobs[2].id, fixture.now).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!submit(&fixture.db, &of(&fixture, fixture.user, 3), FEW).await);
    assert!(submit(&fixture.db, &of(&fixture, fixture.user, 2), FEW).await, "as many as have finished");
    assert!(!submit(&fixture.db, &of(&fixture, fixture.user, 1), FEW).await);
}

async fn jobs_from_before_the_quota_migration_count(fixture: Fixture) {
    fixture.execute_raw("DELETE FROM job_quotas").await;
    for _ in 0..9 {
        fixture.queue().await;
    }
    // The migration's statement for a database with jobs.
    fixture.execute_raw("INSERT INTO job_quotas (owner, active, most, closed) SELECT created_by, COUNT(*), 9223372036854775807, FALSE FROM jobs GROUP BY created_by").await;
    assert!(submit(&fixture.db, &of(&fixture, fixture.user, 1), FEW).await);
    assert!(!submit(&fixture.db, &of(&fixture, fixture.user, 1), FEW).await);
}

async fn a_lowered_limit_refuses_jobs_until_enough_have_finished(fixture: Fixture) {
    let jobs = of(&fixture, fixture.user, 10);
    assert!(submit(&fixture.db, &jobs, FEW).await);
    let lower = JobLimits { per_user: 5, total: 5 };
    assert!(!submit(&fixture.db, &of(&fixture, fixture.user, 1), lower).await);
    let mut tx = fixture.db.begin().await.unwrap();
    for job in &jobs[..6] {
        tx.jobs().cancel(job.id, fixture.now).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert!(submit(&fixture.db, &of(&fixture, fixture.user, 1), lower).await);
    assert!(!submit(&fixture.db, &of(&fixture, fixture.user, 1), lower).await);
    assert!(submit(&fixture.db, &of(&fixture, fixture.user, 5), FEW).await, "after the limit is raised");
    assert_eq!(fixture.job(jobs[9].id).await.status, JobStatus::Queued);
}

async fn a_refused_demand_uses_up_no_quota(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::Admin).await;
    let demand = |user: UserId, jobs: i64| JobDemand { jobs, ..JobDemand::one(user, fixture.dataset.id) };
    let demands =
        [demand(fixture.user, 11), demand(bob, 9), demand(fixture.user, 7), demand(fixture.user, 3), demand(bob, 1)];
    let limits = JobLimits { per_user: 10, total: 13 };
    let mut tx = fixture.db.begin().await.unwrap();
    let admissions = tx.jobs().admit(&demands, limits).await.unwrap();
    let expected =
        [Admission::UserFull, Admission::Admitted, Admission::TotalFull, Admission::Admitted, Admission::Admitted];
    assert_eq!(admissions, expected);
}

/// Submits a job that replaces `replaced`, as a schedule does.
async fn replace(fixture: &Fixture, user: UserId, replaced: JobId, limits: JobLimits) -> Admission {
    let job = Job { created_by: user, ..fixture.draft() };
    let demand = JobDemand { replaces: vec![replaced], ..JobDemand::one(user, job.dataset_id) };
    let mut tx = fixture.db.begin().await.unwrap();
    let admission = tx.jobs().admit(&[demand], limits).await.unwrap()[0];
    if admission == Admission::Admitted {
        tx.jobs().cancel(replaced, fixture.now).await.unwrap();
        tx.jobs().insert(&job).await.unwrap();
        tx.commit().await.unwrap();
    }
    admission
}

async fn a_job_that_replaces_another_takes_over_its_place(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::Admin).await;
    let (jobs, of_bob) = (of(&fixture, fixture.user, 10), of(&fixture, bob, 3));
    let limits = JobLimits { per_user: 10, total: 13 };
    assert!(submit(&fixture.db, &jobs, limits).await && submit(&fixture.db, &of_bob, limits).await);
    assert_eq!(replace(&fixture, fixture.user, jobs[0].id, limits).await, Admission::Admitted);
    assert_eq!(active(&fixture, fixture.user).await, 10);
    assert_eq!(
        replace(&fixture, fixture.user, jobs[0].id, limits).await,
        Admission::UserFull,
        "the replaced job has finished"
    );
    assert_eq!(
        replace(&fixture, fixture.user, of_bob[0].id, limits).await,
        Admission::UserFull,
        "the replaced job belongs to another user"
    );
    assert_eq!(replace(&fixture, bob, of_bob[0].id, limits).await, Admission::Admitted);
    assert_eq!(replace(&fixture, bob, of_bob[0].id, limits).await, Admission::TotalFull);
    assert!(!submit(&fixture.db, &of(&fixture, fixture.user, 1), JobLimits { total: 100, ..limits }).await);
    assert!(!submit(&fixture.db, &of(&fixture, bob, 1), limits).await);
}

/// SQLite has no lock that a statement could wait for.
async fn nothing_is_stored_after_the_deadline(fixture: Fixture) {
    if fixture.db.engine() == "sqlite" {
        return;
    }
    // Another user, so that the submission waits for the last of its locks alone.
    let other = fixture.add_user("other@example.com", Role::Admin).await;
    let mut holder = fixture.db.begin().await.unwrap();
    holder.jobs().admit(&[JobDemand { datasets: Vec::new(), ..demand(&of(&fixture, other, 1)) }], FEW).await.unwrap();
    let deadline = Utc::now() + TimeDelta::milliseconds(300);
    let (db, jobs) = (fixture.db.clone(), of(&fixture, fixture.user, 1));
    let waiting = tokio::spawn(async move {
        let mut tx = db.write_autocommit().await.unwrap();
        tx.jobs().submit_within(&jobs, &[], FEW, deadline, &QuotaCredit::default()).await.unwrap()
    });
    eventually("the deadline passes", LIMIT, async || (Utc::now() > deadline).then_some(())).await;
    drop(holder);
    assert_eq!(waiting.await.unwrap(), Submission::Late);
    assert_eq!(active(&fixture, fixture.user).await, 0);
}
