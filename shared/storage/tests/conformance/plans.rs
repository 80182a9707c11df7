//! An index behind every list: Postgres explains how it ran each of them on tables that are full.

use trainyard_domain::webhook::DeliveryStatus;
use trainyard_domain::{Algorithm, JobId, JobStatus, ModelName, PriorityClass, ScheduleId, UserId};
use trainyard_storage::{Db, DeliveryFilter, JobFilter, Tx};
use trainyard_testkit::{PostgresServer, eventually};
use uuid::Uuid;

use crate::bench::{Bench, pool};

const PAGE: i64 = 20;
/// A list may read this many rows for its page, however many there are.
const MOST: f64 = 400.0;

/// Copies a table's row, the columns in the object changed; `g` counts the copies.
macro_rules! copies {
    ($table:literal, $count:literal, $changes:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " SELECT copy.* FROM (SELECT t FROM ",
            $table,
            " AS t LIMIT 1) AS one (original), generate_series(1, ",
            $count,
            ") AS g, LATERAL jsonb_populate_record(original, jsonb_build_object(",
            $changes,
            ")) AS copy"
        )
    };
}

const FILL: [&str; 14] = [
    copies!("users", "5000", "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, 'email', 'u' || g || '@example.com'"),
    copies!("datasets", "5000", "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, 'name', 'd' || g"),
    // Mostly done, by one user, with one algorithm, for one model; a few of each other kind, spread all over.
    copies!(
        "jobs",
        "40000",
        "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, \
         'status', CASE WHEN g % 4000 = 0 THEN 'failed' WHEN g % 4000 = 1 THEN 'cancelled' WHEN g % 4000 = 2 THEN 'running' \
         WHEN g > 30000 THEN 'queued' ELSE 'succeeded' END, \
         'due', g <= 39000, 'run_at', (original).created_at + CASE WHEN g > 39000 THEN g - 39000 ELSE 0 END * interval '1 s', \
         'lease_expires_at', CASE WHEN g % 4000 = 2 THEN now() + interval '1 day' END, \
         'worker', CASE WHEN g % 4000 = 2 THEN 'w' END, 'finished_at', CASE WHEN g <= 30000 THEN now() END, \
         'priority', g % 7 - 3, 'created_by', CASE WHEN g % 4000 = 5 THEN '00000000-0000-7000-8000-000000000007' ELSE (original).created_by::text END"
    ),
    copies!(
        "job_orders",
        "40000",
        "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, \
         'model_name', CASE WHEN g % 4000 = 3 THEN 'rare' ELSE 'demo' END, \
         'algorithm', CASE WHEN g % 4000 = 4 THEN 'svm' ELSE 'random_forest' END, \
         'created_by', CASE WHEN g % 4000 = 5 THEN '00000000-0000-7000-8000-000000000007' ELSE (original).created_by::text END"
    ),
    copies!("models", "5000", "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, 'name', 'm' || g"),
    copies!(
        "model_versions",
        "5000",
        "'version', g + 1, 'artifact_key', 'k' || g, \
         'job_id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid"
    ),
    "INSERT INTO model_aliases SELECT model_name, 'a' || version, version, now() FROM model_versions",
    "INSERT INTO audit_entries SELECT ('0199' || lpad(to_hex(g), 28, '0'))::uuid, now(), NULL, 'a', 's', NULL, '{}' \
     FROM generate_series(1, 20000) AS g",
    "INSERT INTO job_logs SELECT ('0199' || lpad(to_hex(1 + g % 100), 28, '0'))::uuid, g, g, '[]' \
     FROM generate_series(1, 20000) AS g",
    "INSERT INTO webhook_deliveries (id, job_id, url, receiver, event, payload, status, claim, attempts, next_attempt_at, \
     created_at, finished_at) SELECT ('0199' || lpad(to_hex(g), 28, '0'))::uuid, \
     ('0199' || lpad(to_hex(1 + g / 2), 28, '0'))::uuid, 'http://h/', 'h:80', 'e', '{}', \
     CASE WHEN g % 2000 = 0 THEN 'failed' ELSE 'delivered' END, 0, 1, now(), now(), now() \
     FROM generate_series(1, 20000) AS g",
    "INSERT INTO schedules (id, name, cron, timezone, spec, catch_up, overlap, paused, created_by, created_at, updated_at, \
     next_run_at, revision) SELECT ('0199' || lpad(to_hex(g), 28, '0'))::uuid, 's' || g, '', '', \
     '{\"dataset\": \"titanic\", \"name\": \"demo\", \"algorithm\": \"svm\", \"features\": [], \"target\": \"survived\", \
     \"params\": {}, \"priority\": 0, \"max_attempts\": 1, \"timeout_s\": 1, \"seed\": 1}', 'skip', 'skip', TRUE, \
     id, now(), now(), now(), 1 FROM (SELECT id FROM users LIMIT 1) AS one, generate_series(1, 5000) AS g",
    "INSERT INTO schedule_runs (schedule_id, due_at, outcome, at) SELECT id, now(), 'refused', now() FROM schedules",
    "INSERT INTO account_security (user_id, sessions_end) SELECT id, now() FROM users",
    "VACUUM ANALYZE",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_list_has_an_index_behind_it() {
    let server = PostgresServer::start_explaining();
    let bench = Bench::start(server.fresh_database(), None).await;
    bench.publish("demo").await;
    for statement in FILL {
        bench.meddle(statement).await;
    }
    let before = server.plans().len();
    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.jobs().promote_due(bench.later(500), PAGE).await.unwrap(), 20);
    drop(tx);
    // Also with plans that are made once for all users.
    bench.meddle("ALTER ROLE trainyard SET plan_cache_mode = force_generic_plan").await;
    let planned_once = Db::connect(&bench.url, &pool()).await.unwrap();
    whose_turn_it_is(&mut planned_once.read().await.unwrap(), &bench, rare()).await;
    let mut tx = bench.db.read().await.unwrap();
    list_everything(&mut tx, &bench).await;
    tx.commit().await.unwrap();
    // The collector is a process of its own: what it writes comes a moment later.
    let last = "SELECT * FROM audit_entries";
    let limit = std::time::Duration::from_secs(30);
    let plans = eventually("the plans are written", limit, async || {
        let plans = server.plans().split_off(before);
        plans.iter().any(|plan| plan.contains(last)).then_some(plans)
    })
    .await;
    assert!(plans.len() >= 25, "{} plans", plans.len());
    for plan in plans {
        assert!(!plan.contains("Seq Scan"), "no index behind this one: {plan}");
        let most = figures(&plan, "actual rows=").chain(figures(&plan, "Rows Removed by Filter: ")).fold(0.0, f64::max);
        assert!(most <= MOST, "this one reads {most} rows for {PAGE}: {plan}");
    }
}

/// The numbers that follow `label`.
fn figures<'p>(plan: &'p str, label: &'static str) -> impl Iterator<Item = f64> + 'p {
    let number = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        text[..end].parse().ok()
    };
    plan.split(label).skip(1).filter_map(number)
}

/// A user with few jobs.
fn rare() -> UserId {
    UserId(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0007))
}

/// Calls what shares the queue among users, and what looks after the runs.
async fn whose_turn_it_is(tx: &mut Tx, bench: &Bench, rare: UserId) {
    assert_eq!(tx.jobs().waiting_users().await.unwrap().len(), 2);
    for user in [bench.user, rare] {
        for class in PriorityClass::ALL {
            let first = tx.jobs().next_in_line(user, class, None, PAGE).await.unwrap();
            tx.jobs().next_in_line(user, class, first.last().copied(), PAGE).await.unwrap();
        }
    }
    let far = JobId(Uuid::from_u128((0x0199 << 112) + 37_000));
    let after = tx.jobs().next_in_line(bench.user, PriorityClass::Normal, Some((0, far)), PAGE).await.unwrap();
    assert_eq!(after.len(), 20);
    let runs: Vec<_> = (0..10).map(|n| (JobId(Uuid::from_u128((0x0199 << 112) + 2 + 4_000 * n)), 0)).collect();
    assert!(tx.jobs().marks(&runs).await.unwrap().iter().all(|run| run.stands));
}

/// Calls what is behind each list of the API and each duty of the sweep that looks for a few rows; the audit trail last.
async fn list_everything(tx: &mut Tx, bench: &Bench) {
    let rare = rare();
    let middle = JobId(Uuid::from_u128((0x0199 << 112) + 20_000));
    let all = JobFilter::default();
    let mut filters = vec![
        all.clone(),
        JobFilter { name: Some(ModelName::parse("rare").unwrap()), ..all.clone() },
        JobFilter { algorithm: Some(Algorithm::Svm), ..all.clone() },
        JobFilter { created_by: Some(rare), ..all.clone() },
    ];
    for status in JobStatus::ALL {
        filters.push(JobFilter { status: Some(status), ..all.clone() });
        filters.push(JobFilter { status: Some(status), created_by: Some(bench.user), ..all.clone() });
        filters.push(JobFilter { status: Some(status), created_by: Some(rare), ..all.clone() });
    }
    for filter in filters {
        for before in [None, Some(middle)] {
            tx.jobs().list(&filter, before, PAGE).await.unwrap();
        }
    }
    let model = ModelName::parse("demo").unwrap();
    assert_eq!(tx.jobs().line(PAGE).await.unwrap().len(), 20);
    whose_turn_it_is(tx, bench, rare).await;
    tx.jobs().expired(bench.now, PAGE).await.unwrap();
    tx.jobs().heads(&[middle]).await.unwrap();
    assert_eq!(tx.jobs().get_many(&[middle]).await.unwrap().len(), 1);
    tx.logs().after(JobId(Uuid::from_u128((0x0199 << 112) + 50)), 0, PAGE).await.unwrap();
    tx.users().list(None, PAGE).await.unwrap();
    assert_eq!(tx.datasets().list(None, PAGE).await.unwrap().len(), 20);
    tx.datasets().latest(&bench.dataset.name).await.unwrap();
    tx.models().list(None, PAGE).await.unwrap();
    assert_eq!(tx.models().versions(&model, None, PAGE).await.unwrap().len(), 20);
    for filter in [
        DeliveryFilter { status: None, job: None },
        DeliveryFilter { status: Some(DeliveryStatus::Failed), job: None },
        DeliveryFilter { status: None, job: Some(middle) },
    ] {
        tx.webhooks().list(filter, None, PAGE).await.unwrap();
    }
    assert!(!tx.webhooks().any_due(bench.now).await.unwrap());
    assert_eq!(tx.schedules().list(None, PAGE).await.unwrap().len(), 20);
    tx.schedules().due(bench.now, PAGE).await.unwrap();
    tx.schedules().runs(ScheduleId::at(bench.now), None, PAGE).await.unwrap();
    assert_eq!(tx.audit().list(None, PAGE).await.unwrap().len(), 20);
}
