//! Errors of the object store.

use std::error::Error as StdError;
use std::io;

/// An error of a read or a write.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The object does not exist.
    #[error("the object does not exist")]
    NotFound,
    /// The object was altered since it was stored. The reader gets no bytes of it.
    #[error("the object's SHA-256 is {found}, expected {expected}")]
    DigestMismatch {
        /// The digest that the reader expects, hexadecimal.
        expected: String,
        /// The digest of the stored bytes.
        found: String,
    },
    /// The object exceeds the reader's limit.
    #[error("the object has more than {max} bytes, the limit of this read")]
    TooLarge {
        /// The reader's limit.
        max: u64,
    },
    /// Reading or writing the local file failed, not the store.
    #[error("a local file cannot be read or written")]
    Io(#[source] io::Error),
    /// The store is full, or its quota is used up.
    #[error("the object store is full")]
    Full(#[source] Source),
    /// The store refuses the credentials or a permission is missing. For a folder: wrong owner or mode.
    #[error("the object store refuses access; check its credentials and their permissions")]
    Denied(#[source] Source),
    /// The bucket or the folder does not exist, or the folder's volume is not mounted.
    #[error("the object store's bucket or folder does not exist; check artifacts.url (ARTIFACT_URL)")]
    NoBucket(#[source] Source),
    /// The store did not answer in time, after several retries.
    #[error("the object store is not available")]
    Unavailable(#[source] Source),
    /// The store's URL or settings are invalid.
    #[error("the object store cannot be opened: {0}")]
    BadUrl(String),
}

/// The cause of an error.
type Source = Box<dyn StdError + Send + Sync>;

/// The result of a call to the store.
pub type Result<T> = std::result::Result<T, ArtifactError>;

impl ArtifactError {
    /// Whether the local disk is full, or its quota is used up.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io(error) if is_full(error))
    }

    /// Whether the same call can succeed later: once the store has its network, room, permission or bucket.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Denied(_) | Self::NoBucket(_) | Self::Unavailable(_))
    }

    /// An error about one object. See `Store::not_found` for a store without its bucket.
    pub(crate) fn of_object(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other => Self::of_store(other),
        }
    }

    /// An error about the store itself: "not found" refers to the bucket.
    pub(crate) fn of_store(error: object_store::Error) -> Self {
        use object_store::Error as E;
        let disk = disk_error(&error).map(io::Error::kind);
        match (&error, disk) {
            (_, Some(kind)) if is_full_kind(kind) => Self::Full(error.into()),
            (_, Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)) => {
                Self::Denied(error.into())
            }
            (E::PermissionDenied { .. } | E::Unauthenticated { .. }, _) => Self::Denied(error.into()),
            (E::NotFound { .. }, _) => Self::NoBucket(error.into()),
            _ => match http_status(&error) {
                Some(401 | 403) => Self::Denied(error.into()),
                Some(404) => Self::NoBucket(error.into()),
                _ => Self::Unavailable(error.into()),
            },
        }
    }

    /// An error about the folder of a local store.
    pub(crate) fn of_folder(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NoBucket(error.into()),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Denied(error.into()),
            kind if is_full_kind(kind) => Self::Full(error.into()),
            _ => Self::Unavailable(error.into()),
        }
    }
}

/// The HTTP status of an error that `object_store` does not classify, such as an error of a listing. The library's error
/// type is private, so the status is parsed from the text. A test against a real store checks the text.
fn http_status(error: &object_store::Error) -> Option<u16> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(link) = cause {
        if let Some((_, status)) = link.to_string().split_once("status code: ") {
            return status.get(..3)?.parse().ok();
        }
        cause = link.source();
    }
    None
}

/// The operating system's error in the chain of causes.
fn disk_error(error: &object_store::Error) -> Option<&io::Error> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(link) = cause {
        if let Some(disk) = link.downcast_ref::<io::Error>() {
            return Some(disk);
        }
        cause = link.source();
    }
    None
}

impl From<io::Error> for ArtifactError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn is_full(error: &io::Error) -> bool {
    is_full_kind(error.kind())
}

fn is_full_kind(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(kind: io::ErrorKind) -> ArtifactError {
        let source = Box::new(io::Error::from(kind));
        ArtifactError::of_object(object_store::Error::Generic { store: "LocalFileSystem", source })
    }

    #[test]
    fn errors_of_the_operating_system_are_classified() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let error = local(kind);
            assert!(matches!(error, ArtifactError::Full(_)) && !error.is_disk_full(), "{error:?}");
            assert!(ArtifactError::from(io::Error::from(kind)).is_disk_full(), "the local disk");
        }
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
            assert!(matches!(local(kind), ArtifactError::Denied(_)), "{kind:?}");
        }
        assert!(matches!(local(io::ErrorKind::ConnectionReset), ArtifactError::Unavailable(_)));
    }

    #[test]
    fn refusals_of_a_store_are_classified() {
        use object_store::Error as E;
        let source = || "<Error>".into();
        let denied = [
            E::PermissionDenied { path: "x".into(), source: source() },
            E::Unauthenticated { path: "x".into(), source: source() },
        ];
        for error in denied {
            let error = ArtifactError::of_object(error);
            assert!(matches!(error, ArtifactError::Denied(_)) && error.is_retryable(), "{error:?}");
        }
        let missing = || E::NotFound { path: "x".into(), source: source() };
        assert!(matches!(ArtifactError::of_store(missing()), ArtifactError::NoBucket(_)));
        let gone = ArtifactError::of_object(missing());
        assert!(matches!(gone, ArtifactError::NotFound) && !gone.is_retryable());
    }
}
