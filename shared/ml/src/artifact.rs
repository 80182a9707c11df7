//! The model file: written by training, and checked to the last index before anything in it is used.
//!
//! ```text
//! magic "TYMODEL\0" · format version u32 · manifest length u32 · manifest (JSON)
//! section count u32 · per section: id u32 · length u64 · bytes        (today one section: the body)
//! SHA-256 of everything before it
//! ```
//! All numbers are little-endian. The same model gives the same bytes. Reading never executes, never panics, and never
//! allocates more than a small multiple of the file's own size; see [`check`] for what a model has to satisfy.

mod body;
mod bytes;
mod check;
mod check_body;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
pub(crate) mod samples;

use sha2::{Digest, Sha256};

use self::bytes::{Reader, Writer};
use crate::model::{Manifest, Model};

pub use self::check::check;

const MAGIC: &[u8; 8] = b"TYMODEL\0";
const VERSION: u32 = 1;
const DIGEST_BYTES: usize = 32;
/// Largest file that is looked at.
pub const MAX_BYTES: usize = 1 << 30;
/// Largest manifest: 10,000 features with their categories fit well within.
const MAX_MANIFEST_BYTES: usize = 64 << 20;

/// Why bytes are not a model that can be served.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// Not a model file at all.
    #[error("this is not a Trainyard model file")]
    NotAModel,
    /// A format that this version does not know.
    #[error("the model file has format version {found}; this version reads {VERSION}")]
    UnknownVersion {
        /// What the file says.
        found: u32,
    },
    /// The bytes are not what was written.
    #[error("the model file is damaged: its SHA-256 does not match its content")]
    Damaged,
    /// Larger than [`MAX_BYTES`].
    #[error("the model file has {found} bytes; at most {MAX_BYTES} are read")]
    TooLarge {
        /// Its size.
        found: usize,
    },
    /// The manifest is no JSON, or not of the expected shape.
    #[error("the model file's manifest can't be read")]
    Manifest(#[source] serde_json::Error),
    /// A length, count, index or number that no correct model has.
    #[error("the model file is inconsistent: {0}")]
    Invalid(String),
    /// The loaded model answers its own test rows differently from when it was trained.
    #[error("the model fails its self-test on row {row}: expected {expected}, got {found}")]
    SelfTest {
        /// Position in the manifest's test rows.
        row: usize,
        /// The output that training recorded.
        expected: f64,
        /// The output now.
        found: f64,
    },
}

impl ArtifactError {
    fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

/// Writes a model file. A model that breaks the rules of [`check`] can be written but never read back, so training
/// loads what it wrote before it reports success.
pub fn encode(model: &Model) -> Vec<u8> {
    let mut out = Writer::default();
    out.raw(MAGIC);
    out.u32(VERSION);
    // Maps with text keys and plain numbers: serialisation can't fail, and an empty manifest would be refused on reading.
    let manifest = serde_json::to_vec(&model.manifest).unwrap_or_default();
    out.length(manifest.len());
    out.raw(&manifest);
    let (id, section) = body::encode(&model.body);
    out.u32(1);
    out.u32(id);
    out.u64(section.len() as u64);
    out.raw(&section);
    let mut bytes = out.finish();
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
}

/// Reads a model file and checks all of it.
///
/// # Errors
/// The first thing found wrong; see [`ArtifactError`].
pub fn decode(bytes: &[u8]) -> Result<Model, ArtifactError> {
    if bytes.len() > MAX_BYTES {
        return Err(ArtifactError::TooLarge { found: bytes.len() });
    }
    let content = open(bytes)?;
    let mut reader = Reader::new(content);
    let manifest = read_manifest(&mut reader)?;
    if reader.u32()? != 1 {
        return Err(ArtifactError::invalid("there must be exactly one section"));
    }
    let id = reader.u32()?;
    let length = usize::try_from(reader.u64()?).map_err(|_| ArtifactError::invalid("a section's length"))?;
    let section = reader.take(length)?;
    reader.end()?;
    let model = Model { manifest, body: body::decode(id, section)? };
    check(&model)?;
    Ok(model)
}

/// What lies between magic and version on one side and digest on the other.
fn open(bytes: &[u8]) -> Result<&[u8], ArtifactError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(ArtifactError::NotAModel)?;
    let (version, _) = rest.split_first_chunk::<4>().ok_or(ArtifactError::Damaged)?;
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(ArtifactError::UnknownVersion { found: version });
    }
    let (signed, digest) = bytes.split_last_chunk::<DIGEST_BYTES>().ok_or(ArtifactError::Damaged)?;
    if Sha256::digest(signed)[..] != digest[..] {
        return Err(ArtifactError::Damaged);
    }
    signed.get(MAGIC.len() + 4..).ok_or(ArtifactError::Damaged)
}

fn read_manifest(reader: &mut Reader<'_>) -> Result<Manifest, ArtifactError> {
    let length = reader.length()?;
    if length > MAX_MANIFEST_BYTES {
        return Err(ArtifactError::invalid(format!("a manifest of {length} bytes")));
    }
    serde_json::from_slice(reader.take(length)?).map_err(ArtifactError::Manifest)
}

/// Puts the right digest behind altered content: what a forger could do too.
#[cfg(test)]
pub(crate) fn reseal(bytes: &mut [u8]) {
    if let Some(signed) = bytes.len().checked_sub(DIGEST_BYTES) {
        let digest = Sha256::digest(&bytes[..signed]);
        bytes[signed..].copy_from_slice(&digest);
    }
}
