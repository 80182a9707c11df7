//! Maps the errors of the lower layers to problems and failed checks. No other module does.

use std::sync::Arc;

use trainyard_artifacts::ArtifactError;
use trainyard_queue::QueueError;
use trainyard_storage::StorageError;

use crate::auth::{Limited, PasswordError};
use crate::ops::CheckError;
use crate::problem::{Code, Problem};

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(_) | StorageError::Unmigrated(_) => Self::unavailable("the database", error),
            // Handlers report conflicts that they can name. This message is for two concurrent requests.
            StorageError::Conflict => {
                Self::conflict("another request changed the same data; read the data again and retry")
            }
            StorageError::Corrupt(_) | StorageError::BadUrl(_) | StorageError::Other(_) => Self::internal(error),
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Unavailable(_) => Self::unavailable("the queue", error),
            QueueError::BadUrl(_) => Self::internal(error),
        }
    }
}

impl From<ArtifactError> for Problem {
    fn from(error: ArtifactError) -> Self {
        match error {
            ArtifactError::Full(_) => Self::unavailable("storage space", error),
            error if error.is_disk_full() => Self::unavailable("storage space", error),
            ArtifactError::Denied(_) | ArtifactError::NoBucket(_) | ArtifactError::Unavailable(_) => {
                Self::unavailable("the object store", error)
            }
            // The database names the object, so a missing or damaged object is a failure of the server.
            ArtifactError::NotFound
            | ArtifactError::DigestMismatch { .. }
            | ArtifactError::TooLarge { .. }
            | ArtifactError::Io(_)
            | ArtifactError::BadUrl(_) => Self::internal(error),
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<PasswordError>> for Problem {
    fn from(error: Arc<PasswordError>) -> Self {
        match *error {
            PasswordError::Busy(_) => {
                Self::new(Code::Unavailable, "too many password checks are waiting; try again shortly")
            }
            PasswordError::Bcrypt(_) | PasswordError::Panicked(_) => Self::internal(error),
        }
    }
}

impl From<Limited> for Problem {
    fn from(limited: Limited) -> Self {
        Self::new(Code::RateLimited, limited.to_string()).retry_after(limited.retry_after_s)
    }
}

impl From<jsonwebtoken::errors::Error> for Problem {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        Self::internal(error)
    }
}

impl From<StorageError> for CheckError {
    fn from(error: StorageError) -> Self {
        Self::new(error.condition(), error)
    }
}

impl From<QueueError> for CheckError {
    fn from(error: QueueError) -> Self {
        Self::new("the queue returned an unexpected error", error)
    }
}

impl From<ArtifactError> for CheckError {
    fn from(error: ArtifactError) -> Self {
        let shown = match &error {
            ArtifactError::Full(_) => "the object store is full",
            ArtifactError::Denied(_) => "the object store refuses access",
            ArtifactError::NoBucket(_) => "the object store's bucket or folder does not exist",
            _ => "the object store returned an unexpected error",
        };
        Self::new(shown, error)
    }
}
