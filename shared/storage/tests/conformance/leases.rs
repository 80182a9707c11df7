//! Leases of jobs, leader leases and heartbeats.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use trainyard_domain::outcome::RunOutcome;
use trainyard_domain::{JobId, JobStatus};
use trainyard_storage::{Cancelled, PoolOptions, Renewal, Retention, WorkerRow};
use trainyard_testkit::eventually;

use crate::fixture::Fixture;
use crate::running::next_of;

on_both!(
    only_expired_leases_are_found,
    a_lease_renewed_before_the_sweep_acts_stays,
    many_leases_are_renewed_together_in_order,
    another_process_takes_over_an_expired_leader_lease,
    one_of_many_concurrent_candidates_becomes_leader,
    workers_are_listed_by_their_heartbeat,
    the_databases_clock_advances_within_a_transaction,
);

async fn only_expired_leases_are_found(fixture: Fixture) {
    let (lost, current) = (fixture.queue().await, fixture.queue().await);
    fixture.claim(lost, "dead", fixture.now).await.unwrap();
    fixture.claim(current, "alive", fixture.later(10)).await.unwrap();
    fixture.queue().await;
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().expired(fixture.later(29), 10).await.unwrap().is_empty());
    let expired = tx.jobs().expired(fixture.later(30), 10).await.unwrap();
    assert_eq!(expired.iter().map(|job| job.id).collect::<Vec<_>>(), [lost]);
    let next = next_of(&expired[0], RunOutcome::Interrupted, fixture.later(30));
    assert!(tx.jobs().finish_lost_run(lost, expired[0].claim, &next, fixture.later(30)).await.unwrap());
    assert!(
        !tx.jobs().finish_lost_run(lost, expired[0].claim, &next, fixture.later(30)).await.unwrap(),
        "a second sweep changes nothing"
    );
    tx.commit().await.unwrap();
    assert_eq!(fixture.job(lost).await.status, JobStatus::Queued);
}

async fn a_lease_renewed_before_the_sweep_acts_stays(fixture: Fixture) {
    let id = fixture.queue().await;
    fixture.claim(id, "w", fixture.now).await.unwrap();
    let mut sweep = fixture.db.read().await.unwrap();
    let expired = sweep.jobs().expired(fixture.later(31), 10).await.unwrap();
    assert_eq!(expired.len(), 1);
    drop(sweep);
    // The worker renews the lease between the sweep's query and its write.
    let mut tx = fixture.db.begin().await.unwrap();
    let renewals = tx.jobs().renew("w", &[(id, 1)], fixture.later(61)).await.unwrap();
    assert!(renewals[0].is_current);
    tx.commit().await.unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    let next = next_of(&expired[0], RunOutcome::Interrupted, fixture.later(31));
    assert!(!tx.jobs().finish_lost_run(id, 1, &next, fixture.later(31)).await.unwrap());
    tx.commit().await.unwrap();
    let job = fixture.job(id).await;
    assert_eq!((job.status, job.lease_expires_at), (JobStatus::Running, Some(fixture.later(61))));
}

async fn many_leases_are_renewed_together_in_order(fixture: Fixture) {
    let mut runs = Vec::new();
    for _ in 0..30 {
        let id = fixture.queue().await;
        fixture.claim(id, "w", fixture.now).await.unwrap();
        runs.push((id, 1));
    }
    runs.reverse();
    let waits = fixture.queue().await;
    let others = fixture.queue().await;
    fixture.claim(others, "another", fixture.now).await.unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.jobs().cancel(runs[3].0, fixture.later(1)).await.unwrap(), Cancelled::Requested);
    runs[7].1 = 2;
    runs.extend([(waits, 0), (JobId::at(fixture.now), 1)]);
    let mut expected: Vec<_> = runs
        .iter()
        .map(|(id, claim)| Renewal { id: *id, claim: *claim, is_current: true, cancel_requested: false })
        .collect();
    expected[3].cancel_requested = true;
    for overtaken in [7, 30, 31] {
        expected[overtaken].is_current = false;
    }
    assert_eq!(tx.jobs().check_leases(&runs).await.unwrap(), expected);
    assert_eq!(tx.jobs().renew("w", &runs, fixture.later(90)).await.unwrap(), expected);
    let stolen = tx.jobs().renew("w", &[(others, 1)], fixture.later(90)).await.unwrap();
    assert!(!stolen[0].is_current, "only the holder renews a lease");
    assert!(tx.jobs().renew("w", &[], fixture.later(90)).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    for (renewed, id) in [(true, runs[3].0), (false, runs[7].0), (false, others)] {
        let until = fixture.later(if renewed { 90 } else { 30 });
        assert_eq!(fixture.job(id).await.lease_expires_at, Some(until));
    }
}

/// Without an index on leases a renewal is a HOT update.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_updates_no_index_on_postgres() {
    let fixture = Fixture::postgres().await;
    let id = fixture.queue().await;
    fixture.claim(id, "w", fixture.now).await.unwrap();
    for seconds in 31..34 {
        let mut tx = fixture.db.begin().await.unwrap();
        assert!(tx.jobs().renew("w", &[(id, 1)], fixture.later(seconds)).await.unwrap()[0].is_current);
        tx.commit().await.unwrap();
    }
    // Postgres reports statistics asynchronously, after the connection is closed.
    fixture.db.close().await;
    let server = sqlx::PgPool::connect(&fixture.url).await.unwrap();
    let counts = eventually("the changes are counted", Duration::from_secs(30), async || {
        let counts = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'jobs'";
        let counts: (i64, i64) = sqlx::query_as(counts).fetch_one(&server).await.unwrap();
        (counts.0 == 4).then_some(counts)
    })
    .await;
    assert_eq!(counts, (4, 3), "only the claim updates indexes");
}

async fn another_process_takes_over_an_expired_leader_lease(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let after = |seconds| now + TimeDelta::seconds(seconds);
    assert_eq!(tx.leaders().expires_at("sweep").await.unwrap(), None);
    assert!(tx.leaders().acquire("sweep", "a", now, after(10)).await.unwrap());
    assert_eq!(tx.leaders().expires_at("sweep").await.unwrap(), Some(after(10)));
    assert!(!tx.leaders().acquire("sweep", "b", after(9), after(19)).await.unwrap());
    assert!(tx.leaders().acquire("sweep", "a", after(9), after(19)).await.unwrap(), "the owner renews");
    assert!(!tx.leaders().acquire("sweep", "b", after(18), after(28)).await.unwrap());
    assert!(tx.leaders().acquire("other", "b", now, after(10)).await.unwrap(), "each name has a separate lease");
    assert!(tx.leaders().acquire("sweep", "b", after(19), after(29)).await.unwrap());
    assert!(!tx.leaders().acquire("sweep", "a", after(19), after(29)).await.unwrap(), "the old leader is refused");
    tx.leaders().release("sweep", "a").await.unwrap();
    assert!(!tx.leaders().acquire("sweep", "a", after(19), after(29)).await.unwrap(), "only the owner releases");
    tx.leaders().release("sweep", "b").await.unwrap();
    assert!(tx.leaders().acquire("sweep", "a", after(19), after(29)).await.unwrap());
    tx.leaders().release_all().await.unwrap();
    assert_eq!(tx.leaders().expires_at("sweep").await.unwrap(), None);
}

async fn one_of_many_concurrent_candidates_becomes_leader(fixture: Fixture) {
    let campaign = |i: i64| {
        let (db, now, until) = (fixture.db.clone(), fixture.now, fixture.later(10));
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let leads = tx.leaders().acquire("sweep", &format!("p{i}"), now, until).await.unwrap();
            tx.commit().await.unwrap();
            leads
        })
    };
    let leaders = join_all((0..20).map(campaign)).await.into_iter().filter(|leads| *leads.as_ref().unwrap()).count();
    assert_eq!(leaders, 1);
}

async fn workers_are_listed_by_their_heartbeat(fixture: Fixture) {
    let worker = |id: &str, busy| WorkerRow {
        id: id.into(),
        busy,
        capacity: 4,
        version: "0.1.0".into(),
        started_at: fixture.now,
        memory_limit_mb: 4_096,
    };
    let mut tx = fixture.db.begin().await.unwrap();
    tx.workers().heartbeat(&worker("a", 0), fixture.now).await.unwrap();
    tx.workers().heartbeat(&worker("b", 1), fixture.now).await.unwrap();
    tx.workers().heartbeat(&worker("b", 3), fixture.later(20)).await.unwrap();
    let alive = tx.workers().list(fixture.later(10)).await.unwrap();
    assert_eq!(alive.len(), 1);
    assert_eq!((alive[0].id.as_str(), alive[0].busy, alive[0].heartbeat_at), ("b", 3, fixture.later(20)));
    assert_eq!(alive[0].memory_limit_mb, Some(4_096));
    assert_eq!(tx.delete_expired(Retention::Workers, fixture.later(10), 9).await.unwrap(), 1);
    tx.workers().remove("b").await.unwrap();
    tx.workers().remove("b").await.unwrap();
    assert!(tx.workers().list(fixture.now).await.unwrap().is_empty());
}

async fn the_databases_clock_advances_within_a_transaction(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    let first = tx.now().await.unwrap();
    let mut later = first;
    while later == first {
        later = tx.now().await.unwrap();
    }
    assert!(later > first, "also within one transaction");
    assert_eq!(later.timestamp_subsec_nanos() % 1_000, 0, "with microseconds");
    drop(tx);
    // The heartbeat's own pool renews the same leases.
    let own = PoolOptions { max_connections: 1, acquire_timeout: Duration::from_secs(5), ..fixture.options.clone() };
    let heartbeat = trainyard_storage::Db::connect(&fixture.url, &own).await.unwrap();
    let id = fixture.queue().await;
    fixture.claim(id, "w", fixture.now).await.unwrap();
    let mut tx = heartbeat.begin().await.unwrap();
    assert!(tx.jobs().renew("w", &[(id, 1)], fixture.later(90)).await.unwrap()[0].is_current);
    tx.commit().await.unwrap();
    assert_eq!(fixture.job(id).await.lease_expires_at, Some(fixture.later(90)));
}
