//! Tokens that were found good, so that a caller's next request needs neither a signature check nor a decryption.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};

use super::claims::ExternalToken;

/// Most tokens that are remembered.
const MAX_TOKENS: usize = 4_096;

/// SHA-256 of a token: a token is as good as a password, so none is kept.
pub(super) type TokenDigest = [u8; 32];

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct VerifiedToken {
    /// Index of the issuer.
    pub(super) issuer: usize,
    /// The issuer's keys when it was verified.
    pub(super) generation: u64,
    pub(super) token: Arc<ExternalToken>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct VerifiedTokens(RwLock<HashMap<TokenDigest, VerifiedToken>>);

impl VerifiedTokens {
    pub(super) fn get(&self, digest: &TokenDigest) -> Option<VerifiedToken> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Remembers a token. When there is no room, expired ones go first, and else all.
    pub(super) fn insert(&self, digest: TokenDigest, token: VerifiedToken, now: DateTime<Utc>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_TOKENS {
            known.retain(|_, known| !known.token.is_expired(now));
        }
        if known.len() >= MAX_TOKENS {
            known.clear();
        }
        known.insert(digest, token);
    }
}

/// What a token is remembered by.
pub(super) fn digest_of(token: &str) -> TokenDigest {
    let mut bytes = TokenDigest::default();
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}
