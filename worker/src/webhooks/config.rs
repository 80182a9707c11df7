//! Settings of webhooks.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use trainyard_domain::webhook::Rules;

use super::Secret;

/// Most retries of one delivery.
const MAX_RETRIES: usize = 20;

/// Settings of webhooks; `app/src/default.toml` documents the keys.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Signs webhooks. Without a secret, jobs with a webhook are refused.
    #[serde(deserialize_with = "secret")]
    pub secret: Option<Secret>,
    /// Also signs webhooks, while receivers change to a new secret.
    #[serde(deserialize_with = "secret")]
    pub previous_secret: Option<Secret>,
    /// Whether webhooks may use private networks and plain HTTP.
    pub allow_private_addresses: bool,
    /// Time limit of an attempt, in seconds.
    pub timeout_s: u64,
    /// Most concurrent attempts; at most a quarter of them to one receiver.
    pub concurrency: usize,
    /// Seconds between attempts.
    pub retry_pauses_s: Pauses,
    /// How long a finished delivery can be read and replayed, in seconds.
    pub keep_s: u64,
}

impl WebhookConfig {
    /// The rules for webhook URLs.
    pub fn rules(&self) -> Rules {
        Rules { enabled: self.secret.is_some(), allow_private_addresses: self.allow_private_addresses }
    }

    /// The value of `webhook-signature`: one signature for each secret.
    pub(super) fn signatures(&self, id: &str, timestamp: &str, body: &str) -> String {
        let secrets = self.secret.iter().chain(&self.previous_secret);
        secrets.map(|secret| secret.sign(id, timestamp, body)).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s.max(1))
    }
}

/// Seconds between the attempts of a delivery. The setting is a list such as `5, 300`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pauses(pub Vec<i64>);

impl TryFrom<String> for Pauses {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let seconds = |part: &str| part.trim().parse().ok().filter(|pause| (0..=7 * 24 * 3_600).contains(pause));
        let pauses: Option<Vec<i64>> = text.split(',').map(seconds).collect();
        let pauses = pauses.filter(|pauses| pauses.len() <= MAX_RETRIES);
        let expected =
            || format!("must be up to {MAX_RETRIES} comma-separated whole numbers of seconds, each at most a week");
        pauses.map(Self).ok_or_else(expected)
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { Secret::parse(&text).map(Some).map_err(serde::de::Error::custom) }
}

#[cfg(test)]
mod tests {
    use trainyard_testkit::default_settings;

    use super::*;

    #[test]
    fn pauses_are_a_list_of_seconds() {
        assert_eq!(Pauses::try_from("5, 300,0".to_owned()), Ok(Pauses(vec![5, 300, 0])));
        for wrong in ["", "5 300", "5,,6", "-1", "1.5", "604801", &["1"; 21].join(",")] {
            assert!(Pauses::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        let day: i64 = default_settings::<WebhookConfig>("webhooks").retry_pauses_s.0.iter().sum();
        assert!(day >= 24 * 3_600, "retried for a day: {day}");
    }

    #[test]
    fn both_secrets_sign() {
        let secret = |byte: char| Secret::parse(&format!("whsec_{}", String::from(byte).repeat(32))).ok();
        let old = WebhookConfig { secret: secret('a'), ..default_settings("webhooks") };
        let both = WebhookConfig { secret: secret('b'), previous_secret: secret('a'), ..old.clone() };
        let signed = both.signatures("id", "1", "{}");
        let (first, second) = signed.split_once(' ').unwrap();
        assert_eq!(second, old.signatures("id", "1", "{}"));
        assert!(first.starts_with("v1,") && first != second);
        assert!(!default_settings::<WebhookConfig>("webhooks").rules().enabled && old.rules().enabled);
    }
}
