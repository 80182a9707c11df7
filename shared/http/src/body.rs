//! The limit on a request's body, and what a body that can't be read is answered with.

use std::error::Error;

use axum::body::Body;
use axum::extract::Request;
use http::header::CONTENT_LENGTH;
use http_body_util::{LengthLimitError, Limited};

use crate::problem::{Code, Problem};

/// Refuses a body that says it is longer than `limit` bytes, and cuts off one that turns out to be.
pub(crate) fn limited(request: Request, limit: usize) -> Result<Request, Problem> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        let detail = format!("the body must have at most {limit} bytes");
        return Err(Problem::new(Code::PayloadTooLarge, detail));
    }
    Ok(request.map(|body| Body::new(Limited::new(body, limit))))
}

impl Problem {
    /// For an error while reading a request's body: 413 when the route's limit cut it off, else 400.
    pub fn unreadable_body(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<LengthLimitError>() {
                return Self::new(Code::PayloadTooLarge, "the body is larger than this route takes");
            }
            cause = error.source();
        }
        Self::new(Code::BadRequest, "the body ended before it was complete")
    }
}
