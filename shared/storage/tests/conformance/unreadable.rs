//! Unreadable rows: lists skip them, batches continue without them, and reading one alone names table, key and column.

use chrono::TimeDelta;
use serde_json::json;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::schedule::Outcome;
use trainyard_domain::webhook::Delivery;
use trainyard_domain::{
    Dataset, DatasetId, DeliveryId, Job, JobFilter, JobId, JobStatus, LogEntry, LogLevel, LogLine, ModelName, Role,
    Schedule, ScheduleId, ScheduleRun, User, UserId,
};
use trainyard_storage::{AuditEntry, DeliveryFilter, JobBatch, Model, NewVersion, Result, StorageError};

use crate::fixture::{Fixture, LEASE, dataset, user};
use crate::schedules::{schedule, store};

on_both!(
    accounts_are_listed_without_unreadable_ones,
    datasets_are_listed_without_unreadable_ones,
    jobs_are_listed_without_unreadable_ones,
    models_are_listed_without_unreadable_ones,
    versions_are_listed_without_unreadable_ones,
    schedules_are_listed_without_unreadable_ones,
    runs_of_schedules_are_listed_without_unreadable_ones,
    audit_entries_are_listed_without_unreadable_ones,
    webhooks_are_listed_without_unreadable_ones,
    jobs_of_a_batch_are_claimed_without_an_unreadable_one,
    expired_leases_are_found_behind_unreadable_jobs,
    webhooks_are_claimed_without_an_unreadable_one,
    a_log_continues_after_unreadable_lines,
    an_invalid_email_address_is_listed,
);

/// Six rows, oldest first; the rows named `bad` are damaged. The newest two are damaged, so the first query of a page of two
/// finds no readable row.
const NAMES: [&str; 6] = ["good-0", "good-1", "bad-2", "good-3", "bad-4", "bad-5"];
const READABLE: [&[&str]; 2] = [&["good-3", "good-1"], &["good-0"]];

/// Reads all pages of two. Returns the names on each page.
async fn pages<V, K>(
    mut page: impl AsyncFnMut(Option<K>) -> Result<Vec<V>>,
    key: impl Fn(&V) -> K,
    name: impl Fn(&V) -> String,
) -> Vec<Vec<String>> {
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let values = page(before).await.unwrap();
        let Some(last) = values.last() else { return pages };
        before = Some(key(last));
        pages.push(values.iter().map(&name).collect());
    }
}

fn seconds(n: usize) -> i64 {
    i64::try_from(n).unwrap() + 1
}

/// The text of the error of reading a single row.
fn refusal<V: std::fmt::Debug>(read: Result<V>) -> String {
    match read {
        Err(error @ StorageError::Corrupt(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn accounts_are_listed_without_unreadable_ones(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    let mut last = fixture.user;
    for (n, name) in NAMES.iter().enumerate() {
        let mut user = user(&format!("{name}@example.com"), Role::User, fixture.now);
        user.id = UserId::at(fixture.later(seconds(n)));
        tx.users().insert(&user).await.unwrap();
        last = user.id;
    }
    tx.commit().await.unwrap();
    let drop_check = "ALTER TABLE users DROP CONSTRAINT users_role_check";
    fixture.execute_unchecked(drop_check, "UPDATE users SET role = 'king' WHERE email LIKE 'bad%'").await;
    let mut tx = fixture.db.read().await.unwrap();
    let name = |user: &User| user.email.as_str().replace("@example.com", "");
    let found = pages(async |before| tx.users().list(before, 2).await, |user| user.id, name).await;
    assert_eq!(found, [vec!["good-3", "good-1"], vec!["good-0", "ada"]], "the fixture's account is the oldest");
    let text = refusal(tx.users().by_id(last).await);
    assert!(text.contains(&format!("users {last}, column role")), "{text}");
}

async fn datasets_are_listed_without_unreadable_ones(fixture: Fixture) {
    fixture.execute_raw("DELETE FROM datasets").await;
    let mut tx = fixture.db.begin().await.unwrap();
    let mut ids = Vec::new();
    for (n, name) in NAMES.iter().enumerate() {
        let mut dataset = dataset(name, 1, fixture.now);
        dataset.id = DatasetId::at(fixture.later(seconds(n)));
        tx.datasets().insert(&dataset).await.unwrap();
        ids.push(dataset.id);
    }
    tx.commit().await.unwrap();
    fixture.execute_raw("UPDATE datasets SET columns = '7' WHERE name LIKE 'bad%'").await;
    let mut tx = fixture.db.read().await.unwrap();
    let name = |dataset: &Dataset| dataset.name.as_str().to_owned();
    let found = pages(async |before| tx.datasets().list(before, 2).await, |dataset| dataset.id, name).await;
    assert_eq!(found, READABLE);
    assert_eq!(tx.datasets().get_many(&ids).await.unwrap().len(), 3);
    let text = refusal(tx.datasets().get(ids[5]).await);
    assert!(text.contains(&format!("datasets {}, column columns", ids[5])), "{text}");
}

/// Inserts six due jobs and damages the specifications of three.
async fn damaged_jobs(fixture: &Fixture) -> Vec<JobId> {
    let mut ids = Vec::new();
    for (n, name) in NAMES.iter().enumerate() {
        let queue = fixture.queue_with(|job| {
            job.id = JobId::at(fixture.later(seconds(n)));
            job.spec.name = ModelName::parse(name).unwrap();
        });
        ids.push(queue.await);
    }
    fixture.execute_raw("UPDATE job_orders SET spec = '{\"name\": 7}' WHERE model_name LIKE 'bad%'").await;
    ids
}

async fn jobs_are_listed_without_unreadable_ones(fixture: Fixture) {
    let ids = damaged_jobs(&fixture).await;
    let all = JobFilter::default();
    let filters = [
        all.clone(),
        JobFilter { status: JobStatus::Queued.into(), ..all.clone() },
        JobFilter { created_by: fixture.user.into(), ..all.clone() },
        JobFilter { status: JobStatus::Queued.into(), created_by: fixture.user.into(), ..all.clone() },
    ];
    let mut tx = fixture.db.read().await.unwrap();
    for filter in filters {
        let name = |job: &Job| job.spec.name.as_str().to_owned();
        let found =
            pages(async |before| tx.jobs().list(&filter, before, 2).await.map(|page| page.jobs), |job| job.id, name)
                .await;
        assert_eq!(found, READABLE, "{filter:?}");
    }
    assert_eq!(tx.jobs().get_many(&ids).await.unwrap().len(), 3);
    let JobBatch { jobs, unreadable, .. } = tx.jobs().get_many_with_time(&ids).await.unwrap();
    assert_eq!((jobs.len(), unreadable.len()), (3, 3));
    assert!(unreadable.iter().any(|(id, _)| *id == ids[5]), "{unreadable:?}");
    let text = refusal(tx.jobs().get(ids[5]).await);
    assert!(text.contains(&format!("jobs {}, column spec", ids[5])), "{text}");
    drop(tx);
    // A column that sqlx decodes.
    fixture.execute_raw("UPDATE jobs SET error = '[]'").await;
    let mut tx = fixture.db.read().await.unwrap();
    assert!(tx.jobs().list(&all, None, 2).await.unwrap().jobs.is_empty());
    let text = refusal(tx.jobs().get(ids[0]).await);
    assert!(text.contains(&format!("jobs {}, column error", ids[0])), "{text}");
}

async fn models_are_listed_without_unreadable_ones(fixture: Fixture) {
    for (n, name) in NAMES.iter().enumerate() {
        let job = fixture.queue().await;
        let version = NewVersion { now: fixture.later(seconds(n)), ..fixture.version(name, job) };
        let mut tx = fixture.db.begin().await.unwrap();
        tx.models().publish(&version).await.unwrap();
        tx.commit().await.unwrap();
    }
    fixture.execute_raw("DELETE FROM model_versions WHERE model_name LIKE 'bad%'").await;
    fixture.execute_raw("DELETE FROM alias_moves WHERE model_name LIKE 'bad%'").await;
    fixture.execute_raw("UPDATE models SET name = 'no name: ' || name WHERE name LIKE 'bad%'").await;
    let mut tx = fixture.db.read().await.unwrap();
    let name = |model: &Model| model.name.as_str().to_owned();
    let found = pages(async |before| tx.models().list(before, 2).await, |model| model.id, name).await;
    assert_eq!(found, READABLE);
}

async fn versions_are_listed_without_unreadable_ones(fixture: Fixture) {
    for _ in NAMES {
        fixture.publish("demo").await;
    }
    let demo = ModelName::parse("demo").unwrap();
    for alias in ["canary", "latest"] {
        let mut tx = fixture.db.begin().await.unwrap();
        assert!(tx.models().set_alias(&demo, alias, 6, &fixture.cause()).await.unwrap());
        tx.commit().await.unwrap();
    }
    fixture.execute_raw("UPDATE model_versions SET algorithm = 'palm_reading' WHERE version IN (3, 5)").await;
    fixture.execute_raw("UPDATE model_versions SET features = '7' WHERE version = 6").await;
    let mut tx = fixture.db.read().await.unwrap();
    let list = async |before| tx.models().versions(&demo, before, 2).await;
    let found = pages(list, |version| version.version, |version| version.version.to_string()).await;
    assert_eq!(found, [vec!["4", "2"], vec!["1"]]);
    let served: Vec<_> = tx.models().served().await.unwrap().into_iter().map(|served| served.version).collect();
    assert_eq!(served, [1, 6], "serving needs no unreadable column");
    assert!(tx.models().latest_of(&["demo"]).await.unwrap().is_empty());
    for (version, column) in [(5, "algorithm"), (6, "features")] {
        let text = refusal(tx.models().version(&demo, version).await);
        assert!(text.contains(&format!("model_versions demo/{version}, column {column}")), "{text}");
    }
}

async fn schedules_are_listed_without_unreadable_ones(fixture: Fixture) {
    let mut last = None;
    for (n, name) in NAMES.iter().enumerate() {
        let id = ScheduleId::at(fixture.later(seconds(n)));
        last = Some(store(&fixture, Schedule { id, ..schedule(&fixture, name) }).await.id);
    }
    fixture.execute_raw("UPDATE schedules SET spec = '7' WHERE name LIKE 'bad%'").await;
    let mut tx = fixture.db.read().await.unwrap();
    let name = |schedule: &Schedule| schedule.name.clone();
    let found = pages(async |before| tx.schedules().list(before, 2).await, |schedule| schedule.id, name).await;
    assert_eq!(found, READABLE);
    assert_eq!(tx.schedules().due(fixture.now, 10).await.unwrap().len(), 6, "each schedule is read separately");
    let text = refusal(tx.schedules().get(last.unwrap()).await);
    assert!(text.contains(&format!("schedules {}, column spec", last.unwrap())), "{text}");
}

async fn runs_of_schedules_are_listed_without_unreadable_ones(fixture: Fixture) {
    let schedule_id = store(&fixture, schedule(&fixture, "hourly")).await.id;
    let mut tx = fixture.db.begin().await.unwrap();
    for (n, name) in NAMES.iter().enumerate() {
        let due_at = fixture.later(seconds(n));
        let message = Some((*name).to_owned());
        let run = ScheduleRun { schedule_id, due_at, job_id: None, outcome: Outcome::Refused, message, at: due_at };
        assert!(tx.schedules().add_run(&run).await.unwrap());
    }
    tx.commit().await.unwrap();
    let drop_check = "ALTER TABLE schedule_runs DROP CONSTRAINT schedule_runs_outcome_check";
    fixture.execute_unchecked(drop_check, "UPDATE schedule_runs SET outcome = 'lost' WHERE message LIKE 'bad%'").await;
    let mut tx = fixture.db.read().await.unwrap();
    let list = async |before| tx.schedules().runs(schedule_id, before, 2).await;
    assert_eq!(pages(list, |run| run.due_at, |run| run.message.clone().unwrap()).await, READABLE);
}

async fn audit_entries_are_listed_without_unreadable_ones(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    for (n, name) in NAMES.iter().enumerate() {
        let (id, at) = (uuid_at(fixture.later(seconds(n))), fixture.now);
        let (subject, detail) = ("job:7".to_owned(), json!({}));
        let entry = AuditEntry { id, at, actor: None, action: (*name).into(), subject, request_id: None, detail };
        tx.audit().insert(&entry).await.unwrap();
    }
    tx.commit().await.unwrap();
    fixture.execute_raw("UPDATE audit_entries SET detail = '{' WHERE action LIKE 'bad%'").await;
    let mut tx = fixture.db.read().await.unwrap();
    let found = pages(async |before| tx.audit().list(before, 2).await, |entry| entry.id, |entry| entry.action.clone());
    assert_eq!(found.await, READABLE);
}

/// Inserts six due deliveries to different receivers.
async fn store_deliveries(fixture: &Fixture) -> Vec<DeliveryId> {
    for (n, name) in NAMES.iter().enumerate() {
        let id = fixture.queue_with(|job| job.spec.webhook_url = Some(format!("https://{name}/"))).await;
        let mut tx = fixture.db.begin().await.unwrap();
        tx.jobs().cancel(id, fixture.later(seconds(n))).await.unwrap();
        tx.webhooks().enqueue(id, fixture.later(seconds(n))).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = fixture.db.read().await.unwrap();
    let deliveries = tx.webhooks().list(DeliveryFilter::default(), None, 10).await.unwrap();
    deliveries.into_iter().rev().map(|delivery| delivery.id).collect()
}

fn receiver(delivery: &Delivery) -> String {
    delivery.receiver.replace(":443", "")
}

async fn webhooks_are_listed_without_unreadable_ones(fixture: Fixture) {
    let ids = store_deliveries(&fixture).await;
    // Valid JSON, also for JSONB of Postgres, but too large for an f64.
    fixture.execute_raw("UPDATE webhook_deliveries SET payload = '1e400' WHERE receiver LIKE 'bad%'").await;
    let mut tx = fixture.db.read().await.unwrap();
    let filter = DeliveryFilter::default();
    let list = async |before| tx.webhooks().list(filter, before, 2).await;
    assert_eq!(pages(list, |delivery| delivery.id, receiver).await, READABLE);
    let text = refusal(tx.webhooks().get(ids[5]).await);
    assert!(text.contains(&format!("webhook_deliveries {}, column", ids[5])), "{text}");
}

async fn webhooks_are_claimed_without_an_unreadable_one(fixture: Fixture) {
    store_deliveries(&fixture).await;
    fixture.execute_raw("UPDATE webhook_deliveries SET payload = '1e400' WHERE receiver LIKE 'bad%'").await;
    let mut tx = fixture.db.begin().await.unwrap();
    let (now, until) = (fixture.later(60), fixture.later(90));
    let claimed = tx.webhooks().claim(now, until, 10, &[""; 4]).await.unwrap();
    assert_eq!(claimed.iter().map(receiver).collect::<Vec<_>>(), ["good-0", "good-1", "good-3"]);
    assert!(!tx.webhooks().any_due(now).await.unwrap(), "the unreadable ones are postponed too");
}

async fn jobs_of_a_batch_are_claimed_without_an_unreadable_one(fixture: Fixture) {
    let ids = damaged_jobs(&fixture).await;
    let mut tx = fixture.db.begin().await.unwrap();
    let claimed = tx.jobs().claim_many(&ids, "w", Some(fixture.now), LEASE).await.unwrap();
    let mut names: Vec<_> = claimed.iter().map(|job| job.spec.name.as_str()).collect();
    names.sort();
    assert_eq!(names, ["good-0", "good-1", "good-3"]);
    assert_eq!((tx.jobs().running_total().await.unwrap(), tx.jobs().active_total().await.unwrap()), (3, 6));
    tx.commit().await.unwrap();
    // The jobs are queued again, due in a minute, for a version of the program that can read them.
    fixture.execute_raw("UPDATE job_orders SET spec = (SELECT spec FROM job_orders WHERE model_name = 'good-0')").await;
    let job = fixture.job(ids[2]).await;
    assert_eq!((job.status, job.claim, job.run_at), (JobStatus::Queued, 1, fixture.later(60)));
    assert_eq!((job.lease_expires_at, job.started_at, job.counts.attempts), (None, None, 0));
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.jobs().promote_due(fixture.later(59), 10).await.unwrap(), 0);
    assert_eq!(tx.jobs().promote_due(fixture.later(60), 10).await.unwrap(), 3);
    let claimed = tx.jobs().claim_many(&ids, "w", Some(fixture.later(60)), LEASE).await.unwrap();
    assert_eq!(claimed.len(), 3);
}

async fn expired_leases_are_found_behind_unreadable_jobs(fixture: Fixture) {
    let mut ids = Vec::new();
    for (n, name) in NAMES.iter().rev().enumerate() {
        let id = fixture.queue_with(|job| job.spec.name = ModelName::parse(name).unwrap()).await;
        fixture.claim(id, "w", fixture.later(seconds(n))).await.unwrap();
        ids.push(id);
    }
    fixture.execute_raw("UPDATE job_orders SET spec = '7' WHERE model_name LIKE 'bad%'").await;
    let mut tx = fixture.db.read().await.unwrap();
    let later = fixture.later(60) + TimeDelta::minutes(1);
    for limit in [1, 2, 10] {
        let lost = tx.jobs().expired(later, limit).await.unwrap();
        assert_eq!(lost.first().unwrap().id, ids[2], "the first readable job, with a limit of {limit}");
    }
}

async fn a_log_continues_after_unreadable_lines(fixture: Fixture) {
    let id = fixture.queue().await;
    fixture.claim(id, "w", fixture.now).await.unwrap();
    let line = |message: &str| {
        let entry = LogEntry::Log { level: LogLevel::Info, message: message.into() };
        LogLine { at: fixture.now, entry }
    };
    let mut tx = fixture.db.begin().await.unwrap();
    for (n, message) in (0..).zip(["a", "b", "c"]) {
        assert!(tx.logs().append(id, 1, n, &[line(message)]).await.unwrap());
    }
    tx.commit().await.unwrap();
    fixture
        .execute_raw("UPDATE job_logs SET lines = '7' WHERE first_seq > (SELECT MIN(first_seq) FROM job_logs)")
        .await;
    let mut tx = fixture.db.read().await.unwrap();
    let page = tx.logs().after(id, 0, 10).await.unwrap();
    assert_eq!(page.lines.len(), 1);
    let head = tx.jobs().job_revisions(&[id]).await.unwrap()[0];
    assert_eq!(page.read_to, head.last_seq, "the reader has reached the end");
}

/// An older version with other rules may have stored the address.
async fn an_invalid_email_address_is_listed(fixture: Fixture) {
    fixture.execute_raw("UPDATE users SET email = 'nobody'").await;
    let listed = fixture.db.read().await.unwrap().users().list(None, 10).await.unwrap();
    assert_eq!(listed[0].email.as_str(), "nobody");
}
