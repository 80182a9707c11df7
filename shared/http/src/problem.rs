//! Error responses as RFC 9457 problem documents.
//!
//! A handler returns a [`Problem`]. The middleware adds the request id, and logs each failure of the server once with its
//! causes. The client only gets the code, the detail and the fields.

mod bounds;
mod code;
mod document;
mod format;

use std::error::Error;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use trainyard_domain::FieldError;

pub(crate) use bounds::MAX_ERRORS;
use bounds::Shown;
pub use code::Code;
pub use document::{ProblemBody, RefusedField};
pub use format::V2Error;
pub(crate) use format::{ErrorFormat, sentence};

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The `Retry-After` of problems that set none, in seconds.
const DEFAULT_RETRY_S: u64 = 2;

/// An error response.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    errors_omitted: usize,
    headers: HeaderMap,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Shown<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    errors_omitted: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Problem {
    /// A problem with this code. `detail` is a sentence for the client, without internals of the server.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let (detail, errors, headers) = (detail.into(), Vec::new(), HeaderMap::new());
        Self(Box::new(Parts { code, detail, errors, errors_omitted: 0, headers, source: None }))
    }

    /// 422 for these fields.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        Self::validation_of_more(errors, 0)
    }

    /// 422 for these fields, and for `omitted` further ones that are only counted.
    pub fn validation_of_more(errors: Vec<FieldError>, omitted: usize) -> Self {
        let detail = match (errors.as_slice(), omitted) {
            ([one], 0) => format!("{} {}", bounds::field(&one.field), one.message),
            (many, omitted) => format!("{} fields are not valid", many.len() + omitted),
        };
        let problem = Self::new(Code::ValidationFailed, detail).about(errors);
        let already_omitted = problem.0.errors_omitted;
        problem.omitting(already_omitted + omitted)
    }

    fn omitting(mut self, errors: usize) -> Self {
        self.0.errors_omitted = errors;
        self
    }

    /// 422 for one field.
    pub fn field(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::validation(vec![FieldError::new(name, message)])
    }

    /// 404 with a detail such as `no job has this id`.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(Code::NotFound, what)
    }

    /// 409 with the conflicting state.
    pub fn conflict(why: impl Into<String>) -> Self {
        Self::new(Code::Conflict, why)
    }

    /// 500 caused by `source`, which is logged and never sent.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "internal error; search the server's log for the request id").because(source)
    }

    /// 503 caused by `source`, which is logged and never sent. `what` is the unavailable part, such as `the database`.
    pub fn unavailable(what: &str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Code::Unavailable, format!("{what} is unavailable; try again shortly")).because(source)
    }

    /// Adds the fields that the problem concerns, for example in a 404 for a name in the body.
    #[must_use]
    pub fn about(mut self, mut errors: Vec<FieldError>) -> Self {
        self.0.errors_omitted = errors.len().saturating_sub(MAX_ERRORS);
        errors.truncate(MAX_ERRORS);
        self.0.errors = errors;
        self
    }

    /// Sets the cause for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Sets `Retry-After`.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(RETRY_AFTER, seconds.into())
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The sentence for the client.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The refused fields.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The cause, for the log.
    pub(crate) fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }

    /// The JSON document, with the request id if it is given.
    pub(crate) fn render(&self, request_id: Option<&str>) -> Vec<u8> {
        let Parts { code, detail, errors, errors_omitted, .. } = &*self.0;
        let (errors, too_long) = bounds::errors(errors);
        let document = Document {
            r#type: format!("urn:trainyard:problem:{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            detail: &bounds::text(detail),
            code: *code,
            request_id,
            errors,
            errors_omitted: errors_omitted + too_long,
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

impl Problem {
    /// The response without a body. The middleware writes the body, together with the request id.
    pub(crate) fn into_bodyless_response(self) -> Response {
        let mut response = self.0.code.status().into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        match self.0.code {
            Code::Unauthenticated | Code::TokenExpired | Code::InvalidCredentials => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Code::Unavailable | Code::RateLimited => {
                headers.insert(RETRY_AFTER, DEFAULT_RETRY_S.into());
            }
            _ => {}
        }
        headers.extend(self.0.headers.clone());
        // The middleware reads this extension to add the request id and to log the cause.
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body::from(self.render(None));
        self.into_bodyless_response().map(|_| body)
    }
}
