//! Hostile input: invalid, large or encoded headers and bodies, and more connections than file descriptors.

use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trainyard_testkit::{Client, Stack, System, eventually, unique};

use crate::support::{BINARY, on_both_stacks};

on_both_stacks!(
    every_role_raises_its_limit_on_open_files,
    every_role_requires_one_host_header,
    only_uploads_may_be_compressed,
    responses_with_tokens_or_personal_data_are_not_cached,
    the_documentation_page_has_strict_security_headers,
    a_duplicate_field_name_is_refused,
    all_fields_of_a_wrong_type_are_reported_together,
    malformed_requests_get_client_errors,
);

fn address(url: &str) -> &str {
    url.strip_prefix("http://").unwrap()
}

/// The response of the server at `url` to these bytes.
async fn exchange(url: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address(url)).await.unwrap();
    // The server may answer and close the connection before it has read all bytes.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn every_role_raises_its_limit_on_open_files(system: &System) {
    for (role, (name, _)) in system.urls().into_iter().enumerate() {
        assert!(system.log(role).contains("raised the limit on open files"), "{name}");
    }
}

async fn every_role_requires_one_host_header(system: &System) {
    for (role, url) in system.urls() {
        for hosts in ["connection: close\r\n", "host: a\r\nhost: b\r\nconnection: close\r\n"] {
            let answer = exchange(&url, format!("GET /health HTTP/1.1\r\n{hosts}\r\n").as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("Host header"), "{role}: {answer}");
        }
    }
}

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

async fn only_uploads_may_be_compressed(system: &System) {
    let admin = system.client().admin().await;
    let send = async |path: &str, kind: &str, encoding: &str, body: Vec<u8>| {
        let request = admin.request(reqwest::Method::POST, path).header("content-type", kind);
        admin.send(request.header("content-encoding", encoding).body(body)).await
    };
    for path in ["/login", "/training", "/training/bulk", "/schedules", "/queue/pause"] {
        let answer = send(path, "application/json", "gzip", gzip("{}")).await;
        assert_eq!(answer.header("accept-encoding"), "identity", "{path}");
        assert!(answer.problem(415)["detail"].as_str().unwrap().contains("Content-Encoding gzip"), "{path}");
    }
    let upload = format!("/datasets?name={}", unique("packed"));
    let refused = send(&upload, "text/csv", "br", b"x".to_vec()).await;
    assert_eq!(refused.header("accept-encoding"), "gzip, identity");
    refused.problem(415);
    send(&upload, "text/csv", "gzip", gzip("a,b\n1,2\n3,4\n")).await.expect(201);
}

async fn responses_with_tokens_or_personal_data_are_not_cached(system: &System) {
    let admin = system.client().admin().await;
    let wrong = json!({"email": "nobody@example.com", "password": "wrong password"});
    assert_eq!(system.client().post("/login", wrong).await.header("cache-control"), "no-store");
    for path in ["/me", "/admin/users", "/admin/audit", "/training", "/nowhere"] {
        assert_eq!(admin.get(path).await.header("cache-control"), "no-store", "{path}");
    }
    assert_eq!(system.client().get("/me").await.header("cache-control"), "no-store");
}

async fn the_documentation_page_has_strict_security_headers(system: &System) {
    for path in ["/docs/", "/docs/swagger-ui.css", "/docs/swagger-initializer.js"] {
        let page = system.client().get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
    }
    let settings = system.client().get("/docs/swagger-initializer.js").await.expect(200);
    assert!(settings.as_str().unwrap().contains(r#""validatorUrl": "none""#), "{settings}");
}

async fn raw_json(client: &Client, url: &str, body: impl Into<reqwest::Body>) -> trainyard_testkit::Answer {
    let request = reqwest::Client::new().post(url).bearer_auth(client.token());
    client.send(request.header("content-type", "application/json").body(body)).await
}

async fn a_duplicate_field_name_is_refused(system: &System) {
    let admin = system.client().admin().await;
    let (predict, train) = (format!("{}/inference", admin.inference_url()), format!("{}/training", admin.api_url()));
    raw_json(&admin, &predict, r#"{"features": {"age": 1, "age": 2}}"#).await.refused(&["features.age"]);
    raw_json(&admin, &predict, r#"{"features": {}, "features": {}}"#).await.refused(&["features"]);
    raw_json(&admin, &predict, r#"{"instances": [{"age": 1, "age": 2}]}"#).await.refused(&["instances[0].age"]);
    raw_json(&admin, &predict, r#"{"features": {"age": {"a": 1, "a": 2}}}"#).await.refused(&["features.age.a"]);
    let job = |more: &str| format!(r#"{{"name": "m", "algorithm": "svm", "features": ["*"], {more}}}"#);
    for (more, field) in [
        (r#""name": "b""#, "name"),
        (r#""params": {"c": 1, "c": 2}"#, "params.c"),
        (r#""params": {"c": {"d": 1, "d": 2}}"#, "params.c.d"),
    ] {
        raw_json(&admin, &train, job(more)).await.refused(&[field]);
    }
    let bulk = format!("{train}/bulk");
    let jobs = format!(r#"{{"jobs": [{}, {}]}}"#, job(r#""seed": 1"#), job(r#""params": {"c": 1, "c": 2}"#));
    raw_json(&admin, &bulk, jobs).await.refused(&["jobs[1].params.c"]);
    let schedule = format!("{}/schedules", admin.api_url());
    let body = format!(r#"{{"name": "s", "cron": "0 3 * * *", "spec": {}}}"#, job(r#""params": {"c": 1, "c": 2}"#));
    raw_json(&admin, &schedule, body).await.refused(&["spec.params.c"]);
}

async fn all_fields_of_a_wrong_type_are_reported_together(system: &System) {
    let admin = system.client().admin().await;
    let (predict, train) = (format!("{}/inference", admin.inference_url()), format!("{}/training", admin.api_url()));
    let body = json!({"name": 1, "features": "sex", "priority": "high", "run_at": "soon", "params": [], "retries": 3});
    let fields = ["features", "name", "params", "priority", "retries", "run_at", "algorithm"];
    raw_json(&admin, &train, body.to_string()).await.refused(&fields);
    let body = json!({"model": 1, "version": "two", "features": [], "explain": 0});
    raw_json(&admin, &predict, body.to_string()).await.refused(&["explain", "features", "model", "version"]);
    let body = json!({"email": 1, "password": null, "token": "x"});
    raw_json(&admin, &format!("{}/login", admin.api_url()), body.to_string())
        .await
        .refused(&["email", "password", "token"]);
}

async fn malformed_requests_get_client_errors(system: &System) {
    let admin = system.client().admin().await;
    let train = format!("{}/training", admin.api_url());
    let deep = |open: &str| format!("{{\"params\": {}", open.repeat(100_000));
    for body in [
        deep("[").into_bytes(),
        deep("{\"a\":").into_bytes(),
        b"{\"name\": \"\xff\xfe\"}".to_vec(),
        b"{\"seed\": 1e999}".to_vec(),
        format!("{{\"seed\": {}}}", "9".repeat(100_000)).into_bytes(),
        format!("{{\"{}\": 1}}", "x".repeat(500_000)).into_bytes(),
        b"\0".repeat(1_000),
    ] {
        let answer = raw_json(&admin, &train, body).await;
        assert!([400, 413, 422].contains(&answer.status), "{answer:?}");
        assert!(answer.body.to_string().len() < 32 * 1024, "{}", answer.body.to_string().len());
    }
    let url = admin.api_url();
    let host = format!("host: {}\r\nconnection: close\r\n", address(url));
    for head in [
        format!("GET /{} HTTP/1.1\r\n{host}\r\n", "p".repeat(50_000)),
        format!("GET /health?{} HTTP/1.1\r\n{host}\r\n", "q".repeat(50_000)),
        format!("GET /training?limit={} HTTP/1.1\r\n{host}\r\n", "9".repeat(20_000)),
        format!("GET /%00%ff HTTP/1.1\r\n{host}\r\n"),
        format!("GET /training/../../etc/passwd HTTP/1.1\r\n{host}\r\n"),
        format!("POST /login HTTP/1.1\r\n{host}expect: 200-ok\r\ncontent-length: 5\r\n\r\n"),
        format!(
            "POST /login HTTP/1.1\r\n{host}expect: 100-continue\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\n"
        ),
        format!("GET /health HTTP/1.1\r\n{host}upgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
        "BREW / HTCPCP/1.0\r\n\r\n".to_owned(),
    ] {
        let answer = exchange(url, head.as_bytes()).await;
        let shown = &head[..head.len().min(60)];
        assert!(answer.starts_with("HTTP/1.1 ") && !answer.starts_with("HTTP/1.1 5"), "{shown}: {answer}");
        assert!(answer.len() < 32 * 1024, "{shown}: {}", answer.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_recovers_from_file_descriptor_exhaustion() {
    let system = own_system();
    let open = || std::fs::read_dir(format!("/proc/{}/fd", system.pid(0))).unwrap().count();
    let pid = Pid::from_raw(i32::try_from(system.pid(0)).unwrap()).unwrap();
    let limit = Some(open() as u64 + 20);
    let before = prlimit(Some(pid), Resource::Nofile, Rlimit { current: limit, maximum: limit }).unwrap();
    let url = system.client().api_url().to_owned();
    let mut clients = Vec::new();
    for _ in 0..60 {
        clients.push(TcpStream::connect(address(&url)).await.unwrap());
    }
    eventually("the limit is met", Duration::from_secs(20), async || {
        system.log(0).contains("failed to accept a connection").then_some(())
    })
    .await;
    drop(clients);
    system.client().get("/health").await.expect(200);
    assert!(system.log(0).matches("failed to accept a connection").count() < 30, "a line a second at most");
    let _ = prlimit(Some(pid), Resource::Nofile, before);
}

fn own_system() -> System {
    std::thread::scope(|scope| scope.spawn(|| System::start(BINARY, Stack::Embedded)).join().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_a_maximum_size_and_a_missing_model_is_named() {
    let system = own_system();
    let admin = system.client().admin().await;
    let nothing = admin.infer(json!({"features": {"age": 3}})).await.problem(404);
    assert!(nothing["detail"].as_str().unwrap().contains("no model has been published yet"), "{nothing}");

    let columns: Vec<_> = (0..1_000).map(|i| format!("{i:0100}")).collect();
    // Every column splits the rows differently from the target.
    let row = |row: u32| (0..1_000).map(|i| ((i + row / 2) % 2).to_string()).collect::<Vec<_>>().join(",");
    let rows: Vec<_> = (0..4).map(|i| format!("{},{}\n", row(i), i % 2)).collect();
    admin.upload("wide", format!("{},y\n{}", columns.join(","), rows.concat())).await.expect(201);
    let job = json!({
        "name": "wide", "algorithm": "decision_tree", "dataset": "wide", "target": "y", "features": columns,
        "run_at": "2999-01-01T00:00:00Z"
    });
    for _ in 0..10 {
        admin.post("/training/bulk", json!({"jobs": vec![job.clone(); 10]})).await.expect(202);
    }
    let (mut path, mut seen, mut pages) = ("/training?limit=100".to_owned(), 0, 0);
    loop {
        let page = admin.get(&path).await.expect(200);
        assert!(page.to_string().len() < 5 << 20);
        (seen, pages) = (seen + page["items"].as_array().unwrap().len(), pages + 1);
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/training?limit=100&cursor={cursor}"),
            None => break,
        }
    }
    assert!(seen == 100 && pages > 2, "{seen} jobs on {pages} pages");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_arrives_is_answered_408() {
    let settings = [("TRAINYARD__SERVER__BODY_PAUSE_S", "1")];
    let start = || System::start_with(BINARY, Stack::Embedded, 1, &settings);
    let system = std::thread::scope(|scope| scope.spawn(start).join().unwrap());
    let admin = system.client().admin().await;
    let url = admin.api_url();
    let bearer = format!("host: t\r\nauthorization: Bearer {}\r\ncontent-length: 60000\r\n", admin.token());
    for (path, kind) in
        [("/login", "application/json"), ("/training", "application/json"), ("/datasets?name=slow", "text/csv")]
    {
        let head = format!("POST {path} HTTP/1.1\r\n{bearer}content-type: {kind}\r\n\r\n{{");
        let mut stream = TcpStream::connect(address(url)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(read.is_ok() && answer.starts_with("HTTP/1.1 408") && answer.contains("request_timeout"), "{answer}");
    }
}
