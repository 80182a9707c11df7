//! The history of aliases, rollbacks, traffic and guards.

use http::Method;
use serde_json::{Value, json};

use crate::models::publish;
use crate::support::{Api, Caller};

const PRODUCTION: &str = "/models/m/aliases/production";

/// A model `m` with this number of versions, the first of which is `production`.
async fn with_versions(api: &Api, count: usize) -> Caller<'_> {
    let admin = api.admin().await;
    for _ in 0..count {
        publish(api, &admin, "m").await;
    }
    admin
}

async fn put(admin: &Caller<'_>, path: &str, body: Value) -> crate::support::Answer {
    admin.json(Method::PUT, path, body).await
}

async fn roll_back(admin: &Caller<'_>, query: &str) -> crate::support::Answer {
    admin.send(admin.request(Method::POST, &format!("{PRODUCTION}/rollback{query}")), axum::body::Body::empty()).await
}

#[tokio::test]
async fn the_history_lists_every_move_with_who_and_why() {
    let api = Api::start().await;
    let admin = with_versions(&api, 3).await;
    let user = api.user("ada@example.com").await;
    let me = admin.get("/me").await.ok(200)["id"].clone();
    put(&admin, PRODUCTION, json!({"version": 3})).await.ok(200);
    roll_back(&admin, "").await.ok(200);
    let history = user.get(&format!("{PRODUCTION}/history")).await.ok(200);
    let short =
        |one: &Value| json!([one["number"], one["from"], one["to"], one["reason"], one["moved_by"], one["guard"]]);
    assert_eq!(
        json!(history["items"].as_array().unwrap().iter().map(short).collect::<Vec<_>>()),
        json!([
            [3, 3, 1, "rollback", me, null],
            [2, 1, 3, "user", me, null],
            [1, null, 1, "first_version", null, null]
        ])
    );
    let first = user.get(&format!("{PRODUCTION}/history?limit=1")).await.ok(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = user.get(&format!("{PRODUCTION}/history?limit=1&cursor={cursor}")).await.ok(200);
    assert_eq!([&first["items"][0], &next["items"][0]], [&history["items"][0], &history["items"][1]]);
    user.get("/models/none/aliases/production/history").await.problem(404);
    user.get("/models/m/aliases/nobody/history").await.problem(404);
    assert_eq!(user.get(&format!("{PRODUCTION}/history?cursor=x")).await.refused(), ["cursor"]);

    admin.delete("/models/m/versions/1?force=true").await.ok(204);
    let history = user.get(&format!("{PRODUCTION}/history?limit=1")).await.ok(200);
    assert_eq!((&history["items"][0]["to"], &history["items"][0]["reason"]), (&json!(null), &json!("version_deleted")));
}

#[tokio::test]
async fn a_rollback_returns_to_the_version_before() {
    let api = Api::start().await;
    let admin = with_versions(&api, 3).await;
    let problem = roll_back(&admin, "").await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("no version before"), "{problem}");
    for version in [2, 3] {
        put(&admin, PRODUCTION, json!({"version": version})).await.ok(200);
    }
    let problem = roll_back(&admin, "?from=2").await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("points at version 3"), "{problem}");
    let answer = roll_back(&admin, "?from=3").await.ok(200);
    assert_eq!(answer, json!({"name": "m", "alias": "production", "version": 2}));
    admin.delete("/models/m/versions/1").await.ok(204);
    let problem = roll_back(&admin, "").await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("version 1"), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("deleted"), "{problem}");
    assert_eq!(roll_back(&admin, "?from=0").await.refused(), ["from"]);
    assert_eq!(roll_back(&admin, "?to=1").await.refused(), ["to"]);
    let other = admin.request(Method::POST, "/models/m/aliases/nobody/rollback");
    admin.send(other, axum::body::Body::empty()).await.problem(404);
    let trail = admin.get("/admin/audit?action=model.rollback").await.ok(200);
    assert_eq!(
        trail["items"][0]["detail"],
        json!({"alias": "production", "from": 3, "version": 2, "weights_deleted": false})
    );
}

#[tokio::test]
async fn traffic_is_set_read_and_deleted() {
    let api = Api::start().await;
    let admin = with_versions(&api, 4).await;
    let user = api.user("ada@example.com").await;
    let path = "/models/m/traffic";
    let none = user.get(path).await.ok(200);
    assert_eq!(none, json!({"name": "m", "versions": {}, "shadow": [], "guards": [], "updated_at": null}));
    admin.delete(path).await.problem(404);
    let set = put(&admin, path, json!({"versions": {"3": 90, "1": 10.0}, "shadow": [4]})).await.ok(200);
    assert_eq!((&set["versions"], &set["shadow"]), (&json!({"1": 10, "3": 90}), &json!([4])));
    assert!(set["updated_at"].is_string());
    assert_eq!(user.get(path).await.ok(200), set);
    put(&user, path, json!({"versions": {"1": 1}})).await.problem(403);
    let shadow_only = put(&admin, path, json!({"shadow": [2]})).await.ok(200);
    assert_eq!((&shadow_only["versions"], &shadow_only["shadow"]), (&json!({}), &json!([2])));
    admin.delete(path).await.ok(204);
    assert_eq!(user.get(path).await.ok(200), none);
    for missing in ["/models/none/traffic", "/models/No%20Name/traffic"] {
        user.get(missing).await.problem(404);
        put(&admin, missing, json!({"versions": {"1": 1}})).await.problem(404);
    }
    let trail = admin.get("/admin/audit?action=model.*").await.ok(200);
    let actions: Vec<_> = trail["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(json!(actions), json!(["model.traffic_delete", "model.traffic", "model.traffic"]));
    assert_eq!(trail["items"][2]["detail"]["versions"], json!({"1": 10, "3": 90}));
}

#[tokio::test]
async fn invalid_traffic_is_refused_by_field() {
    let api = Api::start().await;
    let admin = with_versions(&api, 2).await;
    let refused = async |body: Value| put(&admin, "/models/m/traffic", body).await.refused();
    assert_eq!(refused(json!({})).await, ["versions"]);
    assert_eq!(
        refused(json!({"versions": {"1": 0, "2": 1.5, "x": 1}})).await,
        ["versions.1", "versions.2", "versions.x"]
    );
    assert_eq!(refused(json!({"versions": {"1": 1, "9": 1}, "shadow": [2, 8]})).await, ["versions.9", "shadow[1]"]);
    assert_eq!(refused(json!({"versions": {"1": 1}, "shadow": [1]})).await, ["shadow[0]"]);
    assert_eq!(refused(json!({"versions": {"1": 1}, "weights": {}})).await, ["weights"]);
    assert_eq!(refused(json!({"versions": [1]})).await, ["versions"]);
    assert_eq!(refused(json!({"versions": {"1": 1}, "shadow": ["2"]})).await, ["shadow[0]"]);
    let request = admin.request(Method::PUT, "/models/m/traffic").header("content-type", "application/json");
    let twice = admin.send(request, r#"{"versions": {"1": 1, "1": 2}}"#).await;
    assert_eq!(twice.refused(), ["versions.1"]);
    assert_eq!(admin.get("/models/m/traffic").await.ok(200)["versions"], json!({}), "nothing is stored");
}

#[tokio::test]
async fn weights_decide_instead_of_production_until_they_are_deleted() {
    let api = Api::start().await;
    let admin = with_versions(&api, 3).await;
    put(&admin, PRODUCTION, json!({"version": 2})).await.ok(200);
    put(&admin, "/models/m/traffic", json!({"versions": {"2": 90, "3": 10}, "shadow": [1]})).await.ok(200);
    for problem in
        [put(&admin, PRODUCTION, json!({"version": 3})).await.problem(409), roll_back(&admin, "").await.problem(409)]
    {
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("2 and 3") && detail.contains("force=true"), "{detail}");
    }
    put(&admin, "/models/m/aliases/candidate", json!({"version": 3})).await.ok(200);
    put(&admin, &format!("{PRODUCTION}?force=true"), json!({"version": 9})).await.problem(422);
    put(&admin, &format!("{PRODUCTION}?force=true"), json!({"version": 3})).await.ok(200);
    let traffic = admin.get("/models/m/traffic").await.ok(200);
    assert_eq!((&traffic["versions"], &traffic["shadow"]), (&json!({}), &json!([1])), "shadows stay");
    put(&admin, PRODUCTION, json!({"version": 2})).await.ok(200);
    put(&admin, "/models/m/traffic", json!({"versions": {"3": 1}})).await.ok(200);
    assert_eq!(roll_back(&admin, "?force=true").await.ok(200)["version"], 3);
    assert_eq!(admin.get("/models/m/traffic").await.ok(200)["versions"], json!({}));
}

#[tokio::test]
async fn versions_in_the_traffic_are_protected() {
    let api = Api::start().await;
    let admin = with_versions(&api, 4).await;
    put(&admin, "/models/m/traffic", json!({"versions": {"2": 90, "3": 10}, "shadow": [4]})).await.ok(200);
    for version in [2, 3, 4] {
        let problem = admin.delete(&format!("/models/m/versions/{version}")).await.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains("2, 3, 4"), "{problem}");
    }
    admin.delete("/models/m/versions/4?force=true").await.ok(204);
    admin.delete("/models/m/versions/3?force=true").await.ok(204);
    let traffic = admin.get("/models/m/traffic").await.ok(200);
    assert_eq!(
        (&traffic["versions"], &traffic["shadow"]),
        (&json!({}), &json!([])),
        "version 2 does not get everything"
    );
    put(&admin, "/models/m/traffic", json!({"shadow": [2]})).await.ok(200);
    admin.delete(PRODUCTION).await.ok(204);
    admin.delete("/models/m").await.problem(409);
    admin.delete("/models/m?force=true").await.ok(204);
}

#[tokio::test]
async fn a_guard_belongs_to_its_move() {
    let api = Api::start().await;
    let admin = with_versions(&api, 3).await;
    let guard = json!({"max_error_rate": 0.05, "max_p99_ms": 50, "for_s": 60, "min_requests": 7});
    assert_eq!(put(&admin, PRODUCTION, json!({"version": 1, "guard": guard})).await.refused(), ["guard"]);
    put(&admin, PRODUCTION, json!({"version": 2, "guard": guard})).await.ok(200);
    let newest = async || admin.get(&format!("{PRODUCTION}/history")).await.ok(200)["items"].clone();
    let items = newest().await;
    let shown = &items[0]["guard"];
    assert_eq!((&shown["version"], &shown["min_requests"], &shown["requests"]), (&json!(2), &json!(7), &json!(0)));
    assert_eq!((&shown["max_error_rate"], &shown["max_p99_ms"]), (&json!(0.05), &json!(50.0)));
    assert_eq!(items[1]["guard"], Value::Null);
    put(&admin, PRODUCTION, json!({"version": 2})).await.ok(200);
    assert_eq!(newest().await[0]["guard"], Value::Null, "without a guard, the former one ends");
    let defaults = json!({"version": 2, "guard": {"max_error_rate": 0}});
    put(&admin, PRODUCTION, defaults).await.ok(200);
    assert_eq!(newest().await[0]["guard"]["min_requests"], 100);

    let fields = async |guard: Value| put(&admin, PRODUCTION, json!({"version": 3, "guard": guard})).await.refused();
    assert_eq!(fields(json!({})).await, ["guard.max_error_rate"]);
    assert_eq!(fields(json!({"max_error_rate": 1})).await, ["guard.max_error_rate"]);
    assert_eq!(fields(json!({"max_p99_ms": 0, "for_s": 0})).await, ["guard.max_p99_ms", "guard.for_s"]);
    assert_eq!(fields(json!({"max_p99_ms": 1, "limit": 1})).await, ["guard.limit"]);
    assert_eq!(fields(json!({"max_p99_ms": "fast"})).await, ["guard.max_p99_ms"]);
}

#[tokio::test]
async fn a_guard_of_weights_watches_the_versions_that_production_does_not_name() {
    let api = Api::start().await;
    let admin = with_versions(&api, 3).await;
    let guard = json!({"max_error_rate": 0.05});
    let set =
        async |versions: Value| put(&admin, "/models/m/traffic", json!({"versions": versions, "guard": guard})).await;
    let traffic = set(json!({"1": 90, "2": 5, "3": 5})).await.ok(200);
    let guarded: Vec<_> = traffic["guards"].as_array().unwrap().iter().map(|guard| guard["version"].clone()).collect();
    assert_eq!(json!(guarded), json!([2, 3]));
    assert_eq!(set(json!({"1": 1})).await.refused(), ["guard"]);
    assert_eq!(admin.get("/models/m/traffic").await.ok(200), traffic);
    put(&admin, "/models/m/traffic", json!({"versions": {"2": 1}, "guard": {}})).await.problem(422);
    admin.delete(PRODUCTION).await.ok(204);
    assert_eq!(set(json!({"2": 1})).await.refused(), ["guard"]);
    let plain = put(&admin, "/models/m/traffic", json!({"versions": {"2": 1}})).await.ok(200);
    assert_eq!(plain["guards"], json!([]));
}

#[tokio::test]
async fn a_guarded_promotion_is_checked_at_the_submission() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let job = |auto_promote: Value| json!({"name": "m", "algorithm": "random_forest", "features": ["sex"], "auto_promote": auto_promote});
    let accepted = admin.post("/training", job(json!({"metric": "roc_auc"}))).await.ok(202);
    let view = admin.get(accepted["status_url"].as_str().unwrap()).await.ok(200);
    assert_eq!(view["spec"]["auto_promote"], json!({"metric": "roc_auc", "min_improvement": 0.0}));
    let refused = async |auto_promote: Value| admin.post("/training", job(auto_promote)).await.refused();
    assert_eq!(refused(json!({"metric": "auc"})).await, ["auto_promote.metric"]);
    assert_eq!(refused(json!({"metric": "rmse"})).await, ["auto_promote.metric"]);
    assert_eq!(refused(json!({"metric": "f1", "min_improvement": -1})).await, ["auto_promote.min_improvement"]);
    assert_eq!(refused(json!({"min_improvement": 1})).await, ["auto_promote.metric"]);
    assert_eq!(refused(json!({"metric": "f1", "by": 1})).await, ["auto_promote.by"]);
    let bulk = json!({"jobs": [job(json!({"metric": "f1"})), job(json!({"metric": "mae"}))]});
    assert_eq!(admin.post("/training/bulk", bulk).await.refused(), ["jobs[1].auto_promote.metric"]);
    let schedule =
        json!({"name": "s", "cron": "@daily", "spec": job(json!({"metric": "log_loss", "min_improvement": 0.01}))});
    let created = admin.post("/schedules", schedule).await.ok(201);
    assert_eq!(created["spec"]["auto_promote"], json!({"metric": "log_loss", "min_improvement": 0.01}));
    let plain = admin.post("/training", json!({"name": "m", "algorithm": "svm", "features": ["sex"]})).await.ok(202);
    let view = admin.get(plain["status_url"].as_str().unwrap()).await.ok(200);
    assert_eq!(view["spec"]["auto_promote"], Value::Null);
}
