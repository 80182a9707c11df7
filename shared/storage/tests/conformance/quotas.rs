//! The limits on queued and running jobs, under submissions at the same time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use trainyard_domain::{Job, JobId, JobStatus, Role, UserId};
use trainyard_storage::{Admission, Db, JobDemand, JobLimits, Submission};
use trainyard_testkit::eventually;

use crate::bench::{Bench, LEASE};

on_both!(
    a_users_limit_holds_under_submissions_at_once,
    the_limit_on_all_users_holds_under_submissions_at_once,
    the_limit_holds_where_jobs_are_admitted_first,
    jobs_that_end_make_room,
    what_was_queued_before_there_were_quotas_counts,
    a_lowered_limit_admits_nobody_until_enough_have_ended,
    a_refused_demand_takes_no_place_from_later_ones,
    a_job_that_replaces_another_takes_over_its_place,
    nothing_is_stored_after_the_deadline,
);

const LIMIT: Duration = Duration::from_secs(30);
const FEW: JobLimits = JobLimits { per_user: 10, total: 1_000 };

fn in_time() -> DateTime<Utc> {
    Utc::now() + TimeDelta::minutes(5)
}

/// Submits as the API does: by the upper bounds, and where those refuse, by a count.
async fn submit(db: &Db, jobs: &[Job], limits: JobLimits) -> bool {
    let mut tx = db.begin().await.unwrap();
    if tx.jobs().submit_within(jobs, &[], limits, in_time()).await.unwrap() == Submission::Stored {
        tx.commit().await.unwrap();
        return true;
    }
    drop(tx);
    submit_admitted(db, jobs, limits).await
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

/// As two processes would: half of the submissions by each.
async fn submit_all(bench: &Bench, submissions: Vec<Vec<Job>>, limits: JobLimits) -> usize {
    let other = Db::connect(&bench.url, &bench.options).await.unwrap();
    let both = [bench.db.clone(), other];
    let all = submissions.into_iter().enumerate().map(|(n, jobs)| {
        let db = both[n % 2].clone();
        tokio::spawn(async move { submit(&db, &jobs, limits).await })
    });
    join_all(all).await.into_iter().filter(|stored| *stored.as_ref().unwrap()).count()
}

fn of(bench: &Bench, user: UserId, count: usize) -> Vec<Job> {
    (0..count).map(|_| Job { created_by: user, ..bench.draft() }).collect()
}

async fn active(bench: &Bench, user: UserId) -> i64 {
    bench.db.read().await.unwrap().jobs().active_of(user).await.unwrap()
}

async fn a_users_limit_holds_under_submissions_at_once(bench: Bench) {
    let stored = submit_all(&bench, (0..40).map(|_| of(&bench, bench.user, 1)).collect(), FEW).await;
    assert_eq!((stored, active(&bench, bench.user).await), (10, 10));
    let bob = bench.add_user("bob@example.com", Role::Admin).await;
    let stored = submit_all(&bench, (0..6).map(|_| of(&bench, bob, 4)).collect(), FEW).await;
    assert_eq!((stored, active(&bench, bob).await), (2, 8), "each all or none");
}

async fn the_limit_on_all_users_holds_under_submissions_at_once(bench: Bench) {
    let mut submissions = Vec::new();
    for n in 0..20 {
        let user = bench.add_user(&format!("user{n}@example.com"), Role::Admin).await;
        submissions.extend([of(&bench, user, 1), of(&bench, user, 2)]);
    }
    let limits = JobLimits { per_user: 10, total: 25 };
    submit_all(&bench, submissions, limits).await;
    let total = bench.db.read().await.unwrap().jobs().active_total().await.unwrap();
    assert!((24..=25).contains(&total), "{total}: full, but for a place that none for two fits into");
}

async fn the_limit_holds_where_jobs_are_admitted_first(bench: Bench) {
    let all = (0..20).map(|_| {
        let (db, jobs) = (bench.db.clone(), of(&bench, bench.user, 1));
        tokio::spawn(async move { submit_admitted(&db, &jobs, FEW).await })
    });
    let stored = join_all(all).await.into_iter().filter(|stored| *stored.as_ref().unwrap()).count();
    assert_eq!((stored, active(&bench, bench.user).await), (10, 10));
}

async fn jobs_that_end_make_room(bench: Bench) {
    let jobs = of(&bench, bench.user, 10);
    assert!(submit(&bench.db, &jobs, FEW).await);
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().claim_many(&[jobs[0].id, jobs[1].id], "w", Some(bench.now), LEASE).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!submit(&bench.db, &of(&bench, bench.user, 1), FEW).await, "a running job counts");
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().succeed_bare(&[(jobs[0].id, 1)], Some(bench.now)).await.unwrap();
    tx.jobs().cancel(jobs[2].id, bench.now).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!submit(&bench.db, &of(&bench, bench.user, 3), FEW).await);
    assert!(submit(&bench.db, &of(&bench, bench.user, 2), FEW).await, "as many as have ended");
    assert!(!submit(&bench.db, &of(&bench, bench.user, 1), FEW).await);
}

async fn what_was_queued_before_there_were_quotas_counts(bench: Bench) {
    bench.meddle("DELETE FROM job_quotas").await;
    for _ in 0..9 {
        bench.queue().await;
    }
    // What the migration makes of a database with jobs.
    bench.meddle("INSERT INTO job_quotas (owner, active, most, closed) SELECT created_by, COUNT(*), 9223372036854775807, FALSE FROM jobs GROUP BY created_by").await;
    assert!(submit(&bench.db, &of(&bench, bench.user, 1), FEW).await);
    assert!(!submit(&bench.db, &of(&bench, bench.user, 1), FEW).await);
}

async fn a_lowered_limit_admits_nobody_until_enough_have_ended(bench: Bench) {
    let jobs = of(&bench, bench.user, 10);
    assert!(submit(&bench.db, &jobs, FEW).await);
    let lower = JobLimits { per_user: 5, total: 5 };
    assert!(!submit(&bench.db, &of(&bench, bench.user, 1), lower).await);
    let mut tx = bench.db.begin().await.unwrap();
    for job in &jobs[..6] {
        tx.jobs().cancel(job.id, bench.now).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert!(submit(&bench.db, &of(&bench, bench.user, 1), lower).await);
    assert!(!submit(&bench.db, &of(&bench, bench.user, 1), lower).await);
    assert!(submit(&bench.db, &of(&bench, bench.user, 5), FEW).await, "and raised again");
    assert_eq!(bench.job(jobs[9].id).await.status, JobStatus::Queued);
}

async fn a_refused_demand_takes_no_place_from_later_ones(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::Admin).await;
    let demand = |user: UserId, jobs: i64| JobDemand { jobs, ..JobDemand::one(user, bench.dataset.id) };
    let demands =
        [demand(bench.user, 11), demand(bob, 9), demand(bench.user, 7), demand(bench.user, 3), demand(bob, 1)];
    let limits = JobLimits { per_user: 10, total: 13 };
    let mut tx = bench.db.begin().await.unwrap();
    let admissions = tx.jobs().admit(&demands, limits).await.unwrap();
    let expected =
        [Admission::UserFull, Admission::Admitted, Admission::TotalFull, Admission::Admitted, Admission::Admitted];
    assert_eq!(admissions, expected);
}

/// Submits one job in place of `replaced`, as a schedule does.
async fn replace(bench: &Bench, user: UserId, replaced: JobId, limits: JobLimits) -> Admission {
    let job = Job { created_by: user, ..bench.draft() };
    let demand = JobDemand { replaces: vec![replaced], ..JobDemand::one(user, job.dataset_id) };
    let mut tx = bench.db.begin().await.unwrap();
    let admission = tx.jobs().admit(&[demand], limits).await.unwrap()[0];
    if admission == Admission::Admitted {
        tx.jobs().cancel(replaced, bench.now).await.unwrap();
        tx.jobs().insert(&job).await.unwrap();
        tx.commit().await.unwrap();
    }
    admission
}

async fn a_job_that_replaces_another_takes_over_its_place(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::Admin).await;
    let (jobs, of_bob) = (of(&bench, bench.user, 10), of(&bench, bob, 3));
    let limits = JobLimits { per_user: 10, total: 13 };
    assert!(submit(&bench.db, &jobs, limits).await && submit(&bench.db, &of_bob, limits).await);
    assert_eq!(replace(&bench, bench.user, jobs[0].id, limits).await, Admission::Admitted);
    assert_eq!(active(&bench, bench.user).await, 10);
    assert_eq!(replace(&bench, bench.user, jobs[0].id, limits).await, Admission::UserFull, "it has ended already");
    assert_eq!(replace(&bench, bench.user, of_bob[0].id, limits).await, Admission::UserFull, "another user's place");
    assert_eq!(replace(&bench, bob, of_bob[0].id, limits).await, Admission::Admitted);
    assert_eq!(replace(&bench, bob, of_bob[0].id, limits).await, Admission::TotalFull);
    assert!(!submit(&bench.db, &of(&bench, bench.user, 1), JobLimits { total: 100, ..limits }).await);
    assert!(!submit(&bench.db, &of(&bench, bob, 1), limits).await);
}

/// SQLite has no lock that a statement could wait for.
async fn nothing_is_stored_after_the_deadline(bench: Bench) {
    if bench.db.engine() == "sqlite" {
        return;
    }
    // Another user, so that the submission waits for the last of its locks alone.
    let other = bench.add_user("other@example.com", Role::Admin).await;
    let mut holder = bench.db.begin().await.unwrap();
    holder.jobs().admit(&[JobDemand { datasets: Vec::new(), ..demand(&of(&bench, other, 1)) }], FEW).await.unwrap();
    let deadline = Utc::now() + TimeDelta::milliseconds(300);
    let (db, jobs) = (bench.db.clone(), of(&bench, bench.user, 1));
    let waiting = tokio::spawn(async move {
        let mut tx = db.act().await.unwrap();
        tx.jobs().submit_within(&jobs, &[], FEW, deadline).await.unwrap()
    });
    eventually("the deadline passes", LIMIT, async || (Utc::now() > deadline).then_some(())).await;
    drop(holder);
    assert_eq!(waiting.await.unwrap(), Submission::Late);
    assert_eq!(active(&bench, bench.user).await, 0);
}
