//! The shape of a problem document, for the API's description.

use serde::Deserialize;
use utoipa::ToSchema;

use super::Code;

/// An RFC 9457 problem document.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:trainyard:problem:` and the code.
    #[schema(example = "urn:trainyard:problem:validation_failed")]
    pub r#type: String,
    /// A short title, the same for every problem of the code.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What went wrong this time, in a sentence.
    pub detail: String,
    /// What went wrong, for programs.
    pub code: Code,
    /// Names this request in the server's logs.
    #[schema(nullable = false)]
    pub request_id: Option<String>,
    /// The refused fields; absent unless there are any.
    #[serde(default)]
    #[schema(nullable = false)]
    pub errors: Option<Vec<RefusedField>>,
    /// How many refused fields `errors` leaves out; absent unless there are any. It lists at most 100.
    #[serde(default)]
    #[schema(nullable = false)]
    pub errors_omitted: Option<u64>,
}

/// One refused field.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = FieldError)]
pub struct RefusedField {
    /// The field's path as it was sent, such as `params.n_trees` or `features[2]`.
    pub field: String,
    /// What was expected.
    pub message: String,
}
