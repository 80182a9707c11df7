//! Responses to clients while a dependency is full, read-only, unavailable or not ready, and afterwards.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use trainyard_testkit::{
    Client, PostgresServer, SmallDisk, Stack, System, distributed_settings, eventually, pause, unique,
};

use crate::support::{BINARY, later_job, quick_job};

const SOON: Duration = Duration::from_secs(20);

async fn started(start: impl FnOnce() -> System + Send + 'static) -> System {
    tokio::task::spawn_blocking(start).await.unwrap()
}

/// The readiness of a role, with the reason if it is not ready.
async fn readiness(client: &Client) -> (u16, Value) {
    let answer = client.get("/health/ready").await;
    (answer.status, answer.body)
}

async fn becomes_ready(client: &Client) {
    eventually("the role is ready", SOON, async || (readiness(client).await.0 == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_on_a_full_disk_is_503_and_well_again_without_a_restart() {
    let Some(disk) = SmallDisk::mount(12) else { return };
    let data = disk.path().join("data");
    let system = started(move || System::start_in(BINARY, &data, &[])).await;
    let admin = system.client().admin().await;
    let (stop, seen) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let traffic = async {
        while !stop.load(Ordering::Relaxed) {
            let answer = admin.post("/training", later_job("filler")).await;
            assert!(matches!(answer.status, 202 | 503), "{}: {}", answer.status, answer.body);
            assert!(answer.status == 202 || !answer.header("retry-after").is_empty(), "{}", answer.body);
            seen.lock().unwrap().push(answer.status);
            admin.get("/training?limit=1").await.expect(200);
            admin.get("/health").await.expect(200);
            pause(Duration::from_millis(5)).await;
        }
    };
    let faults = async {
        for _ in 0..2 {
            disk.fill();
            let before = seen.lock().unwrap().len();
            let report = eventually("readiness reports the fault", SOON, async || {
                let (status, report) = readiness(&admin).await;
                (status == 503).then_some(report)
            })
            .await;
            assert_eq!(report["checks"]["database"]["error"], "the database's disk is full", "{report}");
            let refusals = || seen.lock().unwrap()[before..].iter().filter(|status| **status == 503).count();
            eventually("submissions are refused", SOON, async || (refusals() > 0).then_some(())).await;
            // A small write still fits into the database's log now and then: readiness does not follow it.
            let (mut readings, more) = (0, refusals() + 100);
            while readings < 100 || refusals() < more {
                let (status, report) = readiness(&admin).await;
                assert_eq!(status, 503, "reading {readings}: {report}");
                readings += 1;
                pause(Duration::from_millis(20)).await;
            }
            disk.free();
            becomes_ready(&admin).await;
            let from = seen.lock().unwrap().len();
            let after = eventually("fifty more are answered", SOON, async || {
                let seen = seen.lock().unwrap();
                (seen.len() >= from + 50).then(|| seen[from + 1..].to_vec())
            })
            .await;
            assert!(after.iter().all(|status| *status == 202), "{after:?}");
        }
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(traffic, faults);
    admin.trained(quick_job(&unique("after"))).await;
    drop(system);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_takes_no_writes_is_503_and_every_role_says_so() {
    let server = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap();
    let mut settings = distributed_settings();
    settings.push(("DATABASE_URL".to_owned(), server.fresh_database()));
    let system = started(move || System::start_roles(BINARY, &["api", "worker"], settings)).await;
    let admin = system.client().admin().await;
    let (api, worker) = (system.client_of(0), system.client_of(1));
    admin.trained(quick_job(&unique("before"))).await;
    server.set_read_only(true);
    let refused = eventually("a submission is refused", SOON, async || {
        let answer = admin.post("/training", later_job("late")).await;
        (answer.status != 202).then_some(answer)
    })
    .await;
    assert!(!refused.header("retry-after").is_empty());
    refused.problem(503);
    admin.get("/training?limit=1").await.expect(200);
    for role in [&api, &worker] {
        let report = eventually("readiness reports the fault", SOON, async || {
            let (status, report) = readiness(role).await;
            (status == 503).then_some(report)
        })
        .await;
        let error = report["checks"]["database"]["error"].as_str().unwrap().to_owned();
        assert!(error.contains("read-only"), "{report}");
        role.get("/health").await.expect(200);
    }
    server.set_read_only(false);
    becomes_ready(&api).await;
    becomes_ready(&worker).await;
    admin.trained(quick_job(&unique("after"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_space_in_the_object_store() {
    let Some(disk) = SmallDisk::mount(2) else { return };
    let url = format!("file://{}/objects%20here", disk.path().display());
    let system = started(move || System::start_with(BINARY, Stack::Embedded, 1, &[("ARTIFACT_URL", &url)])).await;
    assert!(disk.path().join("objects here/datasets").is_dir());
    let admin = system.client().admin().await;
    disk.fill();
    let job = admin.submit(quick_job(&unique("waits"))).await;
    eventually("the run has met the full store twice", SOON, async || {
        (system.log(0).matches("the model is not stored yet").count() >= 2).then_some(())
    })
    .await;
    let view = admin.get(&format!("/training/{job}")).await.expect(200);
    assert_eq!((&view["status"], &view["attempt"]), (&json!("running"), &json!(1)), "{view}");
    disk.free();
    let view = admin.finished(&job).await;
    assert_eq!((&view["status"], &view["attempt"]), (&json!("succeeded"), &json!(1)), "{view}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_corrupt_dataset_fails_its_job_once() {
    let system = started(|| System::start(BINARY, Stack::Embedded)).await;
    let admin = system.client().admin().await;
    type Damage = fn(&Path);
    let cases: [(&str, Damage); 2] = [
        ("dataset_missing", |object| std::fs::remove_file(object).unwrap()),
        ("dataset_corrupt", |object| std::fs::write(object, "x,y\n9,0\n8,1\n7,0\n").unwrap()),
    ];
    for (code, damage) in cases {
        let name = unique("lost");
        let dataset = admin.upload(&name, "x,y\n1,0\n2,1\n3,0\n").await.expect(201);
        damage(&system.folder().join(format!("data/objects/datasets/{}.csv", dataset["id"].as_str().unwrap())));
        let spec = json!({
            "name": name, "algorithm": "decision_tree", "dataset": name, "target": "y", "features": ["x"]
        });
        let job = admin.submit(spec).await;
        let view = admin.finished(&job).await;
        assert_eq!((&view["status"], &view["attempt"]), (&json!("failed"), &json!(1)), "{view}");
        assert_eq!((&view["error"]["code"], &view["error"]["retryable"]), (&json!(code), &json!(false)), "{view}");
        assert!(view["error"]["message"].as_str().unwrap().contains("upload it again"), "{view}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_wait_for_the_migration_and_log_the_command() {
    const ROLES: &[&str] = &["api", "worker", "inference"];
    let settings = tokio::task::spawn_blocking(distributed_settings).await.unwrap();
    let mut system = started(|| System::start_unmigrated(BINARY, ROLES, settings)).await;
    for (role, name) in ROLES.iter().enumerate() {
        let client = system.client_of(role);
        let report = eventually("the role lives and is not ready", SOON, async || {
            let lives = client.try_send(client.request(reqwest::Method::GET, "/health")).await.ok()?.status == 200;
            let (status, report) = readiness(&client).await;
            (lives && status == 503).then_some(report)
        })
        .await;
        let error = report["checks"]["migrations"]["error"].as_str().unwrap_or_default().to_owned();
        assert!(error.contains("run `trainyard migrate`"), "{name}: {report}");
        let log = system.log(role);
        assert!(log.contains("run `trainyard migrate`"), "{name}: {log}");
    }
    assert_eq!(tokio::task::block_in_place(|| system.terminate(1)).code(), Some(0), "a stop while it waits is clean");
    system.resume(1);
    tokio::task::block_in_place(|| system.migrate());
    for role in 0..ROLES.len() {
        tokio::task::block_in_place(|| system.wait_ready(role));
    }
    system.client().admin().await.trained(quick_job(&unique("migrated"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_files_of_up_are_private_also_in_an_older_folder() {
    let mut system = started(|| System::start(BINARY, Stack::Embedded)).await;
    let admin = system.client().admin().await;
    admin.trained(quick_job(&unique("kept"))).await;
    let open_files = |system: &System| {
        let mut open = Vec::new();
        for folder in [system.folder().join("data"), system.work_folder(0)] {
            collect_open(&folder, &mut open);
        }
        open
    };
    assert_eq!(open_files(&system), Vec::<String>::new());
    assert!(system.folder().join("data/trainyard.db-wal").is_file());
    // As created by an earlier version.
    tokio::task::block_in_place(|| system.terminate(0));
    let data = system.folder().join("data");
    for (path, mode) in [("", 0o755), ("objects", 0o755), ("trainyard.db", 0o644)] {
        std::fs::set_permissions(data.join(path), PermissionsExt::from_mode(mode)).unwrap();
    }
    system.resume(0);
    tokio::task::block_in_place(|| system.wait_ready(0));
    let admin = system.client().admin().await;
    admin.submit(later_job("later")).await;
    assert_eq!(open_files(&system), Vec::<String>::new());
}

/// Collects all files and folders below `path` that other users can access. A cached dataset may have the group of the
/// training processes, which read it if the worker runs as root; the folders above deny access to others.
fn collect_open(path: &Path, open: &mut Vec<String>) {
    let Ok(found) = std::fs::symlink_metadata(path) else { return };
    let mode = found.permissions().mode() & 0o777;
    let shared = mode == 0o640 && path.extension().is_some_and(|extension| extension == "csv");
    if mode & 0o077 != 0 && !shared {
        open.push(format!("{mode:o} {}", path.display()));
    }
    if found.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            collect_open(&entry.path(), open);
        }
    }
}
