//! An HTTP client for tests: a path, a body, the expected status.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::events::EventStream;
use crate::system::{ADMIN_EMAIL, ADMIN_PASSWORD};
use crate::unique;
use crate::wait::eventually;

/// A client of one system, signed in or anonymous.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    api: String,
    inference: String,
    token: Option<String>,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    /// The request, for assertion messages.
    pub request: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body: JSON, or a string if it is not JSON.
    pub body: Value,
}

impl Answer {
    /// Returns the body. Panics if the status is not `status`.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{} answered {}", self.request, self.body);
        self.body
    }

    /// Returns the body after checking that it is a valid problem document with this status.
    pub fn problem(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{} answered {}", self.request, self.body);
        let content_type = self.header("content-type");
        assert_eq!(content_type, "application/problem+json", "{}: {}", self.request, self.body);
        for key in ["type", "title", "detail", "code", "request_id"] {
            assert!(self.body[key].is_string(), "{}: no {key} in {}", self.request, self.body);
        }
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        self.body
    }

    /// Checks that the response is a 422 for exactly these fields.
    pub fn refused(self, fields: &[&str]) {
        let request = self.request.clone();
        let body = self.problem(422);
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let named: Vec<_> = errors.iter().filter_map(|error| error["field"].as_str()).collect();
        assert_eq!(named, fields, "{request}: {body}");
    }

    /// The value of a header; empty if absent.
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }
}

impl Client {
    pub(crate) fn new(api: String, inference: String) -> Self {
        trainyard_tls::install_provider();
        // One request per connection, because tests restart servers.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(Duration::from_secs(90));
        Self { http: http.build().unwrap(), api, inference, token: None }
    }

    /// The base URL of the API.
    pub fn api_url(&self) -> &str {
        &self.api
    }

    /// The base URL of the inference role.
    pub fn inference_url(&self) -> &str {
        &self.inference
    }

    /// A client with this access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// A signed-in client.
    pub async fn signed_in(&self, email: &str, password: &str) -> Self {
        let answer = self.post("/login", json!({"email": email, "password": password})).await.expect(200);
        self.with_token(answer["access_token"].as_str().unwrap())
    }

    /// A client of the administrator.
    pub async fn admin(&self) -> Self {
        self.signed_in(ADMIN_EMAIL, ADMIN_PASSWORD).await
    }

    /// A client of a new user.
    pub async fn user(&self) -> Self {
        let email = format!("{}@example.com", unique("user"));
        self.post("/signup", json!({"email": email, "password": "long enough"})).await.expect(201);
        self.signed_in(&email, "long enough").await
    }

    /// Sends a GET request to the API.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a DELETE request to the API.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Sends a POST request with JSON to the API, without a body if `body` is null.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path);
        self.send(if body.is_null() { request } else { request.json(&body) }).await
    }

    /// Sends a PUT request with JSON to the API.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// Sends a PATCH request with JSON to the API.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    /// Sends a POST request with JSON to the inference role.
    pub async fn infer(&self, body: Value) -> Answer {
        let request = self.authorised(self.http.post(format!("{}/inference", self.inference)));
        self.send(request.json(&body)).await
    }

    /// Uploads a CSV as a dataset.
    pub async fn upload(&self, name: &str, csv: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, &format!("/datasets?name={name}"));
        self.send(request.header("content-type", "text/csv").body(csv)).await
    }

    /// Submits a training job and returns its id.
    pub async fn submit(&self, body: Value) -> String {
        self.post("/training", body).await.expect(202)["job_id"].as_str().unwrap().to_owned()
    }

    /// Waits until the job has finished, and returns it.
    pub async fn finished(&self, job: &str) -> Value {
        eventually(&format!("job {job} ends"), Duration::from_secs(120), async || {
            let view = self.get(&format!("/training/{job}?wait_s=5")).await.expect(200);
            let status = view["status"].as_str().unwrap();
            matches!(status, "succeeded" | "failed" | "cancelled").then_some(view)
        })
        .await
    }

    /// Opens a job's event stream, from the beginning or after the event `last_id`.
    pub async fn events(&self, job: &str, last_id: Option<&str>) -> EventStream {
        let request = self.request(Method::GET, &format!("/training/{job}/events"));
        let request = last_id.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let response = request.send().await.unwrap_or_else(|error| panic!("events of {job}: {error:?}"));
        assert_eq!(response.status(), 200, "events of {job}");
        EventStream::new(response)
    }

    /// Submits a job, waits for it, and checks that it succeeded.
    pub async fn trained(&self, body: Value) -> Value {
        let job = self.submit(body).await;
        let view = self.finished(&job).await;
        assert_eq!(view["status"], "succeeded", "{view}");
        view
    }

    /// Waits until the inference role answers with this version, and returns the prediction.
    pub async fn served(&self, body: Value, version: &Value) -> Value {
        eventually(&format!("version {version} is served"), Duration::from_secs(10), async || {
            let answer = self.infer(body.clone()).await;
            (answer.status == 200 && &answer.body["version"] == version).then_some(answer.body)
        })
        .await
    }

    /// Builds a request to the API.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.authorised(self.http.request(method, format!("{}{path}", self.api)))
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Sends a request that may fail.
    ///
    /// # Errors
    /// If no complete response was received.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let request = request.build()?;
        let name = format!("{} {}", request.method(), request.url());
        let answer = self.http.execute(request).await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await?;
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| text());
        Ok(Answer { request: name, status, headers, body })
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

/// The status of a GET request without an async runtime; `None` without a response.
pub(crate) fn get_blocking(url: &str) -> Option<u16> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head[9..]).ok()?.parse().ok()
}
