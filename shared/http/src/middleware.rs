//! The middleware around every request: request id, trace, access log, metrics, and panics.

mod record;
mod request_id;
mod series;
mod trace;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode, Version};
use tracing::Instrument;

use crate::grpc;
use crate::problem::{self, Code, ErrorFormat, Problem};
use crate::serve::InvalidHead;
use crate::unread_body;
use record::Record;
pub use request_id::RequestId;
pub use trace::TraceContext;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Answers a request with `answer`, inside of what every request gets: request id, trace, access log, metrics and the handling of
/// panics.
pub(crate) async fn observe<F: Future<Output = Response>>(
    mut request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let id = RequestId::of(request.headers());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let trace = TraceContext::of(request.headers(), !record::is_probed(route.as_ref()));
    let record = Record::start(request.method(), request.uri().path(), route, &id, &trace);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(trace.clone());
    let form = Form::of(&request);
    let (request, unread) = unread_body::keep_unread(request);
    // The error level keeps the span, and so the ids of its log lines, under every level filter.
    let span = tracing::error_span!(
        "http.request",
        request_id = id.as_str(),
        trace_id = trace.trace_id(),
        user_id = tracing::field::Empty,
        job_id = tracing::field::Empty
    );
    async move {
        let run = async {
            match request.extensions().get::<InvalidHead>() {
                Some(InvalidHead(problem)) => problem.clone().into_response(),
                None => answer(request).await,
            }
        };
        let response = match AssertUnwindSafe(run).catch_unwind().await {
            Ok(response) => {
                log_failure(&response);
                response
            }
            // The panic hook has logged the panic with its location, within this span.
            Err(_) => panic_response(),
        };
        let (response, status) = complete(response, form, &id, &trace);
        record.finish(status);
        unread.discard();
        response
    }
    .instrument(span)
    .await
}

/// Answers a request outside of [`observe`], for a server without time for spans and log lines: with the headers of all
/// responses only.
pub(crate) fn refuse(request: Request, problem: Problem) -> Response {
    let (id, trace) = (RequestId::of(request.headers()), TraceContext::of(request.headers(), false));
    let form = Form::of(&request);
    let (request, unread) = unread_body::keep_unread(request);
    drop(request);
    unread.discard();
    complete(problem.into_bodyless_response(), form, &id, &trace).0
}

fn panic_response() -> Response {
    Problem::new(Code::Internal, "internal error; search the server's log for the request id").into_response()
}

/// The form of the responses to a request.
#[derive(Clone, Copy)]
struct Form {
    version: Version,
    errors: ErrorFormat,
    is_grpc: bool,
}

impl Form {
    fn of(request: &Request) -> Self {
        let is_grpc = grpc::is_grpc(request.headers());
        // The Open Inference Protocol has the same statuses and sentences over gRPC.
        let errors = if is_grpc { ErrorFormat::OpenInference } else { ErrorFormat::of(request.uri().path()) };
        Self { version: request.version(), errors, is_grpc }
    }
}

/// Completes a response. Also returns the status to record: the response of a failed gRPC call has the status 200.
fn complete(mut response: Response, form: Form, id: &RequestId, trace: &TraceContext) -> (Response, StatusCode) {
    let mut status = response.status();
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        status = form.errors.status(problem.code());
        if form.is_grpc {
            grpc::write_error(problem.code(), &problem::sentence(&problem), &mut response);
        } else {
            *response.body_mut() = Body::from(form.errors.render(&problem, id.as_str()));
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, form.errors.content_type());
            // The current length is that of the document without the request id.
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        // The unread rest of a slow body blocks the next request of the connection (RFC 9110, section 15.5.9).
        if problem.code() == Code::RequestTimeout && form.version < Version::HTTP_2 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, id.header());
    headers.insert(TRACEPARENT, trace.header());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Responses contain tokens, personal data and current state. A handler sets another value where caching is safe.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    (response, status)
}

/// Logs failures of the server. No other place logs them.
fn log_failure(response: &Response) {
    let Some(problem) = response.extensions().get::<Arc<Problem>>() else { return };
    let (code, detail, error) = (problem.code().as_str(), problem.detail(), problem.source());
    match problem.code() {
        Code::Internal => tracing::error!(code, error, detail, "the request failed"),
        Code::Unavailable => tracing::warn!(code, error, detail, "the request was refused as unavailable"),
        _ => {}
    }
}
