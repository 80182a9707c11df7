//! What happens around every request: its id and trace, one access log line, its metrics, panics, and the request
//! id in problem documents.

mod record;
mod request_id;
mod trace;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Version};
use tracing::Instrument;

use crate::linger;
use crate::problem::{Code, Problem};
use crate::serve::Refused;
use record::Record;
pub use request_id::RequestId;
pub use trace::TraceContext;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The outermost layer.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let trace = TraceContext::of(request.headers(), !record::is_quiet(route.as_ref()));
    let record = Record::start(request.method(), request.uri().path(), route, &id, &trace);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(trace.clone());
    let version = request.version();
    let (request, unread) = linger::watch(request);
    // At error level, so that no filter on levels takes the ids off the lines inside.
    let span = tracing::error_span!(
        "http.request",
        request_id = id.as_str(),
        trace_id = trace.trace_id(),
        user_id = tracing::field::Empty,
        job_id = tracing::field::Empty
    );
    async move {
        let run = async {
            match request.extensions().get::<Refused>() {
                Some(Refused(problem)) => problem.clone().into_response(),
                None => next.run(request).await,
            }
        };
        let answered = AssertUnwindSafe(run).catch_unwind().await;
        let response = match answered {
            Ok(response) => {
                log_failure(&response);
                response
            }
            // The panic hook has logged it already, with its place and within this span.
            Err(_) => panicked(),
        };
        let response = complete(response, version, &id, &trace);
        record.finish(response.status());
        unread.drain();
        response
    }
    .instrument(span)
    .await
}

fn panicked() -> Response {
    Problem::new(Code::Internal, "something went wrong on our side; the request id leads to the log").into_response()
}

fn complete(mut response: Response, version: Version, id: &RequestId, trace: &TraceContext) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        *response.body_mut() = Body::from(problem.render(Some(id.as_str())));
        // A length set so far is that of the document without the id.
        response.headers_mut().remove(CONTENT_LENGTH);
        // The rest of a slow body would keep the connection from its next request (RFC 9110, section 15.5.9).
        if problem.code() == Code::RequestTimeout && version < Version::HTTP_2 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, id.header());
    headers.insert(TRACEPARENT, trace.header());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Answers hold tokens, people and the state of this moment; a handler whose answer may be kept says so.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Our own failures are logged here, where they are made into an answer, and nowhere else.
fn log_failure(response: &Response) {
    let Some(problem) = response.extensions().get::<Arc<Problem>>() else { return };
    let (code, detail, error) = (problem.code().as_str(), problem.detail(), problem.source());
    match problem.code() {
        Code::Internal => tracing::error!(code, error, detail, "failed"),
        Code::Unavailable => tracing::warn!(code, error, detail, "unavailable"),
        _ => {}
    }
}
