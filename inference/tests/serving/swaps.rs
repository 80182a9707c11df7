//! Replacing versions under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use trainyard_ml::predict::{Outcome, Predictor};
use trainyard_testkit::eventually;

use crate::environment::{Environment, TIMEOUT, config};
use crate::models;

const REQUESTS: usize = 2_000;
const PUBLISHES: i64 = 20;
const CONNECTIONS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_fails_during_swaps_and_versions_never_decrease() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = Arc::new(environment.serve().await);
    let row = json!({"sex": "female", "age": 29, "pclass": 1});
    let expected: Vec<f64> = (0..2).map(|seed| prob(models::survival(seed), &row)).collect();
    assert!((expected[0] - expected[1]).abs() > 1e-9, "the models have different predictions");

    let (done, requests, newest) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicI64::new(1)));
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (role, row, expected) = (role.clone(), row.clone(), expected.clone());
            let (done, requests, newest) = (done.clone(), requests.clone(), newest.clone());
            tokio::spawn(async move {
                let mut last = 0;
                while !done.load(Ordering::Relaxed) || requests.load(Ordering::Relaxed) < REQUESTS {
                    // Versions must be monotonic over all clients: at least the newest version answered before this
                    // request.
                    let floor = newest.load(Ordering::SeqCst);
                    let answer = role.predict(json!({"features": row})).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                    let version = answer.body["version"].as_i64().unwrap();
                    assert!(version >= last && version >= floor, "{version} after {last} and {floor}");
                    let model = usize::try_from(version - 1).unwrap() % 2;
                    assert_eq!(
                        answer.body["prob"], expected[model],
                        "the response names version {version}, but another version predicted"
                    );
                    last = version;
                    newest.fetch_max(version, Ordering::SeqCst);
                    requests.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();

    let mut visible: Vec<Duration> = Vec::new();
    for i in 1..=PUBLISHES {
        let version = environment.publish("m", models::survival((i % 2) as u64)).await;
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
        "{} requests, {PUBLISHES} publishes, 0 failed; visible after {:?} (median), {:?} (slowest), polled every 20 ms",
        requests.load(Ordering::Relaxed),
        visible[visible.len() / 2],
        visible[visible.len() - 1]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_finds_a_version_whose_push_was_lost() {
    let mut environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    // From now on push messages go to a queue that the role does not use.
    environment.queue = trainyard_queue::Queue::memory();
    let version = environment.publish("m", models::survival(1)).await;
    let began = Instant::now();
    role.wait_until_serving("m", version).await;
    println!("visible by poll alone after {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_pinned_versions_is_limited_and_an_unloaded_one_loads_again() {
    let environment = Environment::new().await;
    for _ in 0..6 {
        environment.publish_as("m", models::survival(0), models::survival(0), false).await;
    }
    let config = trainyard_inference::InferenceConfig { max_pinned_versions: 2, ..config() };
    let role = environment.start(config, environment.db.clone(), environment.store.clone()).await;
    role.wait_until_serving("m", 1).await;
    for version in [2, 3, 4, 5, 6, 2] {
        let answer = role.predict(json!({"model": "m", "version": version, "features": {}})).await;
        assert_eq!((answer.status, answer.body["version"].as_i64()), (200, Some(version)), "{answer:?}");
    }
    eventually("three versions are in memory: production and two pins", TIMEOUT, async || {
        let index = std::fs::read_to_string(environment.cache_dir().join("index.json")).ok()?;
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
