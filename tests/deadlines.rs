//! A request that timed out leaves nothing behind, however late the database becomes free.

use serde_json::Value;
use trainyard_domain::UserId;
use trainyard_storage::{Db, JobDemand, JobLimits, PoolOptions};
use trainyard_testkit::{System, distributed_settings, unique};
use uuid::Uuid;

use crate::support::{BINARY, quick_job};

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_timed_out_stores_no_job() {
    let mut settings = distributed_settings();
    let url = settings.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1.clone();
    settings.push(("TRAINYARD__SERVER__REQUEST_TIMEOUT_S".to_owned(), "1".to_owned()));
    let system = tokio::task::spawn_blocking(|| System::start_roles(BINARY, &["api"], settings)).await.unwrap();
    let admin = system.client().admin().await;

    let db = Db::connect(&url, &PoolOptions::default()).await.unwrap();
    let mut holder = db.begin().await.unwrap();
    let demand = JobDemand { user: UserId(Uuid::now_v7()), datasets: Vec::new(), jobs: 1, replaces: Vec::new() };
    holder.jobs().admit(&[demand], JobLimits { per_user: 10, total: 10 }).await.unwrap();
    admin.post("/training", quick_job(&unique("late"))).await.expect(503);
    drop(holder);

    // Its batch comes after that of the late submission.
    let in_time = admin.post("/training", quick_job(&unique("in-time"))).await.expect(202);
    let jobs = admin.get("/training").await.expect(200);
    let ids: Vec<&Value> = jobs["items"].as_array().unwrap().iter().map(|job| &job["job_id"]).collect();
    assert_eq!(ids, [&in_time["job_id"]]);
}
