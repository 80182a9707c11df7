//! A hash of the cells of a row, to find equal rows. The same for every version and platform, because the split of the
//! rows depends on it.

/// The hash of a row with one more cell.
pub(super) fn add(hash: u64, cell: &str) -> u64 {
    let (words, rest) = cell.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    // The length separates a cell from the next one.
    let hash = mix(hash ^ cell.len() as u64);
    let hash = words.iter().fold(hash, |hash, word| mix(hash ^ u64::from_le_bytes(*word)));
    mix(hash ^ u64::from_le_bytes(last))
}

/// A bijection that spreads its input over all bits (the finalizer of SplitMix64).
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_cells_have_different_hashes() {
        let row = |cells: &[&str]| cells.iter().fold(0, |hash, cell| add(hash, cell));
        let rows = [row(&["a", "b"]), row(&["ab", ""]), row(&["", "ab"]), row(&["b", "a"]), row(&["a long cell", "b"])];
        for (i, hash) in rows.iter().enumerate() {
            assert!(rows[..i].iter().all(|other| other != hash), "{rows:?}");
        }
        assert_eq!(row(&["a", "b"]), row(&["a", "b"]));
    }
}
