//! gRPC requests follow the traffic of a model, and are copied, logged and counted as those of REST.

use serde_json::json;
use tonic::Code;
use trainyard_domain::traffic::{assign, draw_of_key};
use trainyard_inference::proto::ModelInferResponse;
use trainyard_telemetry::catalogue::{
    HTTP_REQUEST_DURATION_SECONDS, HTTP_REQUESTS_TOTAL, INFERENCE_REQUESTS_TOTAL, INFERENCE_SHADOW_ROWS_TOTAL,
};
use trainyard_testkit::eventually;

use crate::environment::{Environment, RunningRole, TIMEOUT};
use crate::grpc_client::{call_with, message, raw};
use crate::models;
use crate::request_log::{all_logged, lines};
use crate::v2_tensors::{infer, passengers};

/// The version that answers a request with this further metadata.
async fn version(role: &RunningRole, model: &str, metadata: (&'static str, &str)) -> String {
    let authorization = format!("Bearer {}", role.token);
    let metadata = [("authorization", authorization.as_str()), metadata];
    let request = message(model, &json!({"inputs": passengers()}));
    call_with::<_, ModelInferResponse>(role, "ModelInfer", request, &metadata).await.unwrap().model_version
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_key_in_the_metadata_has_the_version_of_rest() {
    let environment = Environment::new().await;
    for seed in 0..2 {
        environment.publish_as("m", models::survival(seed), models::survival(seed), false).await;
    }
    let weights = [(1, 70), (2, 30)];
    environment.set_traffic("m", &weights, &[]).await;
    let role = environment.serve().await;
    let mut second = 0;
    for key in (0..60).map(|n| format!("customer-{n}")) {
        let expected = weights[assign(draw_of_key("m", key.as_bytes()), weights.iter().copied()).unwrap()].0;
        assert_eq!(role.version_for("m", &key).await, expected, "{key}");
        assert_eq!(version(&role, "m", ("x-trainyard-request-key", &key)).await, expected.to_string(), "{key}");
        second += usize::from(expected == 2);
    }
    assert!((1..60).contains(&second), "both versions answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_version_gets_copies() {
    let environment = Environment::new().await;
    let model = "copied-over-grpc";
    for seed in 0..2 {
        environment.publish_as(model, models::survival(seed), models::survival(seed), false).await;
    }
    environment.set_traffic(model, &[], &[2]).await;
    let role = environment.serve().await;
    let authorization = format!("Bearer {}", role.token);
    let metadata = [("authorization", authorization.as_str())];
    let request = message(model, &json!({"inputs": passengers()}));
    for request in [request.clone(), raw(request)] {
        let answer: ModelInferResponse = call_with(&role, "ModelInfer", request, &metadata).await.unwrap();
        assert_eq!(answer.model_version, "1");
    }
    let labels = format!("model=\"{model}\",version=\"2\"");
    let compared = || {
        let of = |outcome: &str| {
            environment.counter_value(INFERENCE_SHADOW_ROWS_TOTAL, &format!("{labels},outcome=\"{outcome}\""))
        };
        assert_eq!(of("failed"), 0.0);
        of("agreed") + of("disagreed")
    };
    eventually("the copies are compared", TIMEOUT, async || (compared() == 6.0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_log_has_the_rows() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve_with(all_logged()).await;
    let authorization = format!("Bearer {}", role.token);
    let request = message("m", &json!({"inputs": passengers()}));
    for (id, request) in [("typed", request.clone()), ("raw", raw(request))] {
        let metadata = [("authorization", authorization.as_str()), ("x-request-id", id)];
        call_with::<_, ModelInferResponse>(&role, "ModelInfer", request, &metadata).await.unwrap();
    }
    let rest = infer(&role, "m", &json!({"inputs": passengers()})).await;
    let rest_id = rest.header("x-request-id").to_owned();
    role.stop().await;
    let lines = lines(&environment).await;
    assert_eq!(lines.len(), 3);
    for id in ["typed", "raw"] {
        assert_eq!(lines[id].len(), 3, "{id}");
        for (line, expected) in lines[id].iter().zip(&lines[&rest_id]) {
            assert_eq!(
                (&line["features"], &line["prediction"]),
                (&expected["features"], &expected["prediction"]),
                "{id}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_by_method_with_the_status_of_rest() {
    let environment = Environment::new().await;
    let model = "counted-over-grpc";
    environment.publish(model, models::survival(0)).await;
    let role = environment.serve().await;
    let route = "route=\"/inference.GRPCInferenceService/ModelInfer\"";
    let counted = |status: u16| environment.counter_value(HTTP_REQUESTS_TOTAL, &format!("{route},status=\"{status}\""));
    let before = [200, 400, 404].map(counted);
    assert_eq!(version(&role, model, ("x-note", "1")).await, "1");
    let authorization = format!("Bearer {}", role.token);
    let metadata = [("authorization", authorization.as_str())];
    for (name, inputs, code) in
        [(model, json!([]), Code::InvalidArgument), ("no-such-model", passengers(), Code::NotFound)]
    {
        let request = message(name, &json!({"inputs": inputs}));
        let status = call_with::<_, ModelInferResponse>(&role, "ModelInfer", request, &metadata).await.unwrap_err();
        assert_eq!(status.code(), code);
    }
    // Other tests count the same statuses at the same time.
    for (status, before) in [200, 400, 404].into_iter().zip(before) {
        assert!(counted(status) > before, "{status}");
    }
    let duration = environment.series(&format!("{HTTP_REQUEST_DURATION_SECONDS}_count"), route);
    assert!(!duration.is_empty());
    let outcome = |outcome: &str| {
        let labels = format!("model=\"{model}\",version=\"1\",outcome=\"{outcome}\"");
        environment.counter_value(INFERENCE_REQUESTS_TOTAL, &labels)
    };
    assert_eq!((outcome("answered"), outcome("refused")), (1.0, 1.0));
}
