//! What was wrong with which field.

use serde::{Deserialize, Serialize};

/// One refused field of a request: the JSON path a client sent and a sentence that says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Path of the field as the client wrote it, such as `params.n_trees` or `jobs[3].features`.
    pub field: String,
    /// What was expected, in a sentence fit for the person who sent it.
    pub message: String,
}

impl FieldError {
    /// A refusal of `field`, explained by `message`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}
