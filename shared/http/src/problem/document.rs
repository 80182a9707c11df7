//! The schema of a problem document in the OpenAPI document.

use serde::Deserialize;
use utoipa::ToSchema;

use super::Code;

/// An RFC 9457 problem document.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:trainyard:problem:` followed by the code.
    #[schema(example = "urn:trainyard:problem:validation_failed")]
    pub r#type: String,
    /// A short title of all problems with this code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong in this request, in a sentence.
    pub detail: String,
    /// The kind of the problem, for programs.
    pub code: Code,
    /// Identifies this request in the logs of the server.
    #[schema(nullable = false)]
    pub request_id: Option<String>,
    /// The refused fields; absent if there are none.
    #[serde(default)]
    #[schema(nullable = false)]
    pub errors: Option<Vec<RefusedField>>,
    /// The number of refused fields that `errors` omits; absent if there are none. `errors` has at most 100 entries.
    #[serde(default)]
    #[schema(nullable = false)]
    pub errors_omitted: Option<u64>,
}

/// One refused field.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = FieldError)]
pub struct RefusedField {
    /// The path of the field in the request, such as `params.n_trees` or `features[2]`.
    pub field: String,
    /// What the server expects.
    pub message: String,
}
