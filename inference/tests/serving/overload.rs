//! The limit on prediction requests in flight.

use futures::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use trainyard_inference::InferenceConfig;
use trainyard_storage::{Db, PoolOptions};
use trainyard_telemetry::catalogue::INFERENCE_REQUESTS_TOTAL;
use trainyard_testkit::eventually;

use crate::environment::{Environment, RunningRole, TIMEOUT, config};
use crate::models;

const OVERLOADED: &str = "outcome=\"overloaded\"";

async fn role_for_one_request(environment: &Environment) -> RunningRole {
    environment.publish("m", models::survival(0)).await;
    environment.serve_with(InferenceConfig { max_in_flight: 1, ..config() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overload_is_answered_503_and_counted_and_probes_are_answered() {
    let environment = Environment::new().await;
    let role = role_for_one_request(&environment).await;
    let before = environment.counter_value(INFERENCE_REQUESTS_TOTAL, OVERLOADED);
    let refused = eventually("some of many concurrent requests are refused", TIMEOUT, async || {
        let predictions = join_all((0..64).map(|_| role.predict(json!({"features": {"age": 3}}))));
        let probes = join_all(["/health", "/health/ready", "/v2/health/ready"].map(|path| role.get(path)));
        let (answers, probes) = tokio::join!(predictions, probes);
        assert!(probes.iter().all(|(status, _)| *status == 200), "{probes:?}");
        let (answered, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        for answer in &refused {
            assert_eq!((answer.status, answer.retry_after.as_deref()), (503, Some("1")), "{answer:?}");
        }
        assert!(!answered.is_empty(), "the process continues to answer");
        (!refused.is_empty()).then_some(refused)
    })
    .await;
    assert_eq!(refused[0].body["code"], "unavailable");
    assert!(environment.counter_value(INFERENCE_REQUESTS_TOTAL, OVERLOADED) - before >= refused.len() as f64);
    assert_eq!(role.predict(json!({"features": {"age": 3}})).await.status, 200, "refusals end with the overload");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_two_hundred_requests_to_an_idle_pool_is_answered() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let address = role.url.strip_prefix("http://").unwrap();
    let body = json!({"features": {"age": 3}}).to_string();
    let request = format!(
        "POST /inference HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        role.token,
        body.len()
    );
    let mut clients = Vec::new();
    for _ in 0..200 {
        clients.push(TcpStream::connect(address).await.unwrap());
    }
    for client in &mut clients {
        client.write_all(request.as_bytes()).await.unwrap();
    }
    for mut client in clients {
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_bodies_do_not_use_up_the_limit() {
    let environment = Environment::new().await;
    let role = role_for_one_request(&environment).await;
    let address = role.url.strip_prefix("http://").unwrap();
    let head = format!(
        "POST /inference HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 60000\r\n\r\n{{",
        role.token
    );
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(head.as_bytes()).await.unwrap();
        slow.push(client);
    }
    eventually("a complete request is answered", TIMEOUT, async || {
        (role.predict(json!({"features": {"age": 3}})).await.status == 200).then_some(())
    })
    .await;
    drop(slow);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_for_a_version_do_not_use_up_the_limit() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.serve().await.stop().await;
    // A database that accepts connections and never answers: a lookup ends at its timeout of two seconds.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://nobody@{}/none", silent.local_addr().unwrap());
    let db = Db::connect_lazily(&url, &PoolOptions::default()).unwrap();
    let config = InferenceConfig { max_in_flight: 1, ..config() };
    let role = environment.start(config, db, environment.store.clone()).await;
    role.wait_until_serving("m", 1).await;

    let unknown = json!({"model": "m", "version": 9, "features": {}});
    let waiting = join_all((0..20).map(|_| role.predict(unknown.clone())));
    let others = eventually("twenty other requests are answered", TIMEOUT, async || {
        for _ in 0..20 {
            if role.predict(json!({"model": "m", "features": {}})).await.status != 200 {
                return None;
            }
        }
        Some(())
    });
    tokio::select! {
        answers = waiting => panic!("the other requests were not answered meanwhile: {answers:?}"),
        () = others => {}
    }
}
