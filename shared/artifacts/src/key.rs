//! Keys of objects, validated before they reach a file system or a bucket.

use chrono::{DateTime, Utc};
use trainyard_domain::ids::{DatasetId, JobId};
use uuid::Uuid;

/// Maximum length of a key in bytes. S3 allows 1,024 including the prefix.
const MAX_BYTES: usize = 512;

/// An object key: segments of `[A-Za-z0-9._-]`, separated by single slashes. No segment consists of dots only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

/// The text is not a valid [`Key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid object key")]
pub struct BadKey;

impl Key {
    /// The folder of the request log.
    pub const REQUEST_LOG: &'static str = "requests";

    /// An object of the request log, in a folder of the day on which it was written (UTC).
    pub fn request_log(written_at: DateTime<Utc>, id: Uuid) -> Self {
        Self(format!("{}/{}/{id}.jsonl.gz", Self::REQUEST_LOG, written_at.format("%Y/%m/%d")))
    }

    /// The artifact of one run of a job. The key contains the claim, so that a run that lost its lease cannot overwrite
    /// the artifact of a later run.
    pub fn artifact(job: JobId, claim: i64) -> Self {
        Self(format!("artifacts/{job}/{claim}.tym"))
    }

    /// A part of the result of a prediction job, stored by one run. The key contains the claim for the same reason as that of
    /// an artifact.
    pub fn prediction_part(job: JobId, claim: i64, part: i64) -> Self {
        Self(format!("predictions/{job}/{claim}/{part}.csv"))
    }

    /// A checkpoint of one run of a training job. The key contains the claim for the same reason as that of an artifact, and a
    /// number, so that no object is overwritten while another run reads it.
    pub fn checkpoint(job: JobId, claim: i64, number: i64) -> Self {
        Self(format!("checkpoints/{job}/{claim}/{number}.tyc"))
    }

    /// The CSV of one version of a dataset.
    pub fn dataset(id: DatasetId) -> Self {
        Self(format!("datasets/{id}.csv"))
    }

    /// Parses a key, for example from a database row. Refuses absolute paths, `..`, empty segments and other characters.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let fits = text.len() <= MAX_BYTES && text.split('/').all(is_segment);
        if fits { Ok(Self(text.to_owned())) } else { Err(BadKey) }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_segment(segment: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    segment.bytes().all(known) && segment.bytes().any(|byte| byte != b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_parse_as_they_were_made() {
        let id = "0190b5f2-7c1a-7000-8000-000000000001";
        let artifact = Key::artifact(id.parse().unwrap(), 3);
        assert_eq!(artifact.as_str(), format!("artifacts/{id}/3.tym"));
        let dataset = Key::dataset(id.parse().unwrap());
        assert_eq!(dataset.as_str(), format!("datasets/{id}.csv"));
        let log = Key::request_log("2026-08-02T23:59:59Z".parse().unwrap(), id.parse().unwrap());
        assert_eq!(log.as_str(), format!("requests/2026/08/02/{id}.jsonl.gz"));
        let part = Key::prediction_part(id.parse().unwrap(), 3, 12);
        assert_eq!(part.as_str(), format!("predictions/{id}/3/12.csv"));
        let checkpoint = Key::checkpoint(id.parse().unwrap(), 3, 12);
        assert_eq!(checkpoint.as_str(), format!("checkpoints/{id}/3/12.tyc"));
        for key in [artifact, dataset, log, part, checkpoint] {
            assert_eq!(Key::parse(key.as_str()), Ok(key));
        }
    }

    #[test]
    fn hostile_keys_are_refused() {
        let long = "a/".repeat(300) + "a";
        for bad in [
            "",
            "/",
            "../x",
            "a/../b",
            "a/..",
            ".",
            "a/./b",
            "/etc/passwd",
            "a//b",
            "a/",
            "a b",
            "a\\b",
            "a\0b",
            "a#1",
            "é",
            "a%2e",
            "~",
            "...",
            long.as_str(),
        ] {
            assert_eq!(Key::parse(bad), Err(BadKey), "{bad:?} was accepted");
        }
    }
}
