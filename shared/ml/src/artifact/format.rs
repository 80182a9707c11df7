//! Constants of the file format.

pub(super) const MAGIC: &[u8; 8] = b"TYMODEL\0";
/// Other versions are refused.
pub(super) const VERSION: u32 = 7;
pub(super) const DIGEST_BYTES: usize = 32;
/// Maximum size of a model file.
pub const MAX_BYTES: usize = 1 << 30;
/// Maximum size of the manifest; 10,000 features with their categories are smaller.
pub(super) const MAX_MANIFEST_BYTES: usize = 64 << 20;
