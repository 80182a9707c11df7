//! A small role with one route of each kind, and its client.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;
use trainyard_domain::user::AccountSecurity;
use trainyard_domain::{Clock, Email, JobId, Role, User, UserId};
use trainyard_http::auth::{DisabledUsers, Jwt, PrincipalCheck};
use trainyard_http::page::{PageParams, Search};
use trainyard_http::routes::Limits;
use trainyard_http::{Authenticator, Json, List, Page, Path, Principal, Problem, Query, Route, Routes, ServerConfig};
use utoipa_axum::routes;

pub(crate) const SECRET: &[u8] = b"a secret of thirty-two bytes, ok";
pub(crate) const UPLOAD_BYTES: usize = 64;

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    name: String,
    #[serde(default)]
    params: Option<Params>,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    run_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    n_trees: u8,
    #[serde(default)]
    ratio: f64,
    #[serde(default)]
    kind: Option<Kind>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Small,
    Large,
}

#[derive(Debug, Serialize, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Filter {
    kind: Option<Kind>,
    wait_s: Option<u8>,
}

/// Makes an order.
#[utoipa::path(post, path = "/orders", request_body = Order, responses((status = 200, body = Order), (status = 409, description = "Taken")))]
async fn order(Json(order): Json<Order>) -> Json<Order> {
    Json(order)
}

#[utoipa::path(get, path = "/things/{id}", params(("id" = uuid::Uuid, Path)), responses((status = 200)))]
async fn thing(Path(id): Path<JobId>) -> String {
    id.to_string()
}

#[utoipa::path(delete, path = "/things/{id}", params(("id" = uuid::Uuid, Path)), responses((status = 204)))]
async fn forget(Path(_id): Path<JobId>) -> StatusCode {
    StatusCode::NO_CONTENT
}

#[utoipa::path(get, path = "/me", responses((status = 200)))]
async fn me(principal: Principal) -> String {
    format!("{} {}", principal.email, principal.role.as_str())
}

#[utoipa::path(get, path = "/numbers", params(PageParams), responses((status = 200, body = List<u32>)))]
async fn numbers(page: Page<u32>) -> Json<List<u32>> {
    let below = page.cursor.unwrap_or(45);
    let rows: Vec<u32> = (0..below).rev().take(usize::try_from(page.fetch()).unwrap()).collect();
    Json(page.list(rows, |number| *number, |number| number))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Document {
    id: u32,
    text: String,
}

/// Ten documents of 1.5 MB.
#[utoipa::path(get, path = "/documents", params(PageParams), responses((status = 200, body = List<Document>)))]
async fn documents(page: Page<u32>) -> Json<List<Document>> {
    let below = page.cursor.unwrap_or(10);
    let rows: Vec<u32> = (0..below).rev().take(usize::try_from(page.fetch()).unwrap()).collect();
    Json(page.list(rows, |id| *id, |id| Document { id, text: "x".repeat(1_500_000) }))
}

#[utoipa::path(get, path = "/search", params(PageParams, Filter), responses((status = 200)))]
async fn search(Search { filter, page }: Search<Filter, u32>) -> Json<Value> {
    Json(serde_json::json!({"filter": filter, "limit": page.limit}))
}

#[utoipa::path(get, path = "/watch", params(Filter), responses((status = 200)))]
async fn watch(Query(filter): Query<Filter>) -> Json<Filter> {
    Json(filter)
}

#[utoipa::path(post, path = "/uploads", request_body(content = String, content_type = "text/csv"), responses((status = 200)))]
async fn upload(body: Body) -> Result<String, Problem> {
    let bytes = to_bytes(body, usize::MAX).await.map_err(|error| Problem::unreadable_body(&error))?;
    Ok(bytes.len().to_string())
}

/// A route with the errors of the Open Inference Protocol.
#[utoipa::path(post, path = "/v2/orders/{id}", params(("id" = uuid::Uuid, Path)), request_body = Order, responses((status = 200)))]
async fn v2_order(Path(_id): Path<JobId>, Json(order): Json<Order>) -> Json<Order> {
    Json(order)
}

#[utoipa::path(get, path = "/panic", responses((status = 200)))]
async fn panics() {
    panic!("the secret is hunter2");
}

#[utoipa::path(get, path = "/broken", responses((status = 200)))]
async fn broken() -> Problem {
    Problem::internal("SELECT * FROM users failed")
}

#[utoipa::path(get, path = "/away", responses((status = 200)))]
async fn away() -> Problem {
    Problem::unavailable("the database", "10.0.0.7:5432 refused")
}

#[utoipa::path(get, path = "/stuck", responses((status = 200)))]
async fn stuck() {
    std::future::pending::<()>().await;
}

/// The default settings of the server.
pub(crate) fn settings() -> ServerConfig {
    trainyard_testkit::default_settings("server")
}

pub(crate) fn routes() -> Routes {
    Routes::new()
        .anon(routes!(order))
        .anon(routes!(thing))
        .admin(routes!(forget))
        .user(routes!(me))
        .anon(routes!(numbers))
        .anon(routes!(documents))
        .anon(routes!(search))
        .anon(routes!(watch))
        .admin(Route::new(routes!(upload)).body_limit(UPLOAD_BYTES))
        .admin(routes!(v2_order))
        .anon(routes!(panics))
        .anon(routes!(broken))
        .anon(routes!(away))
        .anon(Route::new(routes!(stuck)).timeout(Duration::from_millis(10)))
}

pub(crate) fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 31, 12, 0, 0).unwrap()
}

pub(crate) fn jwt() -> Jwt {
    Jwt::new(SECRET, "trainyard", "trainyard-api", TimeDelta::hours(1)).unwrap()
}

pub(crate) fn person(role: Role) -> User {
    User {
        id: UserId::at(start()),
        email: Email::parse(&format!("{}@example.com", role.as_str())).unwrap(),
        password_hash: String::new(),
        role,
        disabled: false,
        created_at: start(),
        security: AccountSecurity::default(),
    }
}

pub(crate) fn token(role: Role) -> String {
    jwt().issue(&person(role), start()).unwrap()
}

pub(crate) fn authenticator() -> Authenticator {
    let check = PrincipalCheck::Claims(DisabledUsers::default());
    Authenticator::new(Arc::new(jwt()), Clock::manual(start()), check)
}

/// The role with these limits.
pub(crate) fn app_with(limits: Limits) -> Router {
    routes().into_router(authenticator(), limits)
}

/// The role and its clock, which starts at noon on 2026-01-31.
pub(crate) fn at_noon() -> (Router, Clock) {
    let clock = Clock::manual(start());
    let check = PrincipalCheck::Claims(DisabledUsers::default());
    (routes().into_router(Authenticator::new(Arc::new(jwt()), clock.clone(), check), settings().requests()), clock)
}

pub(crate) fn app() -> Router {
    at_noon().0
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}")).to_str().unwrap()
    }

    /// The code of a well-formed problem document.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("content-length"), self.text.len().to_string());
        let document = self.json();
        assert_eq!(document["status"], self.status);
        assert_eq!(document["request_id"], self.header("x-request-id"));
        assert!(!document["title"].as_str().unwrap().is_empty() && !document["detail"].as_str().unwrap().is_empty());
        let code = document["code"].as_str().unwrap().to_owned();
        assert_eq!(document["type"], format!("urn:trainyard:problem:{code}"));
        code
    }

    /// `field: message` of each field error of a 422.
    #[track_caller]
    pub(crate) fn refused(&self) -> Vec<String> {
        assert_eq!((self.status, self.problem().as_str()), (422, "validation_failed"), "{self:?}");
        let errors = self.json()["errors"].clone();
        let line = |e: &Value| format!("{}: {}", e["field"].as_str().unwrap(), e["message"].as_str().unwrap());
        errors.as_array().unwrap().iter().map(line).collect()
    }
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

pub(crate) fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path)
}

pub(crate) async fn get(path: &str) -> Answer {
    send(app(), request("GET", path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn call_as(role: Role, method: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {}", token(role));
    send(app(), request(method, path).header(AUTHORIZATION, bearer).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post_json(body: impl Into<Body>) -> Answer {
    let request = request("POST", "/orders").header(CONTENT_TYPE, "application/json").body(body.into()).unwrap();
    send(app(), request).await
}
