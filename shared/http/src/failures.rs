//! How failures of the layers below become answers: the only place that translates them.

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
            // Handlers that know what collided say so themselves; this is for two requests that raced.
            StorageError::Conflict => Self::conflict("the change conflicts with another one; read again and retry"),
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
            // An object that the database knows must be there, whole; that it is not is our failure.
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
            PasswordError::Busy(_) => Self::new(Code::Unavailable, "too many sign-ins at once; try again shortly"),
            PasswordError::Bcrypt(_) | PasswordError::Died(_) => Self::internal(error),
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
        Self::new("the queue does not answer as it should", error)
    }
}

impl From<ArtifactError> for CheckError {
    fn from(error: ArtifactError) -> Self {
        let shown = match &error {
            ArtifactError::Full(_) => "the object store is full",
            ArtifactError::Denied(_) => "the object store refuses access",
            ArtifactError::NoBucket(_) => "the object store's bucket or folder is not there",
            _ => "the object store does not answer as it should",
        };
        Self::new(shown, error)
    }
}
