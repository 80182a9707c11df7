//! Query strings, read strictly.

mod text;

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use trainyard_domain::{FieldError, shown};

use crate::problem::{MAX_ERRORS, Problem};
use crate::serde_message::field_error;
use text::Text;

/// The query parameters. The type needs `#[serde(deny_unknown_fields)]`. One 422 names every unknown, repeated or mistyped
/// parameter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(pairs(parts.uri.query()).into_iter()).map(Self).map_err(Problem::validation)
    }
}

pub(crate) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

pub(crate) fn pairs(query: Option<&str>) -> Vec<Pair<'_>> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect()
}

/// Refuses every parameter, for routes without parameters.
pub(crate) fn refuse_all(query: Option<&str>) -> Result<(), Problem> {
    let unknown = "is not a known parameter; there are none here";
    let errors: Vec<_> = pairs(query).iter().map(|(name, _)| FieldError::new(shown(name), unknown)).collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::validation(errors)) }
}

/// Reads the parameters.
///
/// # Errors
/// Every unknown, repeated or mistyped parameter, or a missing one.
pub(crate) fn read<'a, T: DeserializeOwned>(pairs: impl Iterator<Item = Pair<'a>>) -> Result<T, Vec<FieldError>> {
    let mut pairs: Vec<_> = pairs.collect();
    let mut errors: Vec<FieldError> = Vec::new();
    while errors.len() < MAX_ERRORS {
        let texts = pairs.iter().map(|(name, value)| (Text(name.as_ref().into()), Text(value.as_ref().into())));
        let error = match serde_path_to_error::deserialize(MapDeserializer::new(texts)) {
            Ok(value) if errors.is_empty() => return Ok(value),
            Ok(_) => break,
            Err(error) => parameter_error(&error),
        };
        // Without the refused parameter serde finds the next error.
        let count = pairs.len();
        pairs.retain(|(name, _)| *name != error.field);
        let is_new = errors.iter().all(|other| other.field != error.field);
        if is_new {
            errors.push(error);
        }
        if pairs.len() == count {
            break;
        }
    }
    Err(errors)
}

fn parameter_error(error: &serde_path_to_error::Error<serde::de::value::Error>) -> FieldError {
    let mut error = field_error(error.path(), &error.inner().to_string());
    if error.message.starts_with("is not a known field") {
        error.message = error.message.replace("a known field; known", "a known parameter; known");
    }
    error
}
