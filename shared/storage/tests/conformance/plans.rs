//! Query plans of lists on large tables, from `EXPLAIN ANALYZE` on Postgres.

use trainyard_domain::job_filter::parse_search;
use trainyard_domain::webhook::DeliveryStatus;
use trainyard_domain::{
    Algorithm, ApiKeyId, Condition, DatasetName, FailureCode, JobFilter, JobId, JobKind, JobStatus, ModelName,
    PriorityClass, ScheduleId, UserId,
};
use trainyard_storage::{Db, DeliveryFilter, Tx};
use trainyard_testkit::{PostgresServer, eventually};
use uuid::Uuid;

use crate::fixture::{Fixture, pool};

const PAGE: i64 = 20;
/// Maximum number of rows that a list may read for a page.
const MOST: f64 = 400.0;

const FILL: [&str; 18] = [
    copies!("users", "5000", "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, 'email', 'u' || g || '@example.com'"),
    copies!("datasets", "5000", "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, 'name', 'd' || g"),
    copies!("dataset_formats", "5000", "'dataset_id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid"),
    // Most jobs succeeded, of one user, algorithm and model. A few of each other kind, evenly distributed.
    copies!(
        "jobs",
        "40000",
        "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, \
         'status', CASE WHEN g % 4000 = 0 OR (g % 10 = 8 AND g < 30000) THEN 'failed' WHEN g % 4000 = 1 THEN 'cancelled' WHEN g % 4000 = 2 THEN 'running' \
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
         'model_name', CASE WHEN g % 4000 = 3 THEN 'rare' WHEN g % 4000 = 7 THEN 'rare-2' ELSE 'demo' END, \
         'dataset_id', CASE WHEN g % 4000 = 6 THEN '01990000-0000-0000-0000-000000000001' ELSE (original).dataset_id::text END, \
         'kind', CASE WHEN g % 4000 = 8 THEN 'prediction' ELSE 'training' END, \
         'algorithm', CASE WHEN g % 4000 = 4 THEN 'svm' ELSE 'random_forest' END, \
         'created_by', CASE WHEN g % 4000 = 5 THEN '00000000-0000-7000-8000-000000000007' ELSE (original).created_by::text END"
    ),
    "INSERT INTO job_failures SELECT id, CASE WHEN right(id::text, 2) IN ('a0', '40') THEN 'crashed' ELSE 'bad_data' END \
     FROM jobs WHERE status = 'failed'",
    "INSERT INTO job_failure_words SELECT id, word FROM (SELECT id, row_number() OVER () AS n FROM jobs \
     WHERE status = 'failed') AS failed, LATERAL (VALUES ('common'), ('x' || n % 1000), \
     (CASE WHEN n % 500 = 0 THEN 'zebra' ELSE 'feature' END)) AS words (word)",
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
    "INSERT INTO api_keys (id, user_id, name, prefix, key_hash, role, created_at) \
     SELECT ('0199' || lpad(to_hex(g), 28, '0'))::uuid, (SELECT id FROM users LIMIT 1), 'k', 'ty_abcd', 'h' || g, 'user', now() \
     FROM generate_series(1, 5000) AS g",
    "VACUUM ANALYZE",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_list_query_uses_an_index() {
    let server = PostgresServer::start_explaining();
    let fixture = Fixture::start(server.fresh_database(), None).await;
    fixture.publish("demo").await;
    for statement in FILL {
        fixture.execute_raw(statement).await;
    }
    let before = server.plans().len();
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.jobs().promote_due(fixture.later(500), PAGE).await.unwrap(), 20);
    drop(tx);
    // Also with generic plans.
    fixture.execute_raw("ALTER ROLE trainyard SET plan_cache_mode = force_generic_plan").await;
    let planned_once = Db::connect(&fixture.url, &pool()).await.unwrap();
    schedule_and_lease_queries(&mut planned_once.read().await.unwrap(), &fixture, rare()).await;
    let mut tx = fixture.db.read().await.unwrap();
    list_queries(&mut tx, &fixture).await;
    tx.commit().await.unwrap();
    // The logging collector writes asynchronously.
    let last = "SELECT * FROM audit_entries";
    let limit = std::time::Duration::from_secs(30);
    let plans = eventually("the plans are written", limit, async || {
        let plans = server.plans().split_off(before);
        plans.iter().any(|plan| plan.contains(last)).then_some(plans)
    })
    .await;
    assert!(plans.len() >= 25, "{} plans", plans.len());
    for plan in plans {
        assert!(!plan.contains("Seq Scan"), "no index: {plan}");
        let most = figures(&plan, "actual rows=").chain(figures(&plan, "Rows Removed by Filter: ")).fold(0.0, f64::max);
        assert!(most <= MOST, "{most} rows are read for {PAGE}: {plan}");
    }
}

/// The numbers after `label`.
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

/// Runs the queries of fair scheduling and of leases.
async fn schedule_and_lease_queries(tx: &mut Tx, fixture: &Fixture, rare: UserId) {
    assert_eq!(tx.jobs().users_with_due_jobs().await.unwrap().len(), 2);
    for user in [fixture.user, rare] {
        for class in PriorityClass::ALL {
            let first = tx.jobs().next_jobs(user, class, None, PAGE).await.unwrap();
            tx.jobs().next_jobs(user, class, first.last().copied(), PAGE).await.unwrap();
        }
    }
    let far = JobId(Uuid::from_u128((0x0199 << 112) + 37_000));
    let after = tx.jobs().next_jobs(fixture.user, PriorityClass::Normal, Some((0, far)), PAGE).await.unwrap();
    assert_eq!(after.len(), 20);
    let runs: Vec<_> = (0..10).map(|n| (JobId(Uuid::from_u128((0x0199 << 112) + 2 + 4_000 * n)), 0)).collect();
    assert!(tx.jobs().check_leases(&runs).await.unwrap().iter().all(|run| run.is_current));
}

/// A filter with each condition, its negation, and searches for rare and frequent words.
fn conditions_and_searches(fixture: &Fixture) -> Vec<JobFilter> {
    let all = JobFilter::default;
    let model = |name| vec![ModelName::parse(name).unwrap()];
    let dataset = |name| vec![DatasetName::parse(name).unwrap()];
    let mut filters = vec![
        JobFilter { status: Condition::In(vec![JobStatus::Failed, JobStatus::Cancelled]), ..all() },
        JobFilter { status: Condition::NotIn(vec![JobStatus::Succeeded, JobStatus::Queued]), ..all() },
        JobFilter { name: Condition::In([model("rare"), model("rare-2")].concat()), ..all() },
        JobFilter { name: Condition::NotIn(model("demo")), ..all() },
        JobFilter { algorithm: Condition::NotIn(vec![Algorithm::RandomForest]), ..all() },
        JobFilter { kind: JobKind::Prediction.into(), ..all() },
        JobFilter { kind: Condition::NotIn(vec![JobKind::Prediction]), ..all() },
        JobFilter { kind: JobKind::Prediction.into(), created_by: fixture.user.into(), ..all() },
        JobFilter { created_by: Condition::NotIn(vec![fixture.user]), ..all() },
        JobFilter { dataset: Condition::In(dataset("d1")), ..all() },
        JobFilter { dataset: Condition::In(dataset("titanic")), ..all() },
        JobFilter { dataset: Condition::NotIn(dataset("titanic")), ..all() },
        JobFilter { error_code: FailureCode::Crashed.into(), ..all() },
        JobFilter { error_code: FailureCode::Timeout.into(), ..all() },
        JobFilter { error_code: Condition::NotIn(vec![FailureCode::BadData]), ..all() },
        JobFilter { status: JobStatus::Failed.into(), dataset: Condition::In(dataset("d1")), ..all() },
    ];
    for text in
        ["rar", "dem", "d77", "titan", "u77@", "zeb", "common", "x1", "common zebra", "0199000000000000", "nothing"]
    {
        filters.push(JobFilter { search: parse_search(text).unwrap(), search_emails: true, ..all() });
    }
    filters
}

/// Runs the queries of the API's lists and of the sweep; the audit trail last.
async fn list_queries(tx: &mut Tx, fixture: &Fixture) {
    let rare = rare();
    let middle = JobId(Uuid::from_u128((0x0199 << 112) + 20_000));
    let all = JobFilter::default();
    let mut filters = vec![
        all.clone(),
        JobFilter { name: ModelName::parse("rare").unwrap().into(), ..all.clone() },
        JobFilter { algorithm: Algorithm::Svm.into(), ..all.clone() },
        JobFilter { created_by: rare.into(), ..all.clone() },
    ];
    for status in JobStatus::ALL {
        filters.push(JobFilter { status: status.into(), ..all.clone() });
        filters.push(JobFilter { status: status.into(), created_by: fixture.user.into(), ..all.clone() });
        filters.push(JobFilter { status: status.into(), created_by: rare.into(), ..all.clone() });
    }
    filters.extend(conditions_and_searches(fixture));
    for filter in filters {
        for before in [None, Some(middle)] {
            tx.jobs().list(&filter, before, PAGE).await.unwrap();
        }
    }
    let model = ModelName::parse("demo").unwrap();
    assert_eq!(tx.jobs().queue_order(PAGE).await.unwrap().len(), 20);
    schedule_and_lease_queries(tx, fixture, rare).await;
    tx.jobs().expired(fixture.now, PAGE).await.unwrap();
    tx.jobs().job_revisions(&[middle]).await.unwrap();
    assert_eq!(tx.jobs().get_many(&[middle]).await.unwrap().len(), 1);
    tx.logs().after(JobId(Uuid::from_u128((0x0199 << 112) + 50)), 0, PAGE).await.unwrap();
    tx.users().list(None, PAGE).await.unwrap();
    tx.api_keys().list(fixture.user, None, PAGE).await.unwrap();
    for count in [1, 10] {
        let hashes: Vec<_> = (1..=count).map(|n| format!("h{n}")).collect();
        assert_eq!(tx.api_keys().by_hashes(&hashes).await.unwrap().len(), count);
        let ids: Vec<_> = (1..=count).map(|n| ApiKeyId(Uuid::from_u128((0x0199 << 112) + n as u128))).collect();
        assert_eq!(tx.api_keys().by_ids(&ids).await.unwrap().len(), count);
    }
    assert_eq!(tx.datasets().list(None, PAGE).await.unwrap().len(), 20);
    tx.datasets().latest(&fixture.dataset.name).await.unwrap();
    tx.models().list(None, PAGE).await.unwrap();
    assert_eq!(tx.models().versions(&model, None, PAGE).await.unwrap().len(), 20);
    for filter in [
        DeliveryFilter { status: None, job: None },
        DeliveryFilter { status: Some(DeliveryStatus::Failed), job: None },
        DeliveryFilter { status: None, job: Some(middle) },
    ] {
        tx.webhooks().list(filter, None, PAGE).await.unwrap();
    }
    assert!(!tx.webhooks().any_due(fixture.now).await.unwrap());
    assert_eq!(tx.schedules().list(None, PAGE).await.unwrap().len(), 20);
    tx.schedules().due(fixture.now, PAGE).await.unwrap();
    tx.schedules().runs(ScheduleId::at(fixture.now), None, PAGE).await.unwrap();
    assert_eq!(tx.audit().list(None, PAGE).await.unwrap().len(), 20);
}
