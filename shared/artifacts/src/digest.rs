//! Incremental SHA-256 of a stream.

use sha2::{Digest as _, Sha256};

/// SHA-256 and size of the bytes so far.
#[derive(Default)]
pub(crate) struct Digest {
    hash: Sha256,
    bytes: u64,
}

impl Digest {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Number of bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest, lower-case hexadecimal.
    pub(crate) fn finish(self) -> String {
        hex::encode(self.hash.finalize())
    }
}
