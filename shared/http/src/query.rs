//! Query strings, read strictly.

mod text;

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use trainyard_domain::{FieldError, shown};

use crate::explain::explain;
use crate::problem::Problem;
use text::Text;

/// The parameters after `?`. The type must say `#[serde(deny_unknown_fields)]`; an unknown, missing, repeated or
/// mistyped parameter is 422 by name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(pairs(parts.uri.query()).into_iter()).map(Self)
    }
}

pub(crate) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

pub(crate) fn pairs(query: Option<&str>) -> Vec<Pair<'_>> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect()
}

/// Refuses every parameter, for routes that take none.
pub(crate) fn refuse_all(query: Option<&str>) -> Result<(), Problem> {
    let unknown = "is not a known parameter; there are none here";
    let errors: Vec<_> = pairs(query).iter().map(|(name, _)| FieldError::new(shown(name), unknown)).collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::validation(errors)) }
}

pub(crate) fn read<'a, T: DeserializeOwned>(pairs: impl Iterator<Item = Pair<'a>>) -> Result<T, Problem> {
    let map = MapDeserializer::new(pairs.map(|(name, value)| (Text(name), Text(value))));
    serde_path_to_error::deserialize(map).map_err(|error: serde_path_to_error::Error<serde::de::value::Error>| {
        let mut refused = explain(error.path(), &error.inner().to_string());
        if refused.message.starts_with("is not a known field") {
            refused.message = refused.message.replace("a known field; known", "a known parameter; known");
        }
        Problem::validation(vec![refused])
    })
}
