//! Why training failed.

use trainyard_domain::FailureCode;

/// Why training failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    /// The data or the parameters are unsuitable.
    #[error("{message}")]
    Failed {
        /// `bad_data`, `bad_params`, or `internal` for a model file that can't be loaded (a bug).
        code: FailureCode,
        /// The message for the user.
        message: String,
    },
    /// The observer cancelled the run.
    #[error("training was cancelled")]
    Cancelled,
}

impl TrainError {
    /// The data is unsuitable.
    pub(crate) fn bad_data(message: impl Into<String>) -> Self {
        Self::Failed { code: FailureCode::BadData, message: message.into() }
    }

    /// The parameters are unsuitable for the data.
    pub(crate) fn bad_params(message: impl Into<String>) -> Self {
        Self::Failed { code: FailureCode::BadParams, message: message.into() }
    }
}
