//! The closed list of problem codes.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::schema::closed_list;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $status:ident, $title:literal;)+) => {
        /// The `code` of a problem document, for programs. The list is closed, so clients may match on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code as JSON contains it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The HTTP status.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// A short title of all problems with this code.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

codes! {
    /// The body is not JSON, or it is empty.
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not valid JSON";
    /// The request is invalid for another reason, such as an incomplete body.
    BadRequest = "bad_request", BAD_REQUEST, "The request can't be read";
    /// The token is missing or not valid.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Sign in first";
    /// The access token has expired.
    TokenExpired = "token_expired", UNAUTHORIZED, "The token has expired";
    /// The e-mail address or password is wrong, or the refresh token is no longer valid.
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "The credentials are not valid";
    /// The caller's role does not permit the request.
    Forbidden = "forbidden", FORBIDDEN, "Not allowed for this role";
    /// The path or the resource does not exist.
    NotFound = "not_found", NOT_FOUND, "Not found";
    /// The path does not support the method; `Allow` lists the supported ones.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The body arrived too slowly, or not at all.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request took too long to arrive";
    /// The current state does not permit the request.
    Conflict = "conflict", CONFLICT, "Conflict with the current state";
    /// The body exceeds the limit of the route.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The route does not support the content type or encoding of the body.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Unsupported content type";
    /// Fields are unknown, missing, of a wrong type or out of range; `errors` lists the fields.
    ValidationFailed = "validation_failed", UNPROCESSABLE_ENTITY, "Some fields are not valid";
    /// A rate limit or a limit on jobs is reached; `Retry-After` gives the time to wait.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    /// The server failed.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error";
    /// A dependency is unavailable, or the server is overloaded; `Retry-After` gives the time to wait.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Temporarily unavailable";
}

// utoipa's derive ignores a `serde(rename)` whose value is a macro argument.
impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        closed_list::<Self>("The kind of the problem, for programs. The list is closed, so clients may match on it.")
    }
}

impl ToSchema for Code {}
