//! The console in a browser: the files that `make web` builds, embedded in the binary.
//!
//! `/` and every page below `/console/` answer the same HTML page, which routes in the browser. The API keeps all other
//! paths, so no path has two meanings.

mod file;

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use serde::Serialize;
use trainyard_http::{Problem, Route, Routes};

pub use file::File;

/// The console of this build; empty when the build had no `web/dist`.
pub const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

const INDEX: &str = "index.html";
/// Shown where the binary was built without the console.
const NOT_BUILT: &str = include_str!("not_built.html");

/// Facts that the console needs; anyone can read them.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Settings {
    /// Whether everybody may create an account.
    pub signup_open: bool,
    /// Most bytes of a dataset, after decompression.
    pub max_dataset_bytes: u64,
    /// The version of Trainyard.
    pub version: &'static str,
}

/// The routes of the console with these files.
pub fn routes(files: &'static [File], settings: Settings) -> Routes {
    let settings = serde_json::to_vec(&settings).unwrap_or_default().into();
    let table: Routes<Console> = Routes::new()
        .anon(Route::undocumented("/", get(index)))
        .anon(Route::undocumented("/console", get(|| async { Redirect::permanent("/console/") })))
        .anon(Route::undocumented("/console/", get(index)))
        .anon(Route::undocumented("/console/settings.json", get(settings_json)))
        .anon(Route::undocumented("/console/{*path}", get(path)));
    table.with_state(Console { files, settings })
}

#[derive(Clone)]
struct Console {
    files: &'static [File],
    settings: Bytes,
}

impl Console {
    fn page(&self, headers: &HeaderMap) -> Response {
        match self.files.iter().find(|file| file.name == INDEX) {
            Some(file) => secured(file.response(headers)),
            None => {
                let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
                secured((StatusCode::OK, headers, NOT_BUILT).into_response())
            }
        }
    }
}

async fn index(State(console): State<Console>, headers: HeaderMap) -> Response {
    console.page(&headers)
}

async fn settings_json(State(console): State<Console>) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    (headers, console.settings).into_response()
}

/// A file of the console; its page for the navigation of a browser; 404 for every other request.
async fn path(
    State(console): State<Console>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(file) = console.files.iter().find(|file| file.name == path) {
        return Ok(secured(file.response(&headers)));
    }
    if is_navigation(&headers) && !path.starts_with(file::HASHED) {
        return Ok(console.page(&headers));
    }
    Err(Problem::not_found("the console has no such file"))
}

/// Only browsers that open a page accept `text/html` by name.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// A person signs in here: the page runs only scripts and styles of this server, connects only to it, and can't be framed.
const SECURITY_HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

fn secured(mut response: Response) -> Response {
    let headers = SECURITY_HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value)));
    response.headers_mut().extend(headers);
    response
}

#[cfg(test)]
mod tests;
