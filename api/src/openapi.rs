//! The OpenAPI document, made from the route table, and the page that shows the document.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use trainyard_http::{Problem, Route, Routes};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{LicenseBuilder, OpenApi, RefOr};
use utoipa_axum::routes;
use utoipa_swagger_ui::Config;

const DESCRIPTION: &str = "A self-hosted training service for tabular models: upload a CSV, post a training job, watch \
it, predict with the version it publishes.\n\nSign in with `POST /login` and send the access token as `Authorization: \
Bearer …`; scripts and services send an API key of `POST /api-keys` instead. Errors are `application/problem+json` (RFC 9457) with a `code` from a closed list. Lists take `limit` and \
`cursor` and answer `{items, next_cursor}`, newest first.";

const TAGS: &[(&str, &str)] = &[
    ("accounts", "Sign-up, sign-in and sign-out; API keys."),
    ("administration", "All accounts, and the audit trail."),
    ("datasets", "CSV files with a profile of their columns."),
    ("training", "Jobs: submit, watch, cancel, retry."),
    ("predictions", "Jobs that predict the rows of a dataset."),
    ("schedules", "Jobs that are submitted repeatedly."),
    ("queue", "Queued jobs and active workers."),
    ("webhooks", "Deliveries to the `webhook_url` of finished jobs."),
    ("models", "Model versions, the aliases and the traffic that select the served versions."),
    ("inference", "Predictions."),
    ("operations", "Health checks and metrics."),
    ("documentation", "This document."),
];

/// Adds the description of the API, its tags and the documentation routes to the document of the route table.
pub fn describe(mut document: OpenApi) -> OpenApi {
    document.merge(pages().openapi());
    document.info.description = Some(DESCRIPTION.to_owned());
    document.info.license = Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build());
    let tags = TAGS.iter().map(|(name, about)| TagBuilder::new().name(*name).description(Some(*about)).build());
    document.tags = Some(tags.collect());
    // A browser session sends its token in a cookie. An attribute of a handler can't make a body optional.
    for path in ["/refresh", "/logout"] {
        let operation = document.paths.paths.get_mut(path).and_then(|item| item.post.as_mut());
        if let Some(RefOr::T(body)) = operation.and_then(|operation| operation.request_body.as_mut()) {
            body.required = None;
        }
    }
    document
}

/// Adds `/openapi.json`, which returns `document`, and `/docs`, which shows the document. The document covers all roles, also
/// in a process that serves one role.
pub fn with_documentation(routes: Routes, document: &OpenApi) -> Routes {
    let json = document.to_json().unwrap_or_default();
    // By default the viewer sends the URL of the document to a validator on the internet.
    let viewer = Arc::new(Config::from("/openapi.json").validator_url("none"));
    let served = Served { json: json.into(), viewer };
    routes.merge(pages().with_state(served))
}

fn pages() -> Routes<Served> {
    Routes::new()
        .anon(routes!(openapi_json))
        .anon(Route::undocumented("/docs", get(|| async { Redirect::permanent("/docs/") })))
        .anon(Route::undocumented("/docs/", get(index)))
        .anon(Route::undocumented("/docs/{*file}", get(file)))
}

#[derive(Clone)]
struct Served {
    json: Bytes,
    viewer: Arc<Config<'static>>,
}

/// This document.
///
/// The OpenAPI 3.1 document of this server.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "documentation",
    responses((status = 200, description = "The document.", body = Object))
)]
async fn openapi_json(State(served): State<Served>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, served.json).into_response()
}

async fn index(State(served): State<Served>) -> Result<Response, Problem> {
    show("", served)
}

async fn file(State(served): State<Served>, Path(name): Path<String>) -> Result<Response, Problem> {
    show(&name, served)
}

/// A file of the viewer, which is embedded in the binary. [`PAGE_HEADERS`] forbid the page to load anything else.
fn show(name: &str, served: Served) -> Result<Response, Problem> {
    let found = utoipa_swagger_ui::serve(name, served.viewer).map_err(|error| Problem::internal(error.to_string()))?;
    let file =
        found.ok_or_else(|| Problem::not_found("this page does not exist; the documentation begins at /docs/"))?;
    let content_type = HeaderValue::from_str(&file.content_type).map_err(Problem::internal)?;
    // The files have megabytes; slow clients share one copy.
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let mut response = (StatusCode::OK, bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.extend(PAGE_HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    Ok(response)
}

/// A person pastes a bearer token into the page. No other site may frame the page or run scripts in it, and the page may
/// connect to this server only.
const PAGE_HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "max-age=600"),
];
