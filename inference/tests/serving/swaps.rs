//! Hot swaps under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use trainyard_ml::predict::{Outcome, Predictor};
use trainyard_testkit::eventually;

use crate::bench::{Bench, SOON};
use crate::models;

const REQUESTS: usize = 2_000;
const PUBLISHES: i64 = 20;
const CONNECTIONS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn swaps_fail_nothing_and_never_go_back() {
    let bench = Bench::new().await;
    bench.publish("m", models::survival(0)).await;
    let serving = Arc::new(bench.serve().await);
    let row = json!({"sex": "female", "age": 29, "pclass": 1});
    let expected: Vec<f64> = (0..2).map(|seed| prob(models::survival(seed), &row)).collect();
    assert!((expected[0] - expected[1]).abs() > 1e-9, "the models can be told apart");

    let (done, asked, newest) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicI64::new(1)));
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (serving, row, expected) = (serving.clone(), row.clone(), expected.clone());
            let (done, asked, newest) = (done.clone(), asked.clone(), newest.clone());
            tokio::spawn(async move {
                let mut last = 0;
                while !done.load(Ordering::Relaxed) || asked.load(Ordering::Relaxed) < REQUESTS {
                    // Whatever any client has been answered from before this request began, this one may not undercut.
                    let floor = newest.load(Ordering::SeqCst);
                    let answer = serving.ask(json!({"features": row})).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                    let version = answer.body["version"].as_i64().unwrap();
                    assert!(version >= last && version >= floor, "{version} after {last} and {floor}");
                    let model = usize::try_from(version - 1).unwrap() % 2;
                    assert_eq!(answer.body["prob"], expected[model], "version {version} named, another one answered");
                    last = version;
                    newest.fetch_max(version, Ordering::SeqCst);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();

    let mut visible: Vec<Duration> = Vec::new();
    for i in 1..=PUBLISHES {
        let version = bench.publish("m", models::survival((i % 2) as u64)).await;
        let committed = Instant::now();
        let seen = || (newest.load(Ordering::SeqCst) >= version).then_some(());
        eventually("the new version answers", Duration::from_secs(2), async || seen()).await;
        visible.push(committed.elapsed());
    }
    done.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    visible.sort();
    println!(
        "{} requests, {PUBLISHES} publishes, 0 failed; visible after {:?} (median), {:?} (slowest), looked at every 20 ms",
        asked.load(Ordering::Relaxed),
        visible[visible.len() / 2],
        visible[visible.len() - 1]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_push_is_made_up_for_by_the_poll() {
    let mut bench = Bench::new().await;
    bench.publish("m", models::survival(0)).await;
    let serving = bench.serve().await;
    // From now on announcements go where the role does not listen.
    bench.queue = trainyard_queue::Queue::memory();
    let version = bench.publish("m", models::survival(1)).await;
    let began = Instant::now();
    serving.serves("m", version).await;
    println!("visible by poll alone after {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn pinned_versions_are_bounded_and_come_back_when_asked_for() {
    let bench = Bench::new().await;
    for _ in 0..6 {
        bench.publish_as("m", models::survival(0), models::survival(0), false).await;
    }
    let config = trainyard_inference::InferenceConfig { max_pinned_versions: 2, ..Default::default() };
    let serving = bench.start(config, bench.db.clone(), bench.store.clone()).await;
    serving.serves("m", 1).await;
    for version in [2, 3, 4, 5, 6, 2] {
        let answer = serving.ask(json!({"model": "m", "version": version, "features": {}})).await;
        assert_eq!((answer.status, answer.body["version"].as_i64()), (200, Some(version)), "{answer:?}");
    }
    eventually("three versions are in memory: production and two pins", SOON, async || {
        let index = std::fs::read_to_string(bench.cache_dir().join("index.json")).ok()?;
        let index: serde_json::Value = serde_json::from_str(&index).ok()?;
        let count = |list: &str| index["catalogue"][list].as_array().map(Vec::len);
        (count("served") == Some(1) && count("pinned") == Some(2)).then_some(())
    })
    .await;
}

fn prob(artifact: &[u8], row: &serde_json::Value) -> f64 {
    let predictor = Predictor::load(artifact).unwrap();
    match predictor.predict_one(row.as_object().unwrap()).unwrap().outcome {
        Outcome::Binary { prob, .. } => prob,
        other => panic!("{other:?}"),
    }
}
