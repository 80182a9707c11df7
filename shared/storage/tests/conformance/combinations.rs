//! Query plans of combinations of two frequent conditions that no job meets together, from `EXPLAIN ANALYZE` on Postgres:
//! the longest searches.

use std::time::Duration;

use trainyard_domain::job_filter::parse_search;
use trainyard_domain::{Algorithm, Condition, DatasetName, FailureCode, JobFilter, JobStatus, ModelName, UserId};
use trainyard_testkit::{PostgresServer, eventually};
use uuid::Uuid;

use crate::fixture::Fixture;

const PAGE: i64 = 20;
/// Most candidates of one statement.
const MOST_CANDIDATES: f64 = 2_400.0;
/// The account of some of the jobs.
const OTHER_USER: UserId = UserId(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0007));

/// Each condition has its own part of the jobs, from 8 to 20 %: more than a search checks, and parts of different size, because
/// windows of equal reach need no lookups.
const FILL: [&str; 6] = [
    // Dataset 1, and ten versions of another one.
    copies!(
        "datasets",
        "11",
        "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, 'version', g, 'name', CASE WHEN g = 1 THEN 'single' ELSE 'daily' END"
    ),
    copies!(
        "jobs",
        "40000",
        "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, 'finished_at', now(), \
         'status', CASE WHEN g * 37 % 100 < 8 THEN 'cancelled' WHEN g * 37 % 100 < 28 THEN 'failed' ELSE 'succeeded' END, \
         'created_by', CASE WHEN g * 37 % 100 BETWEEN 28 AND 36 THEN '00000000-0000-7000-8000-000000000007' \
         ELSE (original).created_by::text END"
    ),
    copies!(
        "job_orders",
        "40000",
        "'id', ('0199' || lpad(to_hex(g), 28, '0'))::uuid, \
         'created_by', CASE WHEN g * 37 % 100 BETWEEN 28 AND 36 THEN '00000000-0000-7000-8000-000000000007' \
         ELSE (original).created_by::text END, \
         'algorithm', CASE WHEN g * 37 % 100 BETWEEN 37 AND 46 THEN 'svm' ELSE 'random_forest' END, \
         'model_name', CASE WHEN g * 37 % 100 BETWEEN 47 AND 57 THEN 'one' \
         WHEN g * 37 % 100 BETWEEN 58 AND 69 THEN 'run-' || g % 10 ELSE 'demo' END, \
         'dataset_id', CASE WHEN g * 37 % 100 BETWEEN 70 AND 82 THEN '01990000-0000-0000-0000-000000000001' \
         WHEN g * 37 % 100 BETWEEN 83 AND 96 THEN '01990000-0000-0000-0000-00000000000' || to_hex(2 + g % 10) \
         ELSE (original).dataset_id::text END"
    ),
    "INSERT INTO job_failures SELECT id, CASE WHEN ('x' || right(id::text, 8))::bit(32)::int * 37 % 100 < 19 THEN 'timeout' \
     ELSE 'bad_data' END FROM jobs WHERE status = 'failed'",
    "INSERT INTO job_failure_words SELECT job_id, CASE code WHEN 'timeout' THEN 'zebra' ELSE 'giraffe' END FROM job_failures",
    "VACUUM ANALYZE",
];

type Set = fn(&mut JobFilter);

/// The conditions of each field: one value, several values, and excluded values.
const CONDITIONS: [&[Set]; 7] = [
    &[
        |filter| filter.status = JobStatus::Cancelled.into(),
        |filter| filter.status = Condition::In(vec![JobStatus::Cancelled, JobStatus::Failed]),
        |filter| filter.status = Condition::NotIn(vec![JobStatus::Succeeded]),
    ],
    &[
        |filter| filter.name = model("one").into(),
        |filter| filter.name = Condition::In((0..10).map(|n| model(&format!("run-{n}"))).collect()),
        |filter| filter.name = Condition::NotIn(vec![model("demo")]),
    ],
    &[
        |filter| filter.algorithm = Algorithm::Svm.into(),
        |filter| filter.algorithm = Condition::NotIn(vec![Algorithm::RandomForest]),
    ],
    &[|filter| filter.created_by = OTHER_USER.into()],
    &[
        |filter| filter.dataset = dataset("single").into(),
        |filter| filter.dataset = dataset("daily").into(),
        |filter| filter.dataset = Condition::NotIn(vec![dataset("titanic")]),
    ],
    &[
        |filter| filter.error_code = FailureCode::Timeout.into(),
        |filter| filter.error_code = Condition::NotIn(vec![FailureCode::BadData, FailureCode::Timeout]),
    ],
    &[
        |filter| filter.search.extend(parse_search("zeb").unwrap()),
        |filter| filter.search.extend(parse_search("run-").unwrap()),
        |filter| filter.search.extend(parse_search("dail").unwrap()),
    ],
];

fn model(name: &str) -> ModelName {
    ModelName::parse(name).unwrap()
}

fn dataset(name: &str) -> DatasetName {
    DatasetName::parse(name).unwrap()
}

/// Every combination of two conditions.
fn combinations() -> Vec<JobFilter> {
    let flat: Vec<(usize, Set)> =
        CONDITIONS.iter().enumerate().flat_map(|(field, sets)| sets.iter().map(move |set| (field, *set))).collect();
    let mut filters = Vec::new();
    for (n, (field, first)) in flat.iter().enumerate() {
        for (other, second) in &flat[n + 1..] {
            // Only the search has several words.
            if field != other || *field == CONDITIONS.len() - 1 {
                let mut filter = JobFilter { search_emails: true, ..JobFilter::default() };
                first(&mut filter);
                second(&mut filter);
                filters.push(filter);
            }
        }
    }
    filters
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_of_two_conditions_are_checked_in_indexes() {
    let server = PostgresServer::start_explaining();
    // A linguistic collation can't use an index for a common beginning.
    let fixture = Fixture::start(server.database_with_icu_locale("da-DK"), None).await;
    fixture.queue().await;
    for statement in FILL {
        fixture.execute_raw(statement).await;
    }
    let before = server.plans().len();
    let mut tx = fixture.db.read().await.unwrap();
    let filters = combinations();
    for filter in &filters {
        tx.jobs().list(filter, None, PAGE).await.unwrap();
    }
    tx.users().list(None, PAGE).await.unwrap();
    tx.commit().await.unwrap();
    // The logging collector writes asynchronously.
    let plans = eventually("the plans are written", Duration::from_secs(30), async || {
        let plans = server.plans().split_off(before);
        plans.iter().any(|plan| plan.contains("FROM users ")).then_some(plans)
    })
    .await;
    let lookups = plans.iter().filter(|plan| plan.contains("AS candidates"));
    assert!(lookups.count() > filters.len(), "most combinations need lookups");
    for plan in plans {
        check(&plan);
    }
}

/// Checks each node of the plan that reads a table of jobs.
fn check(plan: &str) {
    // Compiling an expression takes longer than the statement.
    assert!(!plan.contains("JIT:"), "{plan}");
    let mut rows_read = 0.0_f64;
    for node in plan.lines().filter(|line| line.contains(" on job") && !line.contains("never executed")) {
        assert!(!node.contains("Seq Scan"), "{node}: {plan}");
        let (loops, rows) = (figure(node, " loops="), figure(node, "(actual rows="));
        // Rows of failures are short.
        if !node.contains("Index Only Scan") && !node.contains(" on job_failure") {
            // A condition of many values reads one row of `job_orders` for each candidate.
            let for_each_candidate = loops > PAGE as f64;
            assert!(!for_each_candidate || !node.contains(" on jobs"), "{node}: {plan}");
            rows_read += loops * rows.max(1.0);
        }
    }
    assert!(rows_read <= MOST_CANDIDATES, "{rows_read} rows are read: {plan}");
    for fetched in plan.split("Heap Fetches: ").skip(1) {
        assert!(fetched.starts_with("0\n"), "an index-only scan reads rows: {plan}");
    }
}

/// The number after `label`.
fn figure(node: &str, label: &str) -> f64 {
    let (_, after) = node.split_once(label).expect("the node was executed");
    let end = after.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(after.len());
    after[..end].parse().unwrap()
}
