//! `POST /inference` without a model: axum parses the same body and answers a constant, on the same HTTP server with the same
//! settings. The upper limit of the route if authentication, prediction, metrics and access log were free.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use trainyard_http::ServerConfig;
use trainyard_testkit::default_settings;

/// The body of `POST /inference`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    model: String,
    features: Option<Map<String, Value>>,
    instances: Option<Vec<Map<String, Value>>>,
}

/// The constant for one row.
#[derive(Debug, Clone, Copy, Serialize)]
struct Prediction {
    prob: f64,
    label: bool,
}

#[derive(Debug, Serialize)]
struct One<'a> {
    #[serde(flatten)]
    prediction: Prediction,
    model: &'a str,
    version: i64,
}

#[derive(Debug, Serialize)]
struct Many<'a> {
    predictions: Vec<Prediction>,
    model: &'a str,
    version: i64,
}

const CONSTANT: Prediction = Prediction { prob: 0.731_058_578_630_004_9, label: true };

/// Serves the route until the process ends.
///
/// # Errors
/// If the port is in use.
pub(crate) async fn serve(port: u16) -> anyhow::Result<()> {
    let router = Router::new().route("/health/ready", get(|| async { "ok" })).route("/inference", post(infer));
    let server: ServerConfig = default_settings("server");
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(trainyard_http::serve::serve(listener, router, CancellationToken::new(), Duration::ZERO, server.connections())
        .await?)
}

async fn infer(body: Bytes) -> Result<Response, StatusCode> {
    let body: Body = serde_json::from_slice(&body).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
    let model = body.model.as_str();
    let answer = match (body.features, body.instances) {
        (Some(_), None) => serde_json::to_vec(&One { prediction: CONSTANT, model, version: 1 }),
        (None, Some(rows)) => serde_json::to_vec(&Many { predictions: vec![CONSTANT; rows.len()], model, version: 1 }),
        _ => return Err(StatusCode::UNPROCESSABLE_ENTITY),
    };
    let answer = answer.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], answer).into_response())
}
