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
    /// The local file that is read or written failed: the reader's disk, not the store.
    #[error("the local disk failed")]
    Io(#[source] io::Error),
    /// The store has no room left, or its owner's quota is used up.
    #[error("the object store is full")]
    Full(#[source] Source),
    /// The store refuses the credentials, or they lack a permission. For a folder: its owner or mode is wrong.
    #[error("the object store refuses access; check its credentials and their permissions")]
    Denied(#[source] Source),
    /// The bucket or folder is not there, or a folder is empty as one that is not mounted.
    #[error("the object store's bucket or folder is not there; check artifacts.url (ARTIFACT_URL)")]
    NoBucket(#[source] Source),
    /// The store is away or took too long; it was tried several times. Worth another try later.
    #[error("the object store is not available")]
    Unavailable(#[source] Source),
    /// The store's address or settings can't be used: a mistake in the configuration.
    #[error("the object store can't be opened: {0}")]
    BadUrl(String),
}

/// What caused an error.
type Source = Box<dyn StdError + Send + Sync>;

/// The answer of a store.
pub type Result<T> = std::result::Result<T, ArtifactError>;

impl ArtifactError {
    /// Whether the reader's local disk has no room left, or its owner's quota is used up.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io(error) if is_full(error))
    }

    /// Whether the same call can succeed once the store has what it lacks: the network, room, a permission, its bucket.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Denied(_) | Self::NoBucket(_) | Self::Unavailable(_))
    }

    /// An error of the store about one object. A store without its bucket has no object either: see `Store::absent`.
    pub(crate) fn of_object(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other => Self::of_store(other),
        }
    }

    /// An error of the store as a whole; here "not found" is about the bucket.
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

    /// An error of a local store's folder itself.
    pub(crate) fn of_folder(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NoBucket(error.into()),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Denied(error.into()),
            kind if is_full_kind(kind) => Self::Full(error.into()),
            _ => Self::Unavailable(error.into()),
        }
    }
}

/// The status that an HTTP store answered with, where the library gives the error no kind of its own, as for listings. Its
/// type for them is private; the text is held by a test against a real store.
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

/// The operating system's error among the causes, however deep.
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
    fn errors_of_the_system_are_sorted_however_deep_they_lie() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let error = local(kind);
            assert!(matches!(error, ArtifactError::Full(_)) && !error.is_disk_full(), "{error:?}");
            assert!(ArtifactError::from(io::Error::from(kind)).is_disk_full(), "the reader's own disk");
        }
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
            assert!(matches!(local(kind), ArtifactError::Denied(_)), "{kind:?}");
        }
        assert!(matches!(local(io::ErrorKind::ConnectionReset), ArtifactError::Unavailable(_)));
    }

    #[test]
    fn what_a_store_refuses_is_sorted() {
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
