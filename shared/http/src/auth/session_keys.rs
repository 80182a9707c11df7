//! Keys that are derived from the token secret: another secret ends refresh tokens as it ends access tokens.

use std::fmt;
use std::net::IpAddr;

use aws_lc_rs::hmac;

/// HMAC-SHA-256 keys, one for each purpose.
pub struct SessionKeys {
    token_hash: hmac::Key,
    successor: hmac::Key,
    address: hmac::Key,
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys(…)")
    }
}

impl SessionKeys {
    /// Keys of a secret. Without the secret none of them can be found, and none leads to another.
    pub(super) fn derive(secret: &[u8]) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let key = |purpose: &str| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&secret, purpose.as_bytes()).as_ref());
        Self {
            token_hash: key("trainyard refresh token hash 1"),
            successor: key("trainyard refresh token successor 1"),
            address: key("trainyard client address 1"),
        }
    }

    /// What the database keeps of a refresh token.
    pub fn token_hash(&self, token: &str) -> String {
        text(&self.token_hash, token)
    }

    /// The refresh token that a spent one is exchanged for: the same each time and at every replica, and known to nobody
    /// who has the spent one alone.
    pub fn successor(&self, token: &str) -> String {
        text(&self.successor, token)
    }

    /// What the database keeps of a client's address.
    pub fn address(&self, address: IpAddr) -> String {
        text(&self.address, &address.to_string())
    }
}

fn text(key: &hmac::Key, of: &str) -> String {
    hmac::sign(key, of.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_and_each_secret_has_its_own_answers() {
        let (keys, same, other) =
            (SessionKeys::derive(b"secret"), SessionKeys::derive(b"secret"), SessionKeys::derive(b"another"));
        assert_eq!(keys.successor("t"), same.successor("t"), "at every replica");
        assert_ne!(keys.successor("t"), keys.token_hash("t"), "the database does not hold what a token leads to");
        assert_ne!(keys.token_hash("t"), other.token_hash("t"), "another secret ends refresh tokens");
        assert_eq!(keys.token_hash("t").len(), 64);
        assert!(!format!("{keys:?}").contains("secret"));
    }
}
