//! Problems as gRPC statuses.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{GRPC, GRPC_STATUS};
use crate::problem::Code;

const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The characters of `grpc-message` that are encoded, besides those outside ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

/// The gRPC status code of a problem.
fn status(code: Code) -> u16 {
    match code {
        // INVALID_ARGUMENT
        Code::MalformedJson | Code::BadRequest | Code::ValidationFailed => 3,
        // DEADLINE_EXCEEDED
        Code::RequestTimeout => 4,
        // NOT_FOUND
        Code::NotFound => 5,
        // PERMISSION_DENIED
        Code::Forbidden => 7,
        // RESOURCE_EXHAUSTED
        Code::PayloadTooLarge | Code::RateLimited => 8,
        // FAILED_PRECONDITION
        Code::Conflict => 9,
        // UNIMPLEMENTED
        Code::MethodNotAllowed | Code::UnsupportedMediaType => 12,
        // INTERNAL
        Code::Internal => 13,
        // UNAVAILABLE
        Code::Unavailable => 14,
        // UNAUTHENTICATED
        Code::Unauthenticated | Code::TokenExpired | Code::InvalidCredentials => 16,
    }
}

/// Writes a problem with this code and this sentence. The response is complete with its head ("trailers only"), so its headers
/// are also the trailing metadata.
pub(crate) fn write_error(code: Code, sentence: &str, response: &mut Response) {
    *response.body_mut() = Body::empty();
    // The status of HTTP is about the transport.
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, GRPC);
    headers.insert(GRPC_STATUS, status(code).into());
    let message = HeaderValue::try_from(utf8_percent_encode(sentence, ENCODED).to_string());
    headers.insert(GRPC_MESSAGE, message.unwrap_or(HeaderValue::from_static("")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_error_status_and_the_message_is_percent_encoded() {
        for code in Code::ALL {
            assert!((1..=16).contains(&status(*code)), "{code:?}");
        }
        let mut response = Response::new(Body::from("text"));
        write_error(Code::NotFound, "100 % of 'männlich'\nis unknown", &mut response);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("grpc-status"), "5");
        assert_eq!(header("grpc-message"), "100 %25 of 'm%C3%A4nnlich'%0Ais unknown");
        assert_eq!((response.status().as_u16(), header("content-type").as_str()), (200, "application/grpc"));
    }
}
