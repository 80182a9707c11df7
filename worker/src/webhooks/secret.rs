//! The key that signs webhooks, and the signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

const PREFIX: &str = "whsec_";
/// The key lengths that Standard Webhooks allows, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// A key shared with receivers, as `whsec_` and base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Parses a secret.
    ///
    /// # Errors
    /// The expected form, without the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "must be whsec_ and the base64 of 24 to 64 random bytes";
        let key = text.strip_prefix(PREFIX).and_then(|key| STANDARD.decode(key).ok());
        key.filter(|key| LENGTHS.contains(&key.len())).map(Self).ok_or(EXPECTED)
    }

    /// The `webhook-signature` of a body: HMAC-SHA256 over id, timestamp (whole seconds since 1970) and body.
    pub(super) fn sign(&self, id: &str, timestamp: &str, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_vector_of_standard_webhooks_matches() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(!format!("{secret:?}").contains("49"), "the debug output shows the secret");
    }

    #[test]
    fn short_and_malformed_secrets_are_refused() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for wrong in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64!", &of(23), &of(65)] {
            assert!(Secret::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Secret::parse(&of(24)).is_ok() && Secret::parse(&of(64)).is_ok());
    }
}
