//! A start of the inference role while all servers that it uses are unavailable.

use std::time::Duration;

use serde_json::json;
use trainyard_testkit::{Stack, System, eventually, unique};

use crate::support::{BINARY, quick_job};

#[tokio::test(flavor = "multi_thread")]
async fn the_inference_role_restarts_from_its_cache_without_database_redis_and_object_store() {
    let mut system = tokio::task::spawn_blocking(|| System::start(BINARY, Stack::Distributed)).await.unwrap();
    let admin = system.client().admin().await;
    let name = unique("cold");
    admin.trained(quick_job(&name)).await;
    let request = json!({"model": name, "features": {"sex": "female", "age": 29, "pclass": 1}});
    let before = admin.served(request.clone(), &json!(1)).await;
    let role = system.roles("inference")[0];
    let index = system.work_folder(role).join("models/index.json");
    eventually("the version is in the cache", Duration::from_secs(10), async || {
        std::fs::read_to_string(&index).is_ok_and(|index| index.contains(&name)).then_some(())
    })
    .await;

    system.kill(role);
    for (setting, nowhere) in [
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"),
        ("REDIS_URL", "redis://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ] {
        system.set(setting, nowhere);
    }
    let system = tokio::task::spawn_blocking(move || {
        system.resume(role);
        system.wait_ready(role);
        system
    })
    .await
    .unwrap();
    let after = admin.infer(request).await.expect(200);
    assert_eq!(after, before);
    let report = system.client_of(role).get("/health/ready").await.expect(200);
    assert_eq!(report["status"], "degraded", "{report}");
    for server in ["database", "queue", "object_store"] {
        assert_eq!(report["checks"][server]["status"], "failed", "{report}");
    }
}
