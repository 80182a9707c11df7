//! What can go wrong with an object.

use std::error::Error as StdError;
use std::io;

/// Why an object could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// There is no such object.
    #[error("there is no such object")]
    NotFound,
    /// The bytes are not those that were stored. The reader got none of them.
    #[error("the object's SHA-256 is {found}, expected {expected}")]
    DigestMismatch {
        /// The digest the reader asked for, hexadecimal.
        expected: String,
        /// The digest of what the store holds.
        found: String,
    },
    /// The object is larger than its reader takes.
    #[error("the object has more than {max} bytes")]
    TooLarge {
        /// The reader's limit.
        max: u64,
    },
    /// The local disk failed: of the file that is read or written, or of a local store that is full.
    #[error("the local disk failed")]
    Io(#[source] io::Error),
    /// The store is away, refuses, or took too long; it was tried several times. Worth another try later.
    #[error("the object store is not available")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The store's address or settings can't be used: a mistake in the configuration.
    #[error("the object store can't be opened: {0}")]
    BadUrl(String),
}

/// The answer of a store.
pub type Result<T> = std::result::Result<T, ArtifactError>;

impl ArtifactError {
    /// Whether a local disk has no room left, or its owner's quota is used up.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io(error) if is_full(error))
    }

    /// An error of the store about one object.
    pub(crate) fn of_object(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other => Self::of_store(other),
        }
    }

    /// An error of the store as a whole; here even "not found" (the bucket) means that it can't be used.
    pub(crate) fn of_store(error: object_store::Error) -> Self {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
        while let Some(link) = cause {
            if let Some(disk) = link.downcast_ref::<io::Error>().filter(|disk| is_full(disk)) {
                return Self::Io(io::Error::new(disk.kind(), error));
            }
            cause = link.source();
        }
        Self::Unavailable(Box::new(error))
    }
}

impl From<io::Error> for ArtifactError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_however_deep_it_lies() {
        let disk = io::Error::from(io::ErrorKind::StorageFull);
        let wrapped = object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(disk) };
        assert!(ArtifactError::of_object(wrapped).is_disk_full());
        let network = io::Error::from(io::ErrorKind::ConnectionReset);
        let wrapped = object_store::Error::Generic { store: "S3", source: Box::new(network) };
        assert!(matches!(ArtifactError::of_object(wrapped), ArtifactError::Unavailable(_)));
    }
}
