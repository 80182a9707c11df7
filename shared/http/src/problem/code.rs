//! The closed list of problem codes.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::schema::closed_list;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $status:ident, $title:literal;)+) => {
        /// What went wrong, for programs: the `code` of a problem document. The list is closed; clients may match on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The status it is answered with.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// A short title, the same for every problem of the code.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

codes! {
    /// The body is not JSON, or is empty.
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not valid JSON";
    /// The request can't be read for another reason: a cut-off body, a broken upload.
    BadRequest = "bad_request", BAD_REQUEST, "The request can't be read";
    /// No token, or not one of ours.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Sign in first";
    /// The token was good once; refresh it.
    TokenExpired = "token_expired", UNAUTHORIZED, "The token has expired";
    /// Wrong e-mail address or password, or a refresh token that is over.
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "The credentials are not valid";
    /// The caller's role is too low.
    Forbidden = "forbidden", FORBIDDEN, "Not allowed for this role";
    /// Nothing is here.
    NotFound = "not_found", NOT_FOUND, "Not found";
    /// The path exists, the method does not; `Allow` lists those that do.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The body came too slowly, or not at all.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request took too long to arrive";
    /// The state of things forbids it.
    Conflict = "conflict", CONFLICT, "Conflict with the current state";
    /// The body is larger than the route takes.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body's content type or encoding is not the one expected.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Unsupported content type";
    /// Fields are unknown, missing, of the wrong type or out of bounds; `errors` names them.
    ValidationFailed = "validation_failed", UNPROCESSABLE_ENTITY, "Some fields are not valid";
    /// Too many requests or jobs; `Retry-After` says when to come back.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    /// A mistake of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error";
    /// Something needed is away or busy; `Retry-After` says when to come back.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Temporarily unavailable";
}

// By hand: utoipa's derive does not see a name that a macro gives to `serde(rename)`.
impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        closed_list::<Self>("What went wrong, for programs. The list is closed; clients may match on it.")
    }
}

impl ToSchema for Code {}
