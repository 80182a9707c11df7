//! Query plans of filters on SQLite. The conformance suite checks those of Postgres.

use trainyard_domain::job_filter::parse_search;
use trainyard_domain::{
    Algorithm, Condition, DatasetName, FailureCode, JobFilter, JobKind, JobStatus, ModelName, UserId,
};
use uuid::Uuid;

use super::merged;
use super::names::distinct_values;
use crate::arguments::{Arguments, all_with};
use crate::error::Result;
use crate::jobs::filter::scan::Column;
use crate::sql::execute;
use crate::{Db, PoolOptions, Tx};

/// Enough rows of each table for the planner to prefer indexes, or not.
const FILL: &[&str] = &[
    "INSERT INTO users (id, email, password_hash, role, created_at) WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL \
     SELECT n + 1 FROM g WHERE n < 2000) SELECT unhex(printf('0199%028x', n)), 'u' || n || '@example.com', '', 'user', '' FROM g",
    "INSERT INTO job_orders (id, spec, model_name, algorithm, created_by, dataset_id, created_at) \
     WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 20000) \
     SELECT unhex(printf('0199%028x', n)), '{}', CASE WHEN n % 4000 = 3 THEN 'rare' ELSE 'demo' END, \
     CASE WHEN n % 4000 = 4 THEN 'svm' ELSE 'random_forest' END, unhex(printf('0199%028x', 1 + n % 2)), \
     unhex(printf('0199%028x', 1 + (n % 4000 = 5))), '' FROM g",
    "INSERT INTO jobs (id, status, created_by, priority, created_at, due, run_at, attempts, crashes, interruptions, claim, \
     progress, revision) SELECT id, CASE WHEN rowid % 10 = 1 THEN 'failed' WHEN rowid > 18000 THEN 'queued' \
     ELSE 'succeeded' END, created_by, 0, '', TRUE, '', 0, 0, 0, 0, 0, 1 FROM job_orders",
    "INSERT INTO job_failures SELECT id, 'bad_data' FROM jobs WHERE status = 'failed'",
    "INSERT INTO job_failure_words SELECT id, 'w' || rowid % 100 FROM jobs WHERE status = 'failed'",
    "ANALYZE",
];

#[tokio::test]
async fn every_filter_and_search_uses_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/plans.db", folder.path().display());
    let db = Db::connect(&url, &PoolOptions::default()).await.unwrap();
    db.migrate().await.unwrap();
    fill(&db).await.unwrap();
    let mut tx = db.read().await.unwrap();
    for filter in filters() {
        let search = tx.jobs().search(&filter, 20).await.unwrap();
        for clause in &search.clauses {
            let Some((sql, arguments)) = clause.scans.as_deref().and_then(|scans| merged(scans, Uuid::max(), 20))
            else {
                continue;
            };
            let plan = explain(&mut tx, &sql, arguments).await.unwrap();
            // Several scans are sorted together: at most the rows of a page each.
            let bounded = sql.contains("AS few") || sql.contains("AS scan1");
            let sorted = plan.contains("FOR ORDER BY") && !bounded;
            assert!(!plan.contains("SCAN job") && !sorted, "{filter:?}: {sql}\n{plan}");
        }
        for clause in &search.clauses {
            let (sql, arguments) = clause.check.statement(&tx, &[Uuid::from_u128((0x0199 << 112) + 7); 300]);
            let plan = explain(&mut tx, &sql, arguments).await.unwrap();
            assert!(!plan.contains("SCAN job"), "{filter:?}: {sql}\n{plan}");
        }
        let mut arguments = Arguments::default();
        let ids = arguments.add_ids(&tx, &[Uuid::from_u128((0x0199 << 112) + 7); 20]);
        let sql = search.matching(&ids, &mut arguments);
        let plan = explain(&mut tx, &sql, arguments).await.unwrap();
        assert!(!plan.contains("SCAN"), "{filter:?}: {sql}\n{plan}");
    }
    for (column, prefix) in [
        (Column::ModelName, None),
        (Column::ModelName, Some("ra")),
        (Column::Creator, None),
        (Column::Dataset, None),
        (Column::ErrorWord, Some("w1")),
    ] {
        let (sql, arguments) = distinct_values(column, prefix);
        let plan = explain(&mut tx, &sql, arguments).await.unwrap();
        let unordered = plan.contains("FOR ORDER BY") || plan.contains("SCAN job_orders\n");
        assert!(!unordered, "{column:?}: {plan}");
    }
}

async fn fill(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    for statement in FILL {
        execute!(tx, *statement)?;
    }
    tx.commit().await
}

async fn explain(tx: &mut Tx, sql: &str, arguments: Arguments) -> Result<String> {
    let rows: Vec<(i64, i64, i64, String)> = all_with!(tx, format!("EXPLAIN QUERY PLAN {sql}"), arguments)?;
    Ok(rows.into_iter().map(|(.., detail)| detail + "\n").collect())
}

fn filters() -> Vec<JobFilter> {
    let all = JobFilter::default;
    let model = || vec![ModelName::parse("demo").unwrap()];
    let user = || vec![UserId(Uuid::from_u128((0x0199 << 112) + 1))];
    let dataset = || vec![DatasetName::parse("titanic").unwrap()];
    let mut filters = vec![
        JobFilter { status: Condition::In(vec![JobStatus::Failed, JobStatus::Queued]), ..all() },
        JobFilter { status: Condition::NotIn(vec![JobStatus::Succeeded]), ..all() },
        JobFilter { name: Condition::In(model()), ..all() },
        JobFilter { name: Condition::NotIn(model()), ..all() },
        JobFilter { kind: JobKind::Prediction.into(), ..all() },
        JobFilter { kind: JobKind::Training.into(), ..all() },
        JobFilter { algorithm: Algorithm::Svm.into(), ..all() },
        JobFilter { algorithm: Condition::NotIn(vec![Algorithm::RandomForest]), ..all() },
        JobFilter { created_by: Condition::In(user()), ..all() },
        JobFilter { created_by: Condition::NotIn(user()), ..all() },
        JobFilter { dataset: Condition::In(dataset()), ..all() },
        JobFilter { dataset: Condition::NotIn(dataset()), ..all() },
        JobFilter { error_code: FailureCode::BadData.into(), ..all() },
        JobFilter { error_code: Condition::NotIn(vec![FailureCode::Timeout]), ..all() },
        JobFilter { status: JobStatus::Failed.into(), name: Condition::In(model()), ..all() },
    ];
    for text in ["rar", "titan", "u77@", "w1", "w", "0199", "demo w12"] {
        filters.push(JobFilter { search: parse_search(text).unwrap(), search_emails: true, ..all() });
    }
    filters
}
