//! The history of aliases, rollbacks, weights, shadow versions, guards and guarded promotions.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use trainyard_domain::traffic::{assign, draw_of_key};
use trainyard_testkit::{Answer, Client, System, distributed_settings, eventually, unique};

use crate::support::{BINARY, metric, on_both_stacks, quick_job};

on_both_stacks!(
    a_rollback_returns_to_the_version_before,
    requests_are_distributed_by_weight_and_keys_stay,
    weights_are_in_effect_until_they_are_deleted,
    a_shadow_version_is_compared_and_never_returned,
    versions_in_the_traffic_are_not_deleted,
    a_new_version_is_promoted_only_if_it_is_better,
    a_slow_version_is_rolled_back_automatically,
);

const LIMIT: Duration = Duration::from_secs(20);

/// Trains versions of a new model; the first one is `production`.
async fn trained(admin: &Client, prefix: &str, versions: usize) -> String {
    let name = unique(prefix);
    for seed in 0..versions {
        let mut job = quick_job(&name);
        job["seed"] = json!(seed);
        admin.trained(job).await;
    }
    name
}

fn request(name: &str) -> Value {
    json!({"model": name, "features": {"sex": "male", "age": 40, "pclass": 3}})
}

/// Requests a prediction with a request key from the inference role at `url`.
async fn with_key(client: &Client, url: &str, name: &str, key: &str) -> Answer {
    let http = reqwest::Client::new().post(format!("{url}/inference")).bearer_auth(client.token());
    client.send(http.header("x-trainyard-request-key", key).json(&request(name))).await
}

async fn version_for(client: &Client, url: &str, name: &str, key: &str) -> i64 {
    with_key(client, url, name, key).await.expect(200)["version"].as_i64().unwrap()
}

/// The version of a key by the rule of the domain.
fn expected(name: &str, key: &str, weights: &[(i64, u32)]) -> i64 {
    weights[assign(draw_of_key(name, key.as_bytes()), weights.iter().copied()).unwrap()].0
}

async fn set_weights(admin: &Client, name: &str, weights: &[(i64, u32)]) {
    let versions: BTreeMap<_, _> = weights.iter().map(|(version, weight)| (version.to_string(), weight)).collect();
    admin.put(&format!("/models/{name}/traffic"), json!({"versions": versions})).await.expect(200);
}

/// Waits until every version answers a key of its own at `url`.
async fn until_distributed(client: &Client, url: &str, name: &str, weights: &[(i64, u32)]) {
    for (version, _) in weights {
        let key = (0..).map(|n| format!("wait-{n}")).find(|key| expected(name, key, weights) == *version).unwrap();
        eventually(&format!("version {version} answers"), LIMIT, async || {
            (version_for(client, url, name, &key).await == *version).then_some(())
        })
        .await;
    }
}

async fn a_rollback_returns_to_the_version_before(system: &System) {
    let admin = system.client().admin().await;
    let name = trained(&admin, "rollback", 3).await;
    let production = format!("/models/{name}/aliases/production");
    let roll_back = async |query: &str| admin.post(&format!("{production}/rollback{query}"), Value::Null).await;
    roll_back("").await.problem(409);
    for version in [2, 3] {
        admin.put(&production, json!({"version": version})).await.expect(200);
        admin.served(request(&name), &json!(version)).await;
    }
    assert_eq!(roll_back("?from=3").await.expect(200)["version"], 2);
    admin.served(request(&name), &json!(2)).await;
    roll_back("?from=3").await.problem(409);
    assert_eq!(roll_back("").await.expect(200)["version"], 1);
    admin.served(request(&name), &json!(1)).await;
    let history = admin.get(&format!("{production}/history")).await.expect(200);
    let moves: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|one| json!([one["to"], one["reason"]])).collect();
    assert_eq!(json!(moves), json!([[1, "rollback"], [2, "rollback"], [3, "user"], [2, "user"], [1, "first_version"]]));
    let user = system.client().user().await;
    user.get(&format!("{production}/history")).await.expect(200);
    user.post(&format!("{production}/rollback"), Value::Null).await.problem(403);
}

async fn requests_are_distributed_by_weight_and_keys_stay(system: &System) {
    let admin = system.client().admin().await;
    let name = trained(&admin, "weights", 2).await;
    let (before, after) = ([(1, 80), (2, 20)], [(1, 80), (2, 80)]);
    set_weights(&admin, &name, &before).await;
    let url = admin.inference_url().to_owned();
    until_distributed(&admin, &url, &name, &before).await;
    let keys: Vec<_> = (0..200).map(|n| format!("customer-{n}")).collect();
    let versions = async || join_all(keys.iter().map(|key| version_for(&admin, &url, &name, key))).await;
    let first = versions().await;
    let by_rule = |weights: &[(i64, u32)]| keys.iter().map(|key| expected(&name, key, weights)).collect::<Vec<_>>();
    assert_eq!(first, by_rule(&before));
    let second = first.iter().filter(|version| **version == 2).count();
    assert!((15..70).contains(&second), "{second} of 200 keys have the version with 20 %");

    set_weights(&admin, &name, &after).await;
    let moving = keys.iter().find(|key| expected(&name, key, &before) != expected(&name, key, &after)).unwrap();
    eventually("the new weights are effective", LIMIT, async || {
        (version_for(&admin, &url, &name, moving).await == 2).then_some(())
    })
    .await;
    let then = versions().await;
    assert_eq!(then, by_rule(&after));
    assert!(
        first.iter().zip(&then).all(|(before, after)| before == after || *after == 2),
        "keys move to version 2 only"
    );
}

async fn weights_are_in_effect_until_they_are_deleted(system: &System) {
    let admin = system.client().admin().await;
    let name = trained(&admin, "until", 2).await;
    let (traffic, production) = (format!("/models/{name}/traffic"), format!("/models/{name}/aliases/production"));
    set_weights(&admin, &name, &[(2, 1)]).await;
    admin.served(request(&name), &json!(2)).await;
    let mut named = request(&name);
    named["alias"] = json!("production");
    assert_eq!(admin.infer(named).await.expect(200)["version"], 1);
    admin.put(&production, json!({"version": 2})).await.problem(409);
    admin.delete(&traffic).await.expect(204);
    admin.served(request(&name), &json!(1)).await;
    set_weights(&admin, &name, &[(1, 1), (2, 1)]).await;
    admin.put(&format!("{production}?force=true"), json!({"version": 2})).await.expect(200);
    admin.served(request(&name), &json!(2)).await;
    assert_eq!(admin.get(&traffic).await.expect(200)["versions"], json!({}));
    admin
        .put(&traffic, json!({"versions": {"1": 0, "7": 1}, "shadow": [8], "guard": {"max_error_rate": 2}}))
        .await
        .refused(&["versions.1", "guard.max_error_rate", "versions.7", "shadow[0]"]);
    let missing = format!("/models/{name}-missing/traffic");
    admin.put(&missing, json!({"versions": {"1": 0}})).await.refused(&["versions.1"]);
    admin.put(&missing, json!({"versions": {"1": 1}})).await.problem(404);
    admin
        .put(&traffic, json!({"versions": {"1": 1, "7": 1}, "shadow": [8]}))
        .await
        .refused(&["versions.7", "shadow[0]"]);
    system.client().user().await.put(&traffic, json!({"versions": {"1": 1}})).await.problem(403);
}

async fn a_shadow_version_is_compared_and_never_returned(system: &System) {
    let admin = system.client().admin().await;
    let name = trained(&admin, "shadow", 2).await;
    admin.put(&format!("/models/{name}/traffic"), json!({"shadow": [2]})).await.expect(200);
    let compared = async || {
        let text = reqwest::get(format!("{}/metrics", admin.inference_url())).await.unwrap().text().await.unwrap();
        let rows = |outcome: &str| {
            let labels = format!("{{model=\"{name}\",version=\"2\",outcome=\"{outcome}\"}}");
            metric(&text, &format!("trainyard_inference_shadow_rows_total{labels}")).unwrap_or(0.0)
        };
        rows("agreed") + rows("disagreed")
    };
    eventually("copies are compared", LIMIT, async || {
        let answer = admin.infer(request(&name)).await;
        // The role may not have loaded the first version yet.
        assert!(answer.status != 200 || answer.body["version"] == 1, "{answer:?}");
        (compared().await >= 10.0).then_some(())
    })
    .await;
}

async fn versions_in_the_traffic_are_not_deleted(system: &System) {
    let admin = system.client().admin().await;
    let name = trained(&admin, "protected", 3).await;
    admin.put(&format!("/models/{name}/traffic"), json!({"versions": {"2": 1}, "shadow": [3]})).await.expect(200);
    for version in [2, 3] {
        admin.delete(&format!("/models/{name}/versions/{version}")).await.problem(409);
    }
    admin.delete(&format!("/models/{name}/versions/2?force=true")).await.expect(204);
    admin.served(request(&name), &json!(1)).await;
    let traffic = admin.get(&format!("/models/{name}/traffic")).await.expect(200);
    assert_eq!((&traffic["versions"], &traffic["shadow"]), (&json!({}), &json!([3])));
}

async fn a_new_version_is_promoted_only_if_it_is_better(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("promoted");
    let job = |n_trees: u32, metric: &str| {
        let mut job = quick_job(&name);
        job["params"]["n_trees"] = json!(n_trees);
        job["auto_promote"] = json!({"metric": metric});
        job
    };
    let first = admin.trained(job(1, "log_loss")).await;
    assert_eq!(first["metrics"]["promotion"]["promoted"], true, "{first}");
    let same = admin.trained(job(1, "log_loss")).await;
    let message = same["metrics"]["promotion"]["message"].as_str().unwrap();
    assert!(message.starts_with("not promoted: log_loss") && message.ends_with("of version 1"), "{message}");
    let better = admin.trained(job(50, "log_loss")).await;
    assert_eq!(better["metrics"]["promotion"]["promoted"], true, "{better}");
    admin.served(request(&name), &json!(3)).await;
    let history = admin.get(&format!("/models/{name}/aliases/production/history")).await.expect(200);
    assert_eq!((&history["items"][0]["reason"], &history["items"][0]["to"]), (&json!("guarded_promotion"), &json!(3)));
    assert_eq!(history["items"][0]["detail"], better["metrics"]["promotion"]["message"]);
    admin.post("/training", job(1, "auc")).await.refused(&["auto_promote.metric"]);
    admin.post("/training", job(1, "rmse")).await.refused(&["auto_promote.metric"]);
}

async fn a_slow_version_is_rolled_back_automatically(system: &System) {
    let admin = system.client().admin().await;
    let name = trained(&admin, "guarded", 2).await;
    let production = format!("/models/{name}/aliases/production");
    // Every prediction takes longer than a nanosecond.
    let guard = json!({"max_p99_ms": 0.000_001, "for_s": 600, "min_requests": 5});
    admin.put(&production, json!({"version": 2, "guard": guard})).await.expect(200);
    let history = eventually("the alias returns", LIMIT, async || {
        admin.infer(request(&name)).await;
        let history = admin.get(&format!("{production}/history")).await.expect(200);
        (history["items"][0]["reason"] == "automatic_rollback").then_some(history)
    })
    .await;
    let newest = &history["items"][0];
    assert_eq!((&newest["from"], &newest["to"], &newest["moved_by"]), (&json!(2), &json!(1), &json!(null)));
    assert!(newest["detail"].as_str().unwrap().contains("max_p99_ms"), "{newest}");
    admin.served(request(&name), &json!(1)).await;
    let trail =
        admin.get(&format!("/admin/audit?subject=model:{name}&action=model.automatic_rollback")).await.expect(200);
    assert_eq!(trail["items"][0]["detail"]["returned_to"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_the_same_version_at_both_replicas() {
    let start = || {
        let roles = ["api", "inference", "inference", "worker"];
        System::start_roles(BINARY, &roles, distributed_settings())
    };
    let system = tokio::task::spawn_blocking(start).await.unwrap();
    let admin = system.client().admin().await;
    let name = trained(&admin, "replicas", 2).await;
    let weights = [(1, 60), (2, 40)];
    set_weights(&admin, &name, &weights).await;
    let urls: Vec<_> = system.urls().into_iter().filter(|(role, _)| *role == "inference").map(|(_, url)| url).collect();
    for url in &urls {
        until_distributed(&admin, url, &name, &weights).await;
    }
    for n in 0..100 {
        let key = format!("customer-{n}");
        for url in &urls {
            assert_eq!(version_for(&admin, url, &name, &key).await, expected(&name, &key, &weights), "{key} at {url}");
        }
    }
}
