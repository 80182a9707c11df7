//! `POST /training` without database and queue: the same route table, authentication, middleware, validation and
//! response. The upper limit of the route if storing a job were free.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use trainyard_domain::spec::{Draft, LearningOptions};
use trainyard_domain::user::AccountSecurity;
use trainyard_domain::{
    Clock, ColumnProfile, Dataset, DatasetId, DatasetName, Dtype, Email, IndexedDataset, Job, Role, TableFormat, User,
    UserId,
};
use trainyard_http::auth::{Authenticator, DisabledUsers, Jwt, PrincipalCheck};
use trainyard_http::ops::Ops;
use trainyard_http::{Json, Principal, Problem, Routes, ServerConfig};
use trainyard_telemetry::{LogFormat, Metrics, init_logs};
use trainyard_testkit::{JWT_SECRET, default_settings};
use utoipa_axum::routes;

/// The body of `POST /training`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Body {
    name: String,
    algorithm: String,
    features: Vec<String>,
    dataset: String,
    target: String,
    #[serde(default)]
    #[schema(value_type = Object)]
    params: Map<String, Value>,
    #[serde(default)]
    priority: i64,
    run_at: Option<DateTime<Utc>>,
    seed: u64,
}

/// The body of the 202.
#[derive(Debug, Serialize)]
struct Accepted {
    job_id: String,
    status: &'static str,
    status_url: String,
}

/// Serves the route until the process ends.
///
/// # Errors
/// If the port is in use.
pub(crate) async fn serve(port: u16) -> anyhow::Result<()> {
    init_logs(LogFormat::Json, "info")?;
    let check = PrincipalCheck::Claims(DisabledUsers::default());
    let authenticator = Authenticator::new(Arc::new(jwt()?), Clock::system(), check);
    let routes = Routes::new().user(routes!(submit)).with_state(Arc::new(titanic()?));
    let server: ServerConfig = default_settings("server");
    let router = routes.merge(Ops::new(Metrics::install()?).routes()).into_router(authenticator, server.requests());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(trainyard_http::serve::serve(listener, router, CancellationToken::new(), Duration::ZERO, server.connections())
        .await?)
}

/// An access token for this route and the peers, like the tokens of `POST /login`.
///
/// # Errors
/// If signing fails.
pub(crate) fn token() -> anyhow::Result<String> {
    let now = Utc::now();
    let user = User {
        id: UserId::at(now),
        email: Email::parse("bench@example.com").map_err(anyhow::Error::msg)?,
        password_hash: String::new(),
        role: Role::Admin,
        disabled: false,
        created_at: now,
        security: AccountSecurity::default(),
    };
    Ok(jwt()?.issue(&user, now)?)
}

fn jwt() -> anyhow::Result<Jwt> {
    Ok(Jwt::new(JWT_SECRET.as_bytes(), "trainyard", "trainyard", chrono::Duration::hours(2))?)
}

#[utoipa::path(post, path = "/training", operation_id = "submit_job", responses((status = 202)))]
async fn submit(
    State(dataset): State<Arc<IndexedDataset>>,
    principal: Principal,
    Json(body): Json<Body>,
) -> Result<Response, Problem> {
    if body.dataset != dataset.name.as_str() {
        return Err(Problem::field("dataset", "is not the name of a dataset"));
    }
    let draft = Draft {
        name: body.name,
        algorithm: body.algorithm,
        features: body.features,
        target: body.target,
        learning: LearningOptions::default(),
        params: body.params,
        priority: body.priority,
        run_at: body.run_at,
        auto_promote: None,
        max_attempts: 3,
        timeout_s: 3600,
        webhook_url: None,
        seed: body.seed,
    };
    let spec = draft.validate(Some(&dataset)).map_err(Problem::validation)?;
    let job = Job::submitted(spec, dataset.id, principal.user_id, None, Utc::now());
    let status_url = format!("/training/{}", job.id);
    let location = HeaderValue::from_str(&status_url).map_err(Problem::internal)?;
    let headers = [(header::LOCATION, location), (header::RETRY_AFTER, HeaderValue::from_static("1"))];
    let answer = Accepted { job_id: job.id.to_string(), status: "queued", status_url };
    Ok((StatusCode::ACCEPTED, headers, Json(answer)).into_response())
}

/// The parts of the built-in dataset's profile that the validation uses.
fn titanic() -> anyhow::Result<IndexedDataset> {
    let column = |name: &str, dtype: Dtype| ColumnProfile {
        distinct: 2,
        values_digest: name.to_owned(),
        partition_digest: name.to_owned(),
        ..ColumnProfile::new(name, dtype)
    };
    let now = Utc::now();
    let dataset = Dataset {
        id: DatasetId::at(now),
        name: DatasetName::parse("titanic").map_err(anyhow::Error::msg)?,
        version: 1,
        rows: 1309,
        bytes: 0,
        columns: vec![
            column("sex", Dtype::Category),
            column("age", Dtype::Number),
            column("pclass", Dtype::Number),
            column("survived", Dtype::Number),
        ],
        format: TableFormat::default(),
        duplicate_rows: 0,
        suggested_target: None,
        suggested_task: None,
        sha256: String::new(),
        storage_key: String::new(),
        warnings: Vec::new(),
        created_by: None,
        created_at: now,
    };
    Ok(dataset.into())
}
