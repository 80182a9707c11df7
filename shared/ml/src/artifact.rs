//! The model file (artifact): written by training, and validated completely before use.
//!
//! ```text
//! magic "TYMODEL\0" · format version u32 · manifest length u32 · manifest (JSON)
//! section count u32 · per section: id u32 · length u64 · bytes        (today one section: the estimator)
//! SHA-256 of everything before it
//! ```
//! All numbers are little-endian. Equal models have equal bytes. Reading never panics, and allocates at most a small
//! multiple of the file size. [`check`] defines the rules for a valid model.

mod bytes;
mod calibration;
mod check;
mod check_calibration;
mod check_distributions;
mod check_ensemble;
mod check_estimator;
mod ensemble;
mod error;
mod estimator;
mod format;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
pub(crate) mod samples;

use sha2::{Digest, Sha256};

use crate::model::{Manifest, Model};

pub(crate) use self::bytes::{Reader, Section, Writer};
pub use self::check::check;
pub(crate) use self::check_estimator::check_tree;
pub use self::error::ArtifactError;
pub(crate) use self::estimator::{decode_single, encode as encode_estimator, read_tree, write_tree};
pub use self::format::MAX_BYTES;
use self::format::{DIGEST_BYTES, MAGIC, MAX_MANIFEST_BYTES, VERSION};

/// Encodes a model. An invalid model can be encoded but not decoded, so training decodes the file before it reports
/// success.
pub fn encode(model: &Model) -> Vec<u8> {
    let mut out = Writer::default();
    out.raw(MAGIC);
    out.u32(VERSION);
    // Serialization of string keys and numbers can't fail. Decoding would refuse an empty manifest.
    let manifest = serde_json::to_vec(&model.manifest).unwrap_or_default();
    out.length(manifest.len());
    out.raw(&manifest);
    out.u32(1);
    out.section(&estimator::encode(&model.estimator));
    let mut bytes = out.finish();
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
}

/// Decodes and validates a model file.
///
/// # Errors
/// The first error found.
pub fn decode(bytes: &[u8]) -> Result<Model, ArtifactError> {
    if bytes.len() > MAX_BYTES {
        return Err(ArtifactError::TooLarge { found: bytes.len() });
    }
    let content = verify_envelope(bytes)?;
    let mut reader = Reader::new(content);
    let manifest = read_manifest(&mut reader)?;
    if reader.u32()? != 1 {
        return Err(ArtifactError::invalid("there must be exactly one section"));
    }
    let section = reader.section()?;
    reader.end()?;
    let model = Model { manifest, estimator: estimator::decode(&section)? };
    check(&model)?;
    Ok(model)
}

/// Checks magic number, version and digest, and returns the content between them.
fn verify_envelope(bytes: &[u8]) -> Result<&[u8], ArtifactError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(ArtifactError::NotAModel)?;
    let (version, _) = rest.split_first_chunk::<4>().ok_or(ArtifactError::Damaged)?;
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(ArtifactError::UnknownVersion { found: version });
    }
    let (content, digest) = bytes.split_last_chunk::<DIGEST_BYTES>().ok_or(ArtifactError::Damaged)?;
    if Sha256::digest(content)[..] != digest[..] {
        return Err(ArtifactError::Damaged);
    }
    content.get(MAGIC.len() + 4..).ok_or(ArtifactError::Damaged)
}

fn read_manifest(reader: &mut Reader<'_>) -> Result<Manifest, ArtifactError> {
    let length = reader.length()?;
    if length > MAX_MANIFEST_BYTES {
        return Err(ArtifactError::invalid(format!("a manifest of {length} bytes")));
    }
    serde_json::from_slice(reader.take(length)?).map_err(ArtifactError::Manifest)
}

/// Recomputes the digest of altered content, as an attacker could.
#[cfg(test)]
pub(crate) fn rewrite_digest(bytes: &mut [u8]) {
    if let Some(length) = bytes.len().checked_sub(DIGEST_BYTES) {
        let digest = Sha256::digest(&bytes[..length]);
        bytes[length..].copy_from_slice(&digest);
    }
}
