//! A load with every event that a panel can show, including failures.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use trainyard_testkit::{Client, EventStream, Receiver, Reply, children_of, eventually, send_signal};

use crate::rig::Rig;

/// A limit for events that must happen.
const LIMIT: Duration = Duration::from_secs(90);
const MODEL: &str = "demo";

/// Activities that continue during the queries.
pub struct GoesOn {
    _stream: EventStream,
}

/// Runs the load. Jobs stay queued while the queue is paused, and an event stream stays open.
pub async fn run(rig: &mut Rig) -> GoesOn {
    // A rate does not see the first value of a series.
    scraped(rig, "sum(up) == 4").await;
    let client = rig.system.client();
    let admin = client.admin().await;
    client.post("/login", json!({"email": "nobody@example.com", "password": "wrong"})).await.problem(401);

    let poisoned = poison(rig, &admin);
    let trained = successes_failures_and_webhooks(&admin);
    tokio::join!(poisoned, trained);
    predictions(rig, &admin).await;
    schedules(&admin).await;
    a_version_that_can_not_be_loaded(rig, &admin).await;
    lost_leases(rig, &admin).await;
    an_outage(rig, &admin).await;

    admin.post("/queue/pause", Value::Null).await.expect(200);
    let waiting = admin.submit(quick_job("waits", "random_forest")).await;
    let mut later = quick_job("later", "random_forest");
    later["run_at"] = json!((chrono::Utc::now() + chrono::Duration::hours(1)).to_rfc3339());
    admin.submit(later).await;
    GoesOn { _stream: admin.events(&waiting, None).await }
}

async fn successes_failures_and_webhooks(admin: &Client) {
    let receiver = Receiver::start();
    receiver.reply([Reply::Status(500), Reply::Status(410), Reply::Status(204)]);
    for algorithm in ["random_forest", "decision_tree", "logistic_regression"] {
        let mut job = quick_job(MODEL, algorithm);
        job["webhook_url"] = json!(receiver.url("/hook"));
        admin.trained(job).await;
    }
    // Enough jobs for several on each worker.
    let jobs = vec![quick_job("burst", "decision_tree"); 12];
    let accepted = admin.post("/training/bulk", json!({"jobs": jobs})).await.expect(202);
    for job in accepted["jobs"].as_array().unwrap() {
        assert_eq!(admin.finished(job["job_id"].as_str().unwrap()).await["status"], "succeeded");
    }
    admin.upload("hopeless", "x,y\n,a\n,b\n,a\n,b\n1,\n2,\n").await.expect(201);
    let hopeless =
        json!({"name": "bad", "algorithm": "random_forest", "dataset": "hopeless", "target": "y", "features": ["x"]});
    assert_eq!(admin.finished(&admin.submit(hopeless).await).await["error"]["code"], "bad_data");
    let cancelled = admin.submit(endless_job("cancelled")).await;
    running(admin, &cancelled).await;
    admin.post(&format!("/training/{cancelled}/cancel"), Value::Null).await.expect(202);
    assert_eq!(admin.finished(&cancelled).await["status"], "cancelled");
    receiver.wait_for(4).await;
}

/// Submits a job and kills its training process until the job is poison.
async fn poison(rig: &Rig, admin: &Client) {
    let id = admin.submit(endless_job("poison")).await;
    let mut killed = 0;
    for _ in 0..3 {
        killed = eventually("the poison job trains", LIMIT, async || {
            let workers = rig.system.workers().into_iter().map(|worker| rig.system.pid(worker));
            let mut children = workers.flat_map(children_of).filter(|(_, line)| line.contains("train-task"));
            children.find_map(|(pid, _)| (pid != killed && of_job(pid, &id)).then_some(pid))
        })
        .await;
        send_signal(killed, Signal::KILL.as_raw());
    }
    assert_eq!(admin.finished(&id).await["error"]["code"], "crashed");
}

/// The working directory of a training process has the id of its job.
fn of_job(pid: u32, id: &str) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder.to_string_lossy().contains(id))
}

async fn predictions(rig: &Rig, admin: &Client) {
    let body = json!({"model": MODEL, "instances": [{"sex": "female", "age": 29, "pclass": 1}, {"sex": "male"}]});
    admin.served(body.clone(), &json!(1)).await;
    scraped(rig, r#"trainyard_inference_requests_total{model="demo",version="1",outcome="answered"} > 0"#).await;
    for _ in 0..20 {
        admin.infer(body.clone()).await.expect(200);
    }
    admin.infer(json!({"model": MODEL, "features": {"age": "old"}})).await.problem(422);
    admin.infer(json!({"model": "nothing-here", "features": {}})).await.problem(404);
    admin.put(&format!("/models/{MODEL}/aliases/production"), json!({"version": 2})).await.expect(200);
    admin.served(body.clone(), &json!(2)).await;
    let traffic = json!({"versions": {"1": 50, "2": 50}, "shadow": [3]});
    admin.put(&format!("/models/{MODEL}/traffic"), traffic).await.expect(200);
    let compared = [("query", r#"trainyard_inference_shadow_rows_total{outcome="agreed"} > 0"#)];
    eventually("Prometheus finds predictions of the shadow version", LIMIT, async || {
        admin.infer(body.clone()).await.expect(200);
        let found = rig.prometheus.get("query", &compared).await.unwrap();
        (!found["result"].as_array().unwrap().is_empty()).then_some(())
    })
    .await;
    // Enough rows for the drift of the served version.
    for _ in 0..20 {
        admin.infer(body.clone()).await.expect(200);
    }
}

/// Creates a schedule that is due every second, and a schedule whose dataset was deleted.
async fn schedules(admin: &Client) {
    admin.upload("passing", "x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n7,a\n8,b\n9,a\n10,b\n").await.expect(201);
    let lost =
        json!({"name": "lost", "algorithm": "decision_tree", "dataset": "passing", "target": "y", "features": ["x"]});
    for (name, spec, outcome) in
        [("clock", quick_job("clock", "decision_tree"), "submitted"), ("refused", lost, "refused")]
    {
        let body = json!({"name": name, "cron": "* * * * * *", "spec": spec});
        let schedule = admin.post("/schedules", body).await.expect(201);
        let path = format!("/schedules/{}", schedule["id"].as_str().unwrap());
        if outcome == "refused" {
            admin.delete("/datasets/passing").await.expect(204);
        }
        eventually(&format!("a time is {outcome}"), LIMIT, async || {
            let runs = admin.get(&format!("{path}/runs?limit=100")).await.expect(200);
            runs["items"].as_array().unwrap().iter().any(|run| run["outcome"] == outcome).then_some(())
        })
        .await;
        admin.delete(&path).await.expect(204);
    }
}

/// Corrupts an artifact while the pool is stopped, so that the pool fetches the corrupt artifact.
async fn a_version_that_can_not_be_loaded(rig: &Rig, admin: &Client) {
    let pool = rig.system.roles("inference")[0];
    let before = rig.artifacts();
    rig.system.signal(pool, Signal::STOP.as_raw());
    // A new algorithm: the pool has cached the other artifacts by digest.
    let mut job = quick_job("damaged", "decision_tree");
    job["features"] = json!(["pclass"]);
    let job = admin.trained(job).await;
    for artifact in rig.artifacts().into_iter().filter(|artifact| !before.contains(artifact)) {
        std::fs::write(artifact, "not what was published").unwrap();
    }
    rig.system.signal(pool, Signal::CONT.as_raw());
    let body = json!({"model": "damaged", "version": job["model"]["version"], "features": {"sex": "male"}});
    eventually("the damaged version is not served", LIMIT, async || {
        (admin.infer(body.clone()).await.status == 503).then_some(())
    })
    .await;
}

/// Kills a worker with a running job, and stops another until its lease has expired.
async fn lost_leases(rig: &mut Rig, admin: &Client) {
    let id = admin.submit(endless_job("lost")).await;
    let first = running(admin, &id).await;
    let dead = worker_of(rig, &first);
    rig.system.kill(dead);
    rig.system.resume(dead);
    let second = moved(admin, &id, &first).await;
    let late = worker_of(rig, &second);
    rig.system.signal(late, Signal::STOP.as_raw());
    moved(admin, &id, &second).await;
    rig.system.signal(late, Signal::CONT.as_raw());
    let log = || rig.system.log(late).contains("this run writes nothing").then_some(());
    eventually("the late worker learns that it is late", LIMIT, async || log()).await;
    admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
    assert_eq!(admin.finished(&id).await["status"], "cancelled");
}

/// Crashes the database: requests fail, and succeed after the restart.
async fn an_outage(rig: &mut Rig, admin: &Client) {
    rig.postgres.kill();
    eventually("the API says that it can't", LIMIT, async || {
        (admin.post("/training", quick_job("outage", "random_forest")).await.status == 503).then_some(())
    })
    .await;
    tokio::task::block_in_place(|| rig.postgres.resume());
    eventually("the API works again", LIMIT, async || {
        (admin.post("/training", quick_job("outage", "random_forest")).await.status == 202).then_some(())
    })
    .await;
}

/// Waits until a query of Prometheus has a result.
async fn scraped(rig: &Rig, query: &str) {
    eventually(&format!("Prometheus finds {query}"), LIMIT, async || {
        let found = rig.prometheus.get("query", &[("query", query)]).await.unwrap();
        (!found["result"].as_array().unwrap().is_empty()).then_some(())
    })
    .await;
}

async fn running(admin: &Client, id: &str) -> Value {
    eventually("the job trains", LIMIT, async || {
        let view = admin.get(&format!("/training/{id}")).await.expect(200);
        (view["status"] == "running" && view["phase"].as_str().is_some_and(|phase| phase != "fetching")).then_some(view)
    })
    .await
}

/// Waits until the job trains in another worker process.
async fn moved(admin: &Client, id: &str, before: &Value) -> Value {
    eventually("another worker trains the job", LIMIT, async || {
        let view = running(admin, id).await;
        (view["worker"] != before["worker"]).then_some(view)
    })
    .await
}

/// The process that a running job names as its worker.
fn worker_of(rig: &Rig, view: &Value) -> usize {
    let name = view["worker"].as_str().unwrap();
    rig.system.workers().into_iter().find(|&worker| rig.system.log(worker).contains(name)).unwrap()
}

fn quick_job(name: &str, algorithm: &str) -> Value {
    json!({"name": name, "algorithm": algorithm, "features": ["sex", "age", "pclass"]})
}

/// A job that runs longer than the load.
fn endless_job(name: &str) -> Value {
    let params = json!({"engine": "linfa", "c": 10_000.0, "kernel": "polynomial", "degree": 5});
    json!({"name": name, "algorithm": "svm", "features": ["*"], "params": params})
}
