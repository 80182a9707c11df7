//! Models: names, versions and aliases.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::algorithm::Algorithm;
use crate::ids::{DatasetId, JobId};

/// The alias that `/inference` uses when a request names neither version nor alias.
pub const PRODUCTION: &str = "production";

/// A model's name: `[a-z0-9][a-z0-9._-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelName(String);

impl ModelName {
    /// Parses a name; the error is a message for the client.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        parse_name(text).map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ModelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses a name of a model, a dataset, a schedule or an alias.
pub(crate) fn parse_name(text: &str) -> Result<String, &'static str> {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let rest = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    if first && rest && text.len() <= 64 {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 64 characters of a-z, 0-9, '.', '_' and '-', and start with a letter or digit")
    }
}

/// Parses an alias; the error is a message for the client. A number would be read as a version.
pub fn parse_alias(text: &str) -> Result<String, &'static str> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Err("must not be a number, because a number is read as a version");
    }
    parse_name(text)
}

/// A published version of a model.
#[derive(Debug, Clone)]
pub struct ModelVersion {
    /// The model's name.
    pub name: ModelName,
    /// Version number, from 1.
    pub version: i64,
    /// The job that trained it. A job publishes at most one version.
    pub job_id: JobId,
    /// The training algorithm.
    pub algorithm: Algorithm,
    /// Feature names, in the order of the model's columns.
    pub features: Vec<String>,
    /// The target column.
    pub target: String,
    /// Metrics on the held-out part.
    pub metrics: serde_json::Value,
    /// The dataset version that it was trained on.
    pub dataset_id: DatasetId,
    /// Size of the artifact in bytes.
    pub size: i64,
    /// SHA-256 of the artifact, hexadecimal.
    pub sha256: String,
    /// The artifact's key in the object store.
    pub artifact_key: String,
    /// Trace context of the publication (W3C). The first load continues this trace.
    pub traceparent: Option<String>,
    /// When it was published.
    pub created_at: DateTime<Utc>,
    /// Aliases of this version, sorted.
    pub aliases: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_contract() {
        for good in ["a", "titanic-rf", "0.1_x", &"a".repeat(64)] {
            assert!(ModelName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "-a", ".a", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(ModelName::parse(bad).is_err(), "{bad}");
        }
        assert!(parse_alias("production").is_ok());
        assert!(parse_alias("3").is_err());
    }
}
