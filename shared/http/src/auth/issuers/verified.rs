//! A cache of verified tokens, so that further requests need neither a signature check nor a decryption.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};

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

#[derive(Debug, Default)]
pub(super) struct VerifiedTokens(RwLock<HashMap<TokenDigest, VerifiedToken>>);

impl VerifiedTokens {
    pub(super) fn get(&self, digest: &TokenDigest) -> Option<VerifiedToken> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Adds a token. A full cache removes the expired tokens, or else all tokens.
    pub(super) fn insert(&self, digest: TokenDigest, token: VerifiedToken, now: DateTime<Utc>) {
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS {
            tokens.retain(|_, cached| !cached.token.is_expired(now));
        }
        if tokens.len() >= MAX_TOKENS {
            tokens.clear();
        }
        tokens.insert(digest, token);
    }
}

pub(super) fn digest_of(token: &str) -> TokenDigest {
    let mut bytes = TokenDigest::default();
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}
