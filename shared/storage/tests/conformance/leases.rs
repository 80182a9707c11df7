//! Leases of jobs, of the leader, and heartbeats: judged by the database's time.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use trainyard_domain::outcome::Ending;
use trainyard_domain::{JobId, JobStatus};
use trainyard_storage::{Cancelled, PoolOptions, Renewal, Retired, WorkerRow};
use trainyard_testkit::eventually;

use crate::bench::Bench;
use crate::running::next_of;

on_both!(
    only_leases_that_ran_out_are_expired,
    a_worker_that_comes_back_in_time_keeps_its_run,
    many_leases_are_renewed_at_once_and_answered_in_order,
    one_leads_and_another_takes_over_when_it_falls_silent,
    of_many_who_want_to_lead_one_does,
    workers_are_known_by_their_heartbeat,
    the_databases_time_moves_forward,
);

async fn only_leases_that_ran_out_are_expired(bench: Bench) {
    let (lost, held) = (bench.queue().await, bench.queue().await);
    bench.claim(lost, "dead", bench.now).await.unwrap();
    bench.claim(held, "alive", bench.later(10)).await.unwrap();
    bench.queue().await;
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.jobs().expired(bench.later(29), 10).await.unwrap().is_empty());
    let expired = tx.jobs().expired(bench.later(30), 10).await.unwrap();
    assert_eq!(expired.iter().map(|job| job.id).collect::<Vec<_>>(), [lost]);
    let next = next_of(&expired[0], Ending::Interrupted, bench.later(30));
    assert!(tx.jobs().end_lost_run(lost, expired[0].claim, &next, bench.later(30)).await.unwrap());
    assert!(
        !tx.jobs().end_lost_run(lost, expired[0].claim, &next, bench.later(30)).await.unwrap(),
        "two sweeps are one"
    );
    tx.commit().await.unwrap();
    assert_eq!(bench.job(lost).await.status, JobStatus::Queued);
}

async fn a_worker_that_comes_back_in_time_keeps_its_run(bench: Bench) {
    let id = bench.queue().await;
    bench.claim(id, "w", bench.now).await.unwrap();
    let mut sweep = bench.db.read().await.unwrap();
    let expired = sweep.jobs().expired(bench.later(31), 10).await.unwrap();
    assert_eq!(expired.len(), 1);
    drop(sweep);
    // The database was away; the worker's renewal arrives after the sweep looked and before it acts.
    let mut tx = bench.db.begin().await.unwrap();
    let renewals = tx.jobs().renew("w", &[(id, 1)], bench.later(61)).await.unwrap();
    assert!(renewals[0].stands);
    tx.commit().await.unwrap();
    let mut tx = bench.db.begin().await.unwrap();
    let next = next_of(&expired[0], Ending::Interrupted, bench.later(31));
    assert!(!tx.jobs().end_lost_run(id, 1, &next, bench.later(31)).await.unwrap());
    tx.commit().await.unwrap();
    let job = bench.job(id).await;
    assert_eq!((job.status, job.lease_expires_at), (JobStatus::Running, Some(bench.later(61))));
}

async fn many_leases_are_renewed_at_once_and_answered_in_order(bench: Bench) {
    let mut held = Vec::new();
    for _ in 0..30 {
        let id = bench.queue().await;
        bench.claim(id, "w", bench.now).await.unwrap();
        held.push((id, 1));
    }
    held.reverse();
    let waits = bench.queue().await;
    let others = bench.queue().await;
    bench.claim(others, "another", bench.now).await.unwrap();
    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.jobs().cancel(held[3].0, bench.later(1)).await.unwrap(), Cancelled::Requested);
    held[7].1 = 2;
    held.extend([(waits, 0), (JobId::at(bench.now), 1)]);
    let mut expected: Vec<_> = held
        .iter()
        .map(|(id, claim)| Renewal { id: *id, claim: *claim, stands: true, cancel_requested: false })
        .collect();
    expected[3].cancel_requested = true;
    for overtaken in [7, 30, 31] {
        expected[overtaken].stands = false;
    }
    assert_eq!(tx.jobs().marks(&held).await.unwrap(), expected);
    assert_eq!(tx.jobs().renew("w", &held, bench.later(90)).await.unwrap(), expected);
    let stolen = tx.jobs().renew("w", &[(others, 1)], bench.later(90)).await.unwrap();
    assert!(!stolen[0].stands, "a lease is renewed by who holds it");
    assert!(tx.jobs().renew("w", &[], bench.later(90)).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    for (renewed, id) in [(true, held[3].0), (false, held[7].0), (false, others)] {
        let until = bench.later(if renewed { 90 } else { 30 });
        assert_eq!(bench.job(id).await.lease_expires_at, Some(until));
    }
}

/// An index over leases would be written with every renewal: this is what having none is for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_touches_no_index_of_postgres() {
    let bench = Bench::postgres().await;
    let id = bench.queue().await;
    bench.claim(id, "w", bench.now).await.unwrap();
    for seconds in 31..34 {
        let mut tx = bench.db.begin().await.unwrap();
        assert!(tx.jobs().renew("w", &[(id, 1)], bench.later(seconds)).await.unwrap()[0].stands);
        tx.commit().await.unwrap();
    }
    // A connection hands in its counts when it ends, and a process of its own adds them up.
    bench.db.close().await;
    let server = sqlx::PgPool::connect(&bench.url).await.unwrap();
    let counts = eventually("the changes are counted", Duration::from_secs(30), async || {
        let counts = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'jobs'";
        let counts: (i64, i64) = sqlx::query_as(counts).fetch_one(&server).await.unwrap();
        (counts.0 == 4).then_some(counts)
    })
    .await;
    assert_eq!(counts, (4, 3), "the claim is the one change that an index hears of");
}

async fn one_leads_and_another_takes_over_when_it_falls_silent(bench: Bench) {
    let mut tx = bench.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let after = |seconds| now + TimeDelta::seconds(seconds);
    assert_eq!(tx.leaders().expires_at("sweep").await.unwrap(), None);
    assert!(tx.leaders().acquire("sweep", "a", now, after(10)).await.unwrap());
    assert_eq!(tx.leaders().expires_at("sweep").await.unwrap(), Some(after(10)));
    assert!(!tx.leaders().acquire("sweep", "b", after(9), after(19)).await.unwrap());
    assert!(tx.leaders().acquire("sweep", "a", after(9), after(19)).await.unwrap(), "the owner renews");
    assert!(!tx.leaders().acquire("sweep", "b", after(18), after(28)).await.unwrap());
    assert!(tx.leaders().acquire("other", "b", now, after(10)).await.unwrap(), "each name has its own lease");
    assert!(tx.leaders().acquire("sweep", "b", after(19), after(29)).await.unwrap());
    assert!(!tx.leaders().acquire("sweep", "a", after(19), after(29)).await.unwrap(), "and the old one hears of it");
    tx.leaders().release("sweep", "a").await.unwrap();
    assert!(!tx.leaders().acquire("sweep", "a", after(19), after(29)).await.unwrap(), "only the owner can release");
    tx.leaders().release("sweep", "b").await.unwrap();
    assert!(tx.leaders().acquire("sweep", "a", after(19), after(29)).await.unwrap());
    tx.leaders().vacate().await.unwrap();
    assert_eq!(tx.leaders().expires_at("sweep").await.unwrap(), None);
}

async fn of_many_who_want_to_lead_one_does(bench: Bench) {
    let campaign = |i: i64| {
        let (db, now, until) = (bench.db.clone(), bench.now, bench.later(10));
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

async fn workers_are_known_by_their_heartbeat(bench: Bench) {
    let worker =
        |id: &str, busy| WorkerRow { id: id.into(), busy, capacity: 4, version: "0.1.0".into(), started_at: bench.now };
    let mut tx = bench.db.begin().await.unwrap();
    tx.workers().beat(&worker("a", 0), bench.now).await.unwrap();
    tx.workers().beat(&worker("b", 1), bench.now).await.unwrap();
    tx.workers().beat(&worker("b", 3), bench.later(20)).await.unwrap();
    let alive = tx.workers().list(bench.later(10)).await.unwrap();
    assert_eq!(alive.len(), 1);
    assert_eq!((alive[0].id.as_str(), alive[0].busy, alive[0].heartbeat_at), ("b", 3, bench.later(20)));
    assert_eq!(tx.retire(Retired::Workers, bench.later(10), 9).await.unwrap(), 1);
    tx.workers().remove("b").await.unwrap();
    tx.workers().remove("b").await.unwrap();
    assert!(tx.workers().list(bench.now).await.unwrap().is_empty());
}

async fn the_databases_time_moves_forward(bench: Bench) {
    let mut tx = bench.db.begin().await.unwrap();
    let first = tx.now().await.unwrap();
    let mut later = first;
    while later == first {
        later = tx.now().await.unwrap();
    }
    assert!(later > first, "also within one transaction");
    assert_eq!(later.timestamp_subsec_nanos() % 1_000, 0, "to the microsecond");
    drop(tx);
    // A heartbeat with a pool of its own takes part in the same leases.
    let own = PoolOptions { max_connections: 1, acquire_timeout: Duration::from_secs(5), ..bench.options.clone() };
    let heartbeat = trainyard_storage::Db::connect(&bench.url, &own).await.unwrap();
    let id = bench.queue().await;
    bench.claim(id, "w", bench.now).await.unwrap();
    let mut tx = heartbeat.begin().await.unwrap();
    assert!(tx.jobs().renew("w", &[(id, 1)], bench.later(90)).await.unwrap()[0].stands);
    tx.commit().await.unwrap();
    assert_eq!(bench.job(id).await.lease_expires_at, Some(bench.later(90)));
}
