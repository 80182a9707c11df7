//! gRPC for unary methods: the prefix of a message, the deadline of a call, and errors as `grpc-status` and `grpc-message`.
//!
//! A method is a route of the table ([`crate::Route::grpc`]). So access, limits, access log, metrics and traces are those of
//! every other route, and a handler refuses a call with a [`Problem`]. Only the form of the response differs.

mod status;
mod timeout;

use std::future::ready;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use http_body_util::{BodyExt, Full};

pub(crate) use status::write_error;

use crate::body;
use crate::problem::{Code, Problem};

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// The size of the prefix: whether the message is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// Whether the request is a gRPC call with messages of protobuf.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return false };
    // Every request of every role passes this check, so the first bytes are compared before the whole text.
    let start = value.as_bytes().trim_ascii_start().get(..GRPC.len());
    if !start.is_some_and(|start| start.eq_ignore_ascii_case(GRPC.as_bytes())) {
        return false;
    }
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/grpc") || essence.eq_ignore_ascii_case("application/grpc+proto")
}

/// The time that the client allows for a call.
///
/// # Errors
/// A request that is no gRPC call, or that has an invalid `grpc-timeout`.
pub(crate) fn client_timeout(request: &Request) -> Result<Option<Duration>, Problem> {
    if !is_grpc(request.headers()) {
        return Err(Problem::new(Code::UnsupportedMediaType, "the content type must be application/grpc"));
    }
    if request.version() < Version::HTTP_2 {
        let detail = "gRPC needs HTTP/2, but the request arrived as HTTP/1; a proxy must forward it as HTTP/2";
        return Err(Problem::new(Code::BadRequest, detail));
    }
    timeout::of(request.headers())
}

/// The message of a unary call, still encoded.
#[derive(Debug, Clone)]
pub struct Call(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        message(body::read(request.into_body()).await?).map(Self)
    }
}

/// The only message of a body, without a copy.
fn message(mut body: Bytes) -> Result<Bytes, Problem> {
    let Some((&[compressed, a, b, c, d], rest)) = body.split_first_chunk() else {
        return Err(Problem::new(Code::BadRequest, "the call has no message"));
    };
    if compressed != 0 {
        let detail = "compressed messages are not supported; send the message without compression";
        let supported = HeaderValue::from_static("identity");
        return Err(Problem::new(Code::UnsupportedMediaType, detail).header(GRPC_ACCEPT_ENCODING, supported));
    }
    let (length, found) = (u32::from_be_bytes([a, b, c, d]), rest.len());
    if usize::try_from(length).ok() != Some(found) {
        let detail =
            format!("the call must have one message, whose prefix names {length} bytes, but {found} bytes follow");
        return Err(Problem::new(Code::BadRequest, detail));
    }
    Ok(body.split_off(PREFIX_BYTES))
}

/// The message that answers a unary call.
#[derive(Debug)]
pub struct Reply(Bytes);

impl Reply {
    /// The reply with the message that `write` appends, which has about `bytes` bytes.
    ///
    /// # Errors
    /// The error of `write`.
    pub fn encode<E>(bytes: usize, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<Self, E> {
        let mut body = Vec::with_capacity(PREFIX_BYTES + bytes);
        body.extend([0; PREFIX_BYTES]);
        write(&mut body)?;
        // Replies are far smaller than 4 GiB.
        let length = u32::try_from(body.len() - PREFIX_BYTES).unwrap_or(u32::MAX);
        body[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
        Ok(Self(body.into()))
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let trailers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))]);
        let body = Full::new(self.0).with_trailers(ready(Some(Ok(trailers))));
        ([(CONTENT_TYPE, GRPC)], Body::new(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &[u8]) -> (Code, String) {
        let problem = message(Bytes::copy_from_slice(body)).unwrap_err();
        (problem.code(), problem.detail().to_owned())
    }

    #[test]
    fn a_body_is_one_message_with_a_prefix() {
        let body = Bytes::from_static(&[0, 0, 0, 0, 3, b'a', b'b', b'c']);
        assert_eq!(message(body).unwrap(), "abc");
        assert_eq!(message(Bytes::from_static(&[0; 5])).unwrap(), "");
        for body in [&[][..], &[0, 0, 0, 0]] {
            assert_eq!(refused(body), (Code::BadRequest, "the call has no message".to_owned()));
        }
        for (body, part) in [
            (&[0, 0, 0, 0, 2, 1][..], "2 bytes, but 1 bytes follow"),
            (&[0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], "1 bytes, but 6 bytes follow"),
            (&[0, 255, 255, 255, 255], "4294967295 bytes"),
        ] {
            let (code, detail) = refused(body);
            assert!(code == Code::BadRequest && detail.contains(part), "{detail}");
        }
        assert_eq!(refused(&[1, 0, 0, 0, 0]).0, Code::UnsupportedMediaType);
    }

    #[test]
    fn a_reply_has_the_length_of_its_message() {
        let reply = Reply::encode(1, |body| {
            body.extend_from_slice(b"four");
            Ok::<_, ()>(())
        });
        assert_eq!(reply.unwrap().0[..], [0, 0, 0, 0, 4, b'f', b'o', b'u', b'r']);
    }

    #[test]
    fn only_messages_of_protobuf_are_calls() {
        let with = |value: &'static str| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
        for value in
            ["application/grpc", "Application/gRPC", "application/grpc+proto", "application/grpc; charset=utf-8"]
        {
            assert!(is_grpc(&with(value)), "{value}");
        }
        for value in ["application/json", "application/grpc+json", "application/grpc-web", "application/grpcx", ""] {
            assert!(!is_grpc(&with(value)), "{value}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }
}
