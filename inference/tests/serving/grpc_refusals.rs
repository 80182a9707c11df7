//! gRPC calls that are refused: bad tensors and messages, tokens, limits and deadlines. Messages are those of REST.

use futures::StreamExt;
use futures::stream;
use prost::Message;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tonic::{Code, Status};
use trainyard_inference::InferenceConfig;
use trainyard_inference::proto::{InferTensorContents, ModelInferRequest, ModelInferResponse};
use trainyard_testkit::eventually;

use crate::environment::{Environment, RunningRole, TIMEOUT, config};
use crate::grpc_client::{call, call_with, framed, message, path, post, raw};
use crate::models;
use crate::v2_tensors::{bytes_elements, infer, passengers, tensor, with};

async fn refused(role: &RunningRole, request: ModelInferRequest) -> Status {
    call::<_, ModelInferResponse>(role, "ModelInfer", request).await.unwrap_err()
}

fn valid() -> ModelInferRequest {
    message("m", &json!({"inputs": passengers()}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_request_has_the_message_of_rest() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.publish("progression", models::progression()).await;
    let role = environment.serve().await;
    let age = |shape: Value, datatype: &str, data: Value| {
        with("age", json!({"name": "age", "shape": shape, "datatype": datatype, "data": data}))
    };
    let output = |name: &str, parameters: Value| json!({"inputs": passengers(), "outputs": [{"name": name, "parameters": parameters}]});
    let matrix = |shape: Value, datatype: &str, data: Value| json!({"inputs": [{"name": "input", "shape": shape, "datatype": datatype, "data": data}]});
    for (model, body) in [
        ("m", json!({"inputs": []})),
        ("m", with("age", Value::Null)),
        ("m", with("age", tensor("agee", "FP32", &json!([1, 2, 3])))),
        ("m", with("age", tensor("sex", "BYTES", &json!(["a", "b", "c"])))),
        ("m", with("age", tensor("age", "FP32", &json!([1, 2])))),
        ("m", age(json!([3, 2]), "FP32", json!([1, 2, 3, 4, 5, 6]))),
        ("m", age(json!([1, 3]), "FP32", json!([1, 2, 3]))),
        ("m", age(json!([]), "FP32", json!([1]))),
        ("m", age(json!([0]), "FP32", json!([]))),
        ("m", age(json!([-1]), "FP32", json!([1]))),
        ("m", age(json!([4_294_967_296_u64, 4_294_967_296_u64]), "FP32", json!([1]))),
        ("m", age(json!([3]), "BYTES", json!(["1", "2", "3"]))),
        ("m", age(json!([3]), "BOOL", json!([true, true, true]))),
        ("m", age(json!([3]), "FP128", json!([1, 2, 3]))),
        ("m", age(json!([3]), "INT8", json!([1, 2, 128]))),
        ("m", age(json!([3]), "UINT16", json!([1, 2, 70_000]))),
        ("m", with("sex", tensor("sex", "FP32", &json!([1, 2, 3])))),
        (
            "m",
            with(
                "age",
                json!({"name": "age", "shape": [3], "datatype": "FP32", "data": [1, 2, 3], "parameters": {"shared_memory_region": 1}}),
            ),
        ),
        ("m", output("probability", json!({}))),
        ("m", output("predict", json!({"classification": 1}))),
        ("m", json!({"inputs": passengers(), "outputs": [{"name": "predict"}, {"name": "predict"}]})),
        ("progression", matrix(json!([1, 2]), "FP32", json!([1, 2]))),
        ("progression", matrix(json!([3]), "FP32", json!([1, 2, 3]))),
        ("progression", matrix(json!([0, 3]), "FP32", json!([]))),
        ("progression", matrix(json!([1, 3]), "BYTES", json!(["1", "2", "3"]))),
        ("nope", json!({"inputs": passengers()})),
    ] {
        let (status, error) = infer(&role, model, &body).await.v2_error();
        let expected = if status == 404 { Code::NotFound } else { Code::InvalidArgument };
        for request in [message(model, &body), raw_if_known(message(model, &body))] {
            let found = refused(&role, request).await;
            assert_eq!((found.code(), found.message()), (expected, error.as_str()), "{body}");
        }
    }
    let answer: ModelInferResponse = call(&role, "ModelInfer", valid()).await.unwrap();
    assert_eq!(answer.outputs.len(), 2, "the role still works");
}

/// With `raw_input_contents`, unless the test is about what they can't have.
fn raw_if_known(request: ModelInferRequest) -> ModelInferRequest {
    let has_limits = |name: &str| matches!(name, "INT8" | "UINT16" | "FP128");
    let is_sized = |shape: &[i64]| shape.iter().all(|size| (0..1_000).contains(size));
    match request.inputs.iter().any(|tensor| has_limits(&tensor.datatype) || !is_sized(&tensor.shape)) {
        true => request,
        false => raw(request),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_contents_are_refused_by_input_and_element() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let change = |change: &dyn Fn(&mut ModelInferRequest)| {
        let mut request = valid();
        change(&mut request);
        request
    };
    let contents = |datatype: &str, contents: InferTensorContents| {
        change(&|request| {
            request.inputs[1].datatype = datatype.to_owned();
            request.inputs[1].contents = Some(contents.clone());
        })
    };
    let raw_contents = |index: usize, bytes: Vec<u8>| {
        let mut request = raw(valid());
        request.raw_input_contents[index] = bytes;
        request
    };
    let none = InferTensorContents::default;
    let doubles = |values: [f64; 3]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    for (request, parts) in [
        (contents("FP64", none()), vec!["'age'", "[3] with 3 elements, but fp64_contents has 0"]),
        (
            contents("FP32", InferTensorContents { fp64_contents: vec![1.0; 3], ..none() }),
            vec!["'age'", "elements in fp64_contents, but the elements of FP32 belong into fp32_contents"],
        ),
        (contents("FP16", none()), vec!["'age'", "FP16", "raw_input_contents only"]),
        (
            contents("FP64", InferTensorContents { fp64_contents: vec![1.0, f64::INFINITY, 2.0], ..none() }),
            vec!["'age'", "element 1", "finite"],
        ),
        (change(&|request| request.inputs[1].contents = None), vec!["'age'", "fp64_contents has 0"]),
        (
            change(&|request| {
                let texts = [&b"male"[..], b"f\xe9male", b"male"].map(<[u8]>::to_vec).to_vec();
                request.inputs[0].contents = Some(InferTensorContents { bytes_contents: texts, ..none() });
            }),
            vec!["'sex'", "element 1", "not UTF-8"],
        ),
        (raw_contents(0, bytes_elements(&[b"male", b"f\xe9male", b"male"])), vec!["'sex'", "element 1", "not UTF-8"]),
        (raw_contents(0, bytes_elements(&[b"male", b"male"])), vec!["'sex'", "element 2", "no length"]),
        (raw_contents(1, vec![0; 23]), vec!["'age'", "[3] of FP64 with 24 bytes, but raw_input_contents has 23"]),
        (raw_contents(1, doubles([1.0, f64::INFINITY, 2.0])), vec!["'age'", "element 1", "finite"]),
        (
            change(&|request| request.raw_input_contents = vec![vec![], vec![], vec![]]),
            vec!["'sex'", "both contents and raw_input_contents"],
        ),
        (
            {
                let mut request = raw(valid());
                request.raw_input_contents.pop();
                request
            },
            vec!["raw_input_contents has 2 entries for 3 inputs"],
        ),
        (change(&|request| request.model_name.clear()), vec!["model_name is required"]),
    ] {
        let status = refused(&role, request).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        for part in parts {
            assert!(status.message().contains(part), "'{}' does not contain '{part}'", status.message());
        }
    }
    for version in ["7", "first", "0", "-1"] {
        let status = refused(&role, change(&|request| request.model_version = version.to_owned())).await;
        assert!(status.code() == Code::NotFound && status.message().contains(version), "{status:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_no_calls_are_refused() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let infer = &*path("ModelInfer");
    let message = framed(&valid().encode_to_vec());
    let compressed = [&[1], &message[1..]].concat();
    let twice = [&message[..], &message[..]].concat();
    for (path, headers, body, code, part) in [
        (infer, vec![], vec![], "3", "has no message"),
        (infer, vec![], framed(&[0x0a, 0x05, b'm']), "3", "can't be read"),
        (infer, vec![], message[..message.len() - 1].to_vec(), "3", "one message"),
        (infer, vec![], twice, "3", "one message"),
        (infer, vec![("grpc-encoding", "gzip")], compressed, "12", "compressed"),
        (infer, vec![("grpc-timeout", "soon")], message.clone(), "3", "grpc-timeout"),
        (infer, vec![("grpc-timeout", "0n")], message.clone(), "4", "deadline"),
        ("/inference.GRPCInferenceService/ModelStreamInfer", vec![], message.clone(), "12", "ModelStreamInfer"),
        ("/other.Service/Method", vec![], message.clone(), "12", "other.Service/Method"),
    ] {
        let answer = post(&role, path, &headers, body).await;
        assert_eq!((answer.status, answer.header("grpc-status")), (200, code), "{path}: {answer:?}");
        let message = percent_encoding_free(answer.header("grpc-message"));
        assert!(message.contains(part), "{path}: {message}");
        assert!(answer.header("content-type") == "application/grpc" && answer.body.is_empty());
        assert!(!answer.header("x-request-id").is_empty());
    }
    let json = post(&role, infer, &[("content-type", "application/json")], "{}").await;
    assert_eq!((json.status, json.header("content-type")), (415, "application/problem+json"), "no gRPC client");
    let http1 = reqwest::Client::builder().no_proxy().http1_only().build().unwrap();
    let request = http1.post(format!("{}{infer}", role.grpc_url)).header("content-type", "application/grpc");
    let answer = request.bearer_auth(&role.token).body(message).send().await.unwrap();
    assert_eq!(answer.headers()["grpc-status"], "3");
    assert!(answer.headers()["grpc-message"].to_str().unwrap().contains("HTTP/2"));
    // The HTTP listener has no gRPC methods, and says so in the form of gRPC.
    let http2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let request = http2.post(format!("{}{infer}", role.url)).header("content-type", "application/grpc");
    assert_eq!(request.body("").send().await.unwrap().headers()["grpc-status"], "12");
}

/// The messages of this test have no encoded characters.
fn percent_encoding_free(message: &str) -> &str {
    assert!(!message.contains('%'), "{message}");
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn all_but_health_needs_a_token_and_load_an_administrator() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let empty = framed(&[]);
    let admin = ["RepositoryModelLoad", "RepositoryModelUnload"];
    let user = ["ServerMetadata", "ModelReady", "ModelMetadata", "ModelInfer", "ModelStatistics", "RepositoryIndex"];
    for method in user.iter().chain(&admin) {
        for token in ["", "Bearer not.a.token", "Basic YTpi"] {
            let answer = post(&role, &path(method), &[("authorization", token)], empty.clone()).await;
            assert_eq!(answer.header("grpc-status"), "16", "{method} with '{token}'");
            assert!(answer.header("grpc-message").contains("access token"), "{method}");
        }
        let answer = post(&role, &path(method), &[], empty.clone()).await;
        let is_forbidden = answer.header("grpc-status") == "7" && answer.header("grpc-message").contains("admin");
        assert_eq!(is_forbidden, admin.contains(method), "{method}: {answer:?}");
    }
    for path in [path("ServerLive"), path("ServerReady"), "/grpc.health.v1.Health/Check".to_owned()] {
        let answer = post(&role, &path, &[("authorization", "")], empty.clone()).await;
        assert!(answer.status == 200 && answer.header("grpc-status").is_empty() && !answer.body.is_empty(), "{path}");
    }
    let key = format!("ty_{}", "k".repeat(40));
    environment.create_api_key(&key).await;
    let authorization = format!("Bearer {key}");
    let metadata = [("authorization", authorization.as_str())];
    let answer: ModelInferResponse = call_with(&role, "ModelInfer", valid(), &metadata).await.unwrap();
    assert_eq!(answer.model_name, "m", "an API key is a token");
    environment.disable_user().await;
    eventually("the disabled account is refused", TIMEOUT, async || {
        let status = call::<_, ModelInferResponse>(&role, "ModelInfer", valid()).await.err()?;
        (status.code() == Code::Unauthenticated).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_bytes_are_limited_as_for_rest() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let config = InferenceConfig { max_instances: 2, max_body_bytes: 20_000, ..config() };
    let role = environment.start(config, environment.db.clone(), environment.store.clone()).await;
    role.wait_until_serving("m", 1).await;
    let status = refused(&role, valid()).await;
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("must have at most 2 rows, but has 3"), "{status:?}");
    let large = with("sex", tensor("sex", "BYTES", &json!(["x".repeat(20_000)])));
    let status = refused(&role, message("m", &large)).await;
    let (_, error) = infer(&role, "m", &large).await.v2_error();
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, error.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_deadline_passes_is_answered_by_the_server() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    // The message never ends, so only the deadline ends the call.
    let begun = stream::once(async { Ok::<_, std::io::Error>(vec![0_u8]) }).chain(stream::pending());
    let body = reqwest::Body::wrap_stream(begun);
    let infer = path("ModelInfer");
    let call = post(&role, &infer, &[("grpc-timeout", "200m")], body);
    let answer = tokio::time::timeout(TIMEOUT, call).await.unwrap();
    assert_eq!(answer.header("grpc-status"), "4", "{answer:?}");
    assert!(answer.header("grpc-message").contains("200ms"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_flight_is_answered_after_the_listener_has_closed() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let body = framed(&valid().encode_to_vec());
    let (head, tail) = (body[..20].to_vec(), body[20..].to_vec());
    let ((started, has_started), (resume, resumed)) = (oneshot::channel(), oneshot::channel());
    // HTTP/2 polls for the second part after the head and the first part have been passed to the connection.
    let second = stream::once(async move {
        started.send(()).unwrap();
        resumed.await.unwrap();
        Ok::<_, std::io::Error>(tail)
    });
    let first = stream::once(async move { Ok::<_, std::io::Error>(head) });
    let parts = reqwest::Body::wrap_stream(first.chain(second));
    let infer = path("ModelInfer");
    let address = role.grpc_url.trim_start_matches("http://").to_owned();
    let stop = async {
        has_started.await.unwrap();
        role.close();
        eventually("the listener is closed", TIMEOUT, async || TcpStream::connect(&address).await.err()).await;
        resume.send(()).unwrap();
    };
    let (answer, ()) = tokio::join!(post(&role, &infer, &[], parts), stop);
    let message = ModelInferResponse::decode(&answer.body[5..]).unwrap();
    assert_eq!((answer.header("grpc-status"), message.model_name.as_str()), ("", "m"));
}
