//! SHA-256 over bytes as they pass by.

use sha2::{Digest as _, Sha256};

/// The running digest and the count of bytes so far.
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

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest in lower-case hexadecimal.
    pub(crate) fn finish(self) -> String {
        hex::encode(self.hash.finalize())
    }
}
