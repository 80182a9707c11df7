//! Keys that are derived from the token secret. A new secret invalidates all refresh tokens as well as access tokens.

use std::fmt;
use std::net::IpAddr;

use ring::hmac;

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
    /// Derives the keys. No key reveals the secret or another key.
    pub(super) fn derive(secret: &[u8]) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let key = |purpose: &str| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&secret, purpose.as_bytes()).as_ref());
        Self {
            token_hash: key("trainyard refresh token hash 1"),
            successor: key("trainyard refresh token successor 1"),
            address: key("trainyard client address 1"),
        }
    }

    /// The hash of a refresh token that the database stores.
    pub fn token_hash(&self, token: &str) -> String {
        text(&self.token_hash, token)
    }

    /// The successor of a used refresh token. All replicas derive the same successor, which needs the key.
    pub fn successor(&self, token: &str) -> String {
        text(&self.successor, token)
    }

    /// The hash of a client address that the database stores.
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
    fn each_purpose_and_each_secret_gives_other_values() {
        let (keys, same, other) =
            (SessionKeys::derive(b"secret"), SessionKeys::derive(b"secret"), SessionKeys::derive(b"another"));
        assert_eq!(keys.successor("t"), same.successor("t"), "at every replica");
        assert_ne!(keys.successor("t"), keys.token_hash("t"), "the stored hash is not the successor");
        assert_ne!(keys.token_hash("t"), other.token_hash("t"), "another secret invalidates refresh tokens");
        assert_eq!(keys.token_hash("t").len(), 64);
        assert!(!format!("{keys:?}").contains("secret"));
    }
}
