//! Errors of reading a model file.

use super::format::{MAX_BYTES, VERSION};

/// Why bytes are not a valid model.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The file does not begin with the magic number.
    #[error("not a Trainyard model file")]
    NotAModel,
    /// A newer format version.
    #[error("the model file has format version {found}; this version reads {VERSION}")]
    UnknownVersion {
        /// The version in the file.
        found: u32,
    },
    /// The digest does not match the content.
    #[error("the model file is damaged: its SHA-256 does not match its content")]
    Damaged,
    /// Larger than [`MAX_BYTES`].
    #[error("the model file has {found} bytes; at most {MAX_BYTES} are read")]
    TooLarge {
        /// The size of the file.
        found: usize,
    },
    /// The manifest is not valid JSON, or has missing fields.
    #[error("invalid manifest in the model file")]
    Manifest(#[source] serde_json::Error),
    /// An invalid length, count, index or number.
    #[error("invalid model file: {0}")]
    Invalid(String),
    /// A test row has another prediction than at training time.
    #[error("the model fails its self-test on row {row}: expected {expected}, got {found}")]
    SelfTest {
        /// The index of the test row.
        row: usize,
        /// The prediction at training time.
        expected: f64,
        /// The prediction now.
        found: f64,
    },
}

impl ArtifactError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

/// Returns an error with `message` unless `condition` is true.
pub(super) fn ensure(condition: bool, message: impl FnOnce() -> String) -> Result<(), ArtifactError> {
    if condition { Ok(()) } else { Err(ArtifactError::Invalid(message())) }
}
