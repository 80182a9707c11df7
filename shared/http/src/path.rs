//! Path parameters: an id that does not parse is not found.

use axum::extract::FromRequestParts;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The path parameters. An id that does not parse identifies no resource, so the response is 404 instead of 400.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = axum::extract::Path::from_request_parts(parts, state).await;
        found.map(|axum::extract::Path(value)| Self(value)).map_err(refuse)
    }
}

fn refuse(rejection: PathRejection) -> Problem {
    match &rejection {
        PathRejection::FailedToDeserializePathParams(error)
            if !matches!(
                error.kind(),
                ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. }
            ) =>
        {
            Problem::not_found("no resource has this id or name")
        }
        _ => Problem::internal(rejection),
    }
}
