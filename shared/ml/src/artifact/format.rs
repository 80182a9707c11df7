//! Constants of the file format.

pub(super) const MAGIC: &[u8; 8] = b"TYMODEL\0";
pub(super) const VERSION: u32 = 2;
/// The oldest version that can be read. Version 1 has no scalings, target means, dates, readings and number labels; its
/// manifest is a valid manifest without them.
pub(super) const OLDEST_VERSION: u32 = 1;
pub(super) const DIGEST_BYTES: usize = 32;
/// Maximum size of a model file.
pub const MAX_BYTES: usize = 1 << 30;
/// Maximum size of the manifest; 10,000 features with their categories are smaller.
pub(super) const MAX_MANIFEST_BYTES: usize = 64 << 20;
