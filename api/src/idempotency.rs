//! The `Idempotency-Key` header.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use trainyard_http::Problem;

/// The name of the header, in lower case.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
const MAX_CHARS: usize = 255;

/// The key that the client sent, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// The key as text.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refuse = |message: &str| Problem::field("Idempotency-Key", message);
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        if values.next().is_some() {
            return Err(refuse("must be sent once"));
        }
        let text = value.to_str().unwrap_or_default().trim();
        let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if text.is_empty() || text.len() > MAX_CHARS || !printable {
            return Err(refuse("must be 1 to 255 printable ASCII characters"));
        }
        Ok(Self(Some(text.to_owned())))
    }
}
