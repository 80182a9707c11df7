//! Reads the message of a call.

use axum::extract::{FromRequest, Request};
use prost::Message;
use trainyard_http::Problem;
use trainyard_http::grpc::Call;

use super::super::v2::parse_version;
use crate::v2::fields::unreadable;
use crate::v2::refusal;

/// The message of a call.
pub(super) struct Decoded<M>(pub(super) M);

impl<S: Send + Sync, M: Message + Default> FromRequest<S> for Decoded<M> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Call(bytes) = Call::from_request(request, state).await?;
        M::decode(bytes).map(Self).map_err(|error| unreadable(&error))
    }
}

/// The version that a message names, which an empty text does not; `field` is the field of the model's name.
pub(super) fn version(field: &str, model: &str, version: &str) -> Result<Option<i64>, Problem> {
    match (model, version) {
        ("", _) => Err(refusal(format!("{field} is required: the name of a model"))),
        (_, "") => Ok(None),
        (model, version) => parse_version(model, version).map(Some),
    }
}
