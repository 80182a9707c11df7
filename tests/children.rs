//! The training process as started by the system: its environment, its limits, and the isolation of other jobs from a
//! crash.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use trainyard_testkit::{ADMIN_PASSWORD, JWT_SECRET, Stack, System, eventually, unique};

use crate::support::{BINARY, quick_job, send_signal, training_process};

const LIMIT: Duration = Duration::from_secs(60);

fn long_job(name: &str) -> Value {
    json!({"name": name, "algorithm": "random_forest", "features": ["*"], "params": {"n_trees": 2000}})
}

async fn two_slots() -> System {
    let settings = &[
        ("TRAINYARD__WORKER__CONCURRENCY", "2"),
        ("TRAINYARD__WORKER__CHILD_THREADS", "1"),
        ("TRAINYARD__WORKER__SANDBOX", "required"),
    ];
    tokio::task::spawn_blocking(|| System::start_with(BINARY, Stack::Distributed, 1, settings)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_process_knows_no_secret_is_confined_and_has_limits() {
    let system = two_slots().await;
    let admin = system.client().admin().await;
    let id = admin.submit(long_job(&unique("secrets"))).await;
    let pid = eventually("it trains", LIMIT, async || training_process(&id)).await;
    // Seccomp is the last step of the sandbox.
    let status = || std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    eventually("the process is in its sandbox", LIMIT, async || {
        status().lines().any(|line| line == "Seccomp:\t2").then_some(())
    })
    .await;
    send_signal(pid, Signal::STOP);
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("RAYON_NUM_THREADS=1"), "{environment}");
    for secret in [JWT_SECRET, ADMIN_PASSWORD, "postgres", "redis", "AWS_", "TRAINYARD"] {
        assert!(!environment.contains(secret), "{secret} is in {environment}");
    }
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    for (limit, value) in [("Max open files", "256"), ("Max address space", "4294967296"), ("Max core file size", "0")]
    {
        let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
        assert_eq!(line[limit.len()..].split_whitespace().next(), Some(value), "{limits}");
    }
    let status = status();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!((field("NoNewPrivs:").as_str(), field("Seccomp:").as_str()), ("1", "2"), "{status}");
    if rustix::process::geteuid().is_root() {
        let nobody = "65534\t65534\t65534\t65534";
        assert_eq!((field("Uid:").as_str(), field("Gid:").as_str(), field("Groups:").as_str()), (nobody, nobody, ""));
        assert_eq!(field("CapEff:"), "0000000000000000");
    }
    send_signal(pid, Signal::KILL);
}

/// The worker's own tests cover every limit with every algorithm; this test uses the real binary with its allocator.
#[tokio::test(flavor = "multi_thread")]
async fn a_memory_limit_that_is_too_small_to_start_is_out_of_memory() {
    for (limit, required) in [("8", true), ("50", false), ("60", false)] {
        let start = move || {
            let settings = [("TRAINYARD__WORKER__CHILD_MEMORY_MB", limit)];
            System::start_with(BINARY, Stack::Embedded, 1, &settings)
        };
        let system = tokio::task::spawn_blocking(start).await.unwrap();
        let admin = system.client().admin().await;
        let id = admin.submit(quick_job(&unique("small"))).await;
        let view = admin.finished(&id).await;
        if !required && view["status"] == json!("succeeded") {
            continue;
        }
        assert_eq!(view["error"]["code"], json!("out_of_memory"), "{view}");
        let message = view["error"]["message"].as_str().unwrap();
        assert!(message.contains(&format!("{limit} MB of worker.child_memory_mb")), "{message}");
        assert_eq!(view["attempt"], json!(1), "{view}");
    }
}

/// A table with 100 categories of 1,500 values, of which linear models make a column each.
fn wide_table() -> String {
    let header: Vec<String> = (0..100).map(|column| format!("f{column}")).collect();
    let rows = (0..3_000).map(|row| {
        let cell = |column: usize| format!("v{}", (row * 7_919 + column * 104_729) % 1_500);
        let cells: Vec<String> = (0..100).map(cell).collect();
        format!("{},{}\n", ["no", "yes"][row % 2], cells.join(","))
    });
    format!("y,{}\n{}", header.join(","), rows.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fits_into_no_worker_is_refused_with_the_figure() {
    for stack in [Stack::Embedded, Stack::Distributed] {
        let settings = [("TRAINYARD__WORKER__CHILD_MEMORY_MB", "300")];
        let system =
            tokio::task::spawn_blocking(move || System::start_with(BINARY, stack, 1, &settings)).await.unwrap();
        let admin = system.client().admin().await;
        eventually("the worker reports its limit", LIMIT, async || {
            let queue = admin.get("/queue").await.expect(200);
            queue["workers"].as_array().is_some_and(|workers| !workers.is_empty()).then_some(())
        })
        .await;
        admin.upload("wide", wide_table()).await.expect(201);
        let types: Value = (0..100).map(|column| (format!("f{column}"), json!("category"))).collect();
        let job = |algorithm: &str| {
            json!({
                "name": "wide", "algorithm": algorithm, "dataset": "wide", "target": "y", "features": ["*"],
                "column_types": types, "run_at": "2999-01-01T00:00:00Z"
            })
        };
        let refused = admin.post("/training", job("logistic_regression")).await.problem(422);
        let (field, message) = (&refused["errors"][0]["field"], refused["errors"][0]["message"].as_str().unwrap());
        assert_eq!(field, "dataset", "{refused}");
        assert!(message.starts_with("needs at least "), "{message}");
        assert!(message.contains("more than the 300 MB of worker.child_memory_mb"), "{message}");
        let bulk = json!({"jobs": [job("random_forest"), job("logistic_regression")]});
        let refused = admin.post("/training/bulk", bulk).await.problem(422);
        assert_eq!(refused["errors"][0]["field"], "jobs[1].dataset", "{refused}");
        // A forest has one number per category.
        admin.post("/training", job("random_forest")).await.expect(202);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn crashes_and_hangs_affect_only_their_own_jobs() {
    let system = two_slots().await;
    let admin = system.client().admin().await;
    let steady = admin.submit(long_job(&unique("steady"))).await;
    let poison = admin.submit(long_job(&unique("poison"))).await;
    let mut killed = 0;
    for _ in 0..3 {
        let next = async || training_process(&poison).filter(|pid| *pid != killed);
        killed = eventually("it trains", LIMIT, next).await;
        // Not SIGSEGV: Rust's handler returns and expects the instruction to fault again, which does not happen for a
        // sent signal.
        send_signal(killed, Signal::ILL);
    }
    let view = admin.finished(&poison).await;
    let error = &view["error"];
    assert_eq!((&view["status"], &error["code"]), (&json!("failed"), &json!("crashed")), "{view}");
    assert!(error["message"].as_str().unwrap().contains("(signal 4 (SIGILL)), 3 of 3 times"), "{view}");

    let mut hanging = long_job(&unique("hang"));
    hanging["timeout_s"] = json!(3);
    let hanging = admin.submit(hanging).await;
    let pid = eventually("it trains", LIMIT, async || training_process(&hanging)).await;
    send_signal(pid, Signal::STOP);
    let view = admin.finished(&hanging).await;
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("failed"), &json!("timeout")), "{view}");
    assert_eq!(view["error"].get("log_tail"), None, "it logged nothing: {view}");

    let view = admin.finished(&steady).await;
    assert_eq!((&view["status"], &view["attempt"]), (&json!("succeeded"), &json!(1)), "undisturbed: {view}");
    admin.trained(quick_job(&unique("after"))).await;
}
