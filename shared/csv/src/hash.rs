//! Hashes with fixed keys: the same file has the same digests everywhere.

/// A hash of bytes.
#[inline]
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    rapidhash::v3::rapidhash_v3(bytes)
}

/// A hash of a number: every bit of the result depends on every bit of the number.
#[inline]
pub(crate) fn number(number: u64) -> u64 {
    // The finalizer of SplitMix64.
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A key of 128 bits for a row.
#[inline]
pub(crate) fn row_key(row: u64) -> u128 {
    (u128::from(number(row)) << 64) | u128::from(number(row ^ 0x5851_f42d_4c95_7f2d))
}
