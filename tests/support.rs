//! The shared systems, and the macro that runs a test on both stacks.

use std::sync::OnceLock;

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use trainyard_testkit::{Client, Stack, System};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_trainyard");

/// The system that the tests of a stack share.
pub fn shared(stack: Stack) -> &'static System {
    static EMBEDDED: OnceLock<System> = OnceLock::new();
    static DISTRIBUTED: OnceLock<System> = OnceLock::new();
    let system = match stack {
        Stack::Embedded => &EMBEDDED,
        Stack::Distributed => &DISTRIBUTED,
    };
    // The start blocks for seconds, so it runs on a thread of its own.
    std::thread::scope(|scope| scope.spawn(|| system.get_or_init(|| System::start(BINARY, stack))).join().unwrap())
}

/// The value of one series in a text of metrics, given its name and labels.
pub fn metric(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// The value of a metric of the API; 0 if it is not exported.
pub async fn api_metric(client: &Client, name: &str) -> usize {
    let text = client.get("/metrics").await.expect(200);
    metric(text.as_str().unwrap(), name).unwrap_or(0.0) as usize
}

/// A small random forest on the built-in dataset. It trains in less than a second.
pub fn quick_job(name: &str) -> Value {
    json!({"name": name, "algorithm": "random_forest", "features": ["sex", "age", "pclass"], "params": {"n_trees": 10}})
}

/// A job that is stored and does not run.
pub fn later_job(name: &str) -> Value {
    let mut job = quick_job(name);
    job["run_at"] = json!("2999-01-01T00:00:00Z");
    job
}

/// Uploads random numbers, on which trees grow deep; returns a job that runs for some seconds.
pub async fn long_job(admin: &Client, name: &str, n_trees: u32) -> Value {
    let rows: Vec<_> = (0_u32..20_000).map(|i| format!("{},{}", i.wrapping_mul(2_654_435_761) >> 8, i % 2)).collect();
    admin.upload(name, format!("x,y\n{}\n", rows.join("\n"))).await.expect(201);
    json!({
        "name": name, "algorithm": "random_forest", "dataset": name, "target": "y", "features": ["x"],
        "params": {"n_trees": n_trees}
    })
}

/// The training process of a job, if it is running. Its working folder has the name of the job.
pub fn training_process(job: &str) -> Option<i32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(|pid: &i32| {
        let trains = std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).nth(1) == Some(b"train-task"));
        trains && std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.to_string_lossy().contains(job))
    })
}

/// Sends a signal to a process, which may have exited.
pub fn send_signal(pid: i32, signal: Signal) {
    let _ = rustix::process::kill_process(Pid::from_raw(pid).unwrap(), signal);
}

/// Creates an `embedded` and a `distributed` test for each `async fn(&System)`.
macro_rules! on_both_stacks {
    ($($test:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::support::shared(trainyard_testkit::Stack::Embedded)).await;
            })+
        }
        mod distributed {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::support::shared(trainyard_testkit::Stack::Distributed)).await;
            })+
        }
    };
}
pub(crate) use on_both_stacks;
