//! `make bench-filters`: the time of a page for each combination of two conditions at a million jobs on Postgres.

#![allow(clippy::print_stdout, reason = "a measurement for the terminal")]

use std::collections::BTreeMap;
use std::time::Instant;

use trainyard_domain::job_filter::parse_search;
use trainyard_domain::{
    Algorithm, Condition, DatasetName, FailureCode, JobFilter, JobId, JobStatus, ModelName, UserId,
};
use trainyard_testkit::PostgresServer;
use uuid::Uuid;

use crate::fixture::Fixture;

const PAGE: i64 = 20;
const JOBS: u128 = 1_000_000;
/// Pages of each combination: the newest one, and others from everywhere.
const PAGES: u128 = 20;
const BOB: UserId = UserId(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));
const CAROL: UserId = UserId(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0002));

/// Every condition has its own part of the jobs, from 1 to 11 %, so no job meets two conditions and every search checks its
/// maximum. `g * 7919 % 1000` spreads the parts over all jobs.
const FILL: &[&str] = &[
    "ALTER TABLE jobs SET (autovacuum_enabled = off)",
    "ALTER TABLE job_orders SET (autovacuum_enabled = off)",
    "INSERT INTO users (id, email, password_hash, role, created_at) VALUES \
     ('00000000-0000-7000-8000-000000000001', 'bob@example.com', '', 'user', now()), \
     ('00000000-0000-7000-8000-000000000002', 'carol@example.com', '', 'user', now())",
    // 1: `small`; 2: `large`; from 3: a hundred versions of `daily`.
    copies!(
        "datasets",
        "102",
        "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, 'version', g, \
         'name', CASE g WHEN 1 THEN 'small' WHEN 2 THEN 'large' ELSE 'daily' END"
    ),
    "INSERT INTO job_orders (id, spec, model_name, algorithm, created_by, dataset_id, created_at) \
     SELECT ('0199' || lpad(to_hex(g), 28, '0'))::uuid, spec, \
     CASE WHEN part BETWEEN 80 AND 89 THEN 'small' WHEN part BETWEEN 90 AND 169 THEN 'large' \
     WHEN part BETWEEN 170 AND 219 THEN 'run-' || g % 50 ELSE 'demo' END, \
     CASE WHEN part BETWEEN 220 AND 229 THEN 'svm' WHEN part BETWEEN 230 AND 319 THEN 'gradient_boosting' \
     ELSE 'random_forest' END, \
     CASE WHEN part BETWEEN 320 AND 329 THEN '00000000-0000-7000-8000-000000000001'::uuid \
     WHEN part BETWEEN 330 AND 429 THEN '00000000-0000-7000-8000-000000000002'::uuid ELSE created_by END, \
     CASE WHEN part BETWEEN 430 AND 439 THEN '01990000-0000-0000-0000-000000000001'::uuid \
     WHEN part BETWEEN 440 AND 549 THEN '01990000-0000-0000-0000-000000000002'::uuid \
     WHEN part BETWEEN 550 AND 599 THEN ('0199' || lpad(to_hex(3 + g % 100), 28, '0'))::uuid ELSE dataset_id END, created_at \
     FROM (SELECT * FROM job_orders LIMIT 1) AS original, \
     (SELECT g, g::bigint * 7919 % 1000 AS part FROM generate_series(1, 1000000) AS g) AS copy",
    "INSERT INTO jobs (id, status, created_by, priority, created_at, due, run_at, attempts, crashes, interruptions, claim, \
     progress, started_at, finished_at, metrics, error, revision) \
     SELECT job_orders.id, CASE WHEN part < 10 THEN 'cancelled' WHEN part < 80 THEN 'failed' ELSE 'succeeded' END, \
     created_by, 0, created_at, TRUE, created_at, 1, 0, 0, 1, 1, created_at, created_at, \
     '{\"accuracy\": 0.8125, \"auc\": 0.871, \"f1\": 0.75, \"log_loss\": 0.443, \"rows\": 1309}', \
     CASE WHEN part BETWEEN 10 AND 79 THEN '{\"code\": \"timeout\", \"message\": \"training exceeded 60 s\"}'::jsonb END, 1 \
     FROM job_orders, LATERAL (SELECT ('x' || right(id::text, 8))::bit(32)::int::bigint * 7919 % 1000 AS part) AS parts \
     WHERE id < '01990000-0000-0000-0001-000000000000' ORDER BY id",
    "INSERT INTO job_failures SELECT id, CASE WHEN ('x' || right(id::text, 8))::bit(32)::int::bigint * 7919 % 1000 < 20 \
     THEN 'timeout' ELSE 'bad_data' END FROM jobs WHERE status = 'failed'",
    "INSERT INTO job_failure_words SELECT job_id, word FROM job_failures, \
     LATERAL (VALUES (CASE code WHEN 'timeout' THEN 'zebra' ELSE 'giraffe' END), ('common')) AS words (word)",
];

type Set = fn(&mut JobFilter);

/// The conditions: the field, the condition and its share of the jobs.
const CONDITIONS: &[(&str, &str, Set)] = &[
    ("status", "cancelled (1 %)", |filter| filter.status = JobStatus::Cancelled.into()),
    ("status", "failed (7 %)", |filter| filter.status = JobStatus::Failed.into()),
    ("status", "not succeeded (8 %)", |filter| filter.status = Condition::NotIn(vec![JobStatus::Succeeded])),
    ("name", "small (1 %)", |filter| filter.name = model("small").into()),
    ("name", "large (8 %)", |filter| filter.name = model("large").into()),
    ("name", "20 names (2 %)", |filter| {
        filter.name = Condition::In((0..20).map(|n| model(&format!("run-{n}"))).collect());
    }),
    ("name", "not demo (14 %)", |filter| filter.name = Condition::NotIn(vec![model("demo")])),
    ("algorithm", "svm (1 %)", |filter| filter.algorithm = Algorithm::Svm.into()),
    ("algorithm", "gradient_boosting (9 %)", |filter| filter.algorithm = Algorithm::GradientBoosting.into()),
    ("algorithm", "not random_forest (10 %)", |filter| {
        filter.algorithm = Condition::NotIn(vec![Algorithm::RandomForest]);
    }),
    ("account", "bob (1 %)", |filter| filter.created_by = BOB.into()),
    ("account", "carol (10 %)", |filter| filter.created_by = CAROL.into()),
    ("account", "bob or carol (11 %)", |filter| filter.created_by = Condition::In(vec![BOB, CAROL])),
    ("dataset", "small (1 %)", |filter| filter.dataset = dataset("small").into()),
    ("dataset", "large (11 %)", |filter| filter.dataset = dataset("large").into()),
    ("dataset", "100 versions (5 %)", |filter| filter.dataset = dataset("daily").into()),
    ("dataset", "not titanic (17 %)", |filter| filter.dataset = Condition::NotIn(vec![dataset("titanic")])),
    ("error", "timeout (1 %)", |filter| filter.error_code = FailureCode::Timeout.into()),
    ("error", "bad_data (6 %)", |filter| filter.error_code = FailureCode::BadData.into()),
    ("error", "not bad_data (94 %)", |filter| filter.error_code = Condition::NotIn(vec![FailureCode::BadData])),
    ("search", "zebra (1 %)", |filter| filter.search.extend(parse_search("zebra").unwrap())),
    ("search", "gira (6 %)", |filter| filter.search.extend(parse_search("gira").unwrap())),
    ("search", "run- (5 %, 50 names)", |filter| filter.search.extend(parse_search("run-").unwrap())),
    ("search", "run-1 (1 %, 11 names)", |filter| filter.search.extend(parse_search("run-1").unwrap())),
    ("search", "dail (5 %, 100 versions)", |filter| filter.search.extend(parse_search("dail").unwrap())),
    ("search", "carol (10 %)", |filter| filter.search.extend(parse_search("carol").unwrap())),
];

fn model(name: &str) -> ModelName {
    ModelName::parse(name).unwrap()
}

fn dataset(name: &str) -> DatasetName {
    DatasetName::parse(name).unwrap()
}

/// The times of pages in milliseconds, sorted.
#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    fn percentile(&self, percent: usize) -> f64 {
        let last = self.0.len() - 1;
        self.0[(self.0.len() * percent).div_ceil(100).saturating_sub(1).min(last)]
    }

    fn add(&mut self, more: &[f64]) {
        self.0.extend_from_slice(more);
        self.0.sort_by(f64::total_cmp);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of minutes: `make bench-filters`"]
async fn two_conditions_at_a_million_jobs() {
    let server = PostgresServer::start();
    let fixture = Fixture::start(server.fresh_database(), None).await;
    fixture.queue().await;
    let start = Instant::now();
    for statement in FILL {
        fixture.execute_raw(statement).await;
    }
    println!("filled in {:.0} s", start.elapsed().as_secs_f64());
    // Autovacuum does both. Between two runs, the newest rows have not been vacuumed.
    for maintenance in ["ANALYZE", "VACUUM ANALYZE"] {
        fixture.execute_raw(maintenance).await;
        measure(&fixture, maintenance).await;
    }
}

/// Measures all combinations and prints a table with a row for each two fields.
async fn measure(fixture: &Fixture, state: &str) {
    let mut fields: BTreeMap<String, (Times, f64, String)> = BTreeMap::new();
    let mut all = Times::default();
    for (n, (field, condition, first)) in CONDITIONS.iter().enumerate() {
        for (other_field, other_condition, second) in &CONDITIONS[n + 1..] {
            if field == other_field && *field != "search" {
                continue;
            }
            let mut filter = JobFilter { search_emails: true, ..JobFilter::default() };
            first(&mut filter);
            second(&mut filter);
            let times = pages(fixture, &filter).await;
            let p95 = times.percentile(95);
            let entry = fields.entry(format!("{field} + {other_field}")).or_default();
            entry.0.add(&times.0);
            if p95 >= entry.1 {
                (entry.1, entry.2) = (p95, format!("{condition} + {other_condition}"));
            }
            all.add(&times.0);
        }
    }
    println!("\n{JOBS} jobs after {state}, {} pages:\n", all.0.len());
    println!("| fields | p50 ms | p95 ms | slowest combination | its p95 ms |\n|---|---|---|---|---|");
    for (fields, (times, worst, combination)) in &fields {
        let (p50, p95) = (times.percentile(50), times.percentile(95));
        println!("| {fields} | {p50:.1} | {p95:.1} | {combination} | {worst:.1} |");
    }
    println!("| all | {:.1} | {:.1} | | {:.1} |", all.percentile(50), all.percentile(95), all.percentile(100));
}

/// The times of pages at different positions.
async fn pages(fixture: &Fixture, filter: &JobFilter) -> Times {
    let mut times = Times::default();
    for page in 0..PAGES {
        // Positions that are not in order.
        let position = (page * 7 % PAGES) * JOBS / PAGES;
        let before = (page > 0).then(|| JobId(Uuid::from_u128((0x0199 << 112) + JOBS - position)));
        let start = Instant::now();
        let mut tx = fixture.db.read_autocommit().await.unwrap();
        tx.jobs().list(filter, before, PAGE).await.unwrap();
        tx.commit().await.unwrap();
        times.add(&[start.elapsed().as_secs_f64() * 1_000.0]);
    }
    times
}
