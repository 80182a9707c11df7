//! Names of objects. Only what this grammar allows ever reaches a file system or a bucket.

use trainyard_domain::ids::{DatasetId, JobId};

/// The longest key, in bytes; S3 takes 1,024 with the prefix.
const MAX_BYTES: usize = 512;

/// An object's name: segments of `[A-Za-z0-9._-]` parted by single slashes, none of them of dots alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

/// The text is no [`Key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no object key")]
pub struct BadKey;

impl Key {
    /// The artifact that one run of a job uploads. The claim is part of it, so a late run of a lost lease can't overwrite
    /// what its successor published.
    pub fn artifact(job: JobId, claim: i64) -> Self {
        Self(format!("artifacts/{job}/{claim}.tym"))
    }

    /// The CSV of one version of a data set.
    pub fn dataset(id: DatasetId) -> Self {
        Self(format!("datasets/{id}.csv"))
    }

    /// Reads a key back, such as from a database row.
    ///
    /// # Errors
    /// [`BadKey`] for anything outside the grammar: absolute paths, `..`, empty segments, other characters.
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
    fn made_keys_read_back() {
        let id = "0190b5f2-7c1a-7000-8000-000000000001";
        let artifact = Key::artifact(id.parse().unwrap(), 3);
        assert_eq!(artifact.as_str(), format!("artifacts/{id}/3.tym"));
        let dataset = Key::dataset(id.parse().unwrap());
        assert_eq!(dataset.as_str(), format!("datasets/{id}.csv"));
        for key in [artifact, dataset] {
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
