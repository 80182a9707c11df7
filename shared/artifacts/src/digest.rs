//! Incremental SHA-256 of a stream.

use sha2::{Digest as _, Sha256};

/// SHA-256 and size of the bytes so far.
pub(crate) struct Digest {
    hash: Hash,
    bytes: u64,
}

enum Hash {
    Running(Sha256),
    /// The caller knows the digest of all bytes.
    Known(String),
}

impl Default for Digest {
    fn default() -> Self {
        Self { hash: Hash::Running(Sha256::default()), bytes: 0 }
    }
}

impl Digest {
    /// A digest that only counts the bytes.
    pub(crate) fn known(sha256: &str) -> Self {
        Self { hash: Hash::Known(sha256.to_owned()), bytes: 0 }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Hash::Running(hash) = &mut self.hash {
            hash.update(bytes);
        }
        self.bytes += bytes.len() as u64;
    }

    /// Number of bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest, lower-case hexadecimal.
    pub(crate) fn finish(self) -> String {
        match self.hash {
            Hash::Running(hash) => hex::encode(hash.finalize()),
            Hash::Known(sha256) => sha256,
        }
    }
}
