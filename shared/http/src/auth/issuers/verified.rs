//! A cache of verified tokens, so that further requests need neither a signature check nor a decryption.

use std::sync::Arc;

use quick_cache::sync::Cache;
use ring::digest::{SHA256, digest};

use super::claims::ExternalToken;

const MAX_TOKENS: usize = 4_096;

/// SHA-256 of a token: tokens are secrets, so the cache does not store them.
pub(super) type TokenDigest = [u8; 32];

#[derive(Debug, Clone)]
pub(super) struct VerifiedToken {
    pub(super) issuer: usize,
    /// The generation of the keys that verified the token.
    pub(super) generation: u64,
    pub(super) token: Arc<ExternalToken>,
}

#[derive(Debug)]
pub(super) struct VerifiedTokens(Cache<TokenDigest, VerifiedToken>);

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self(Cache::new(MAX_TOKENS))
    }
}

impl VerifiedTokens {
    pub(super) fn get(&self, digest: &TokenDigest) -> Option<VerifiedToken> {
        self.0.get(digest)
    }

    pub(super) fn insert(&self, digest: TokenDigest, token: VerifiedToken) {
        self.0.insert(digest, token);
    }
}

pub(super) fn digest_of(token: &str) -> TokenDigest {
    let mut bytes = TokenDigest::default();
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}
