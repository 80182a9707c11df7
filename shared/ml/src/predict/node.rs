//! The node layouts of compiled trees.

/// A node of a compiled tree. For a leaf, `feature` is the number of features of the model, and `left` is the leaf
/// itself. `left` is relative to the root of the tree.
pub(super) trait Node: Copy + Send + Sync + 'static {
    /// Maximum feature index.
    const MAX_FEATURE: usize;
    /// Maximum node index.
    const MAX_NODE: usize;

    fn new(payload: i32, feature: u32, left: u32) -> Self;
    /// The sortable threshold of a split, or 32 bits for a leaf.
    fn payload(&self) -> i32;
    fn feature(&self) -> u32;
    fn left(&self) -> u32;
}

/// Eight bytes: the feature in the low `BITS` bits of a word, the left child in the high bits.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Packed<const BITS: u32> {
    payload: i32,
    meta: u32,
}

impl<const BITS: u32> Node for Packed<BITS> {
    const MAX_FEATURE: usize = (1 << BITS) - 1;
    const MAX_NODE: usize = (1 << (32 - BITS)) - 1;

    #[inline]
    fn new(payload: i32, feature: u32, left: u32) -> Self {
        Self { payload, meta: (left << BITS) | feature }
    }

    #[inline(always)]
    fn payload(&self) -> i32 {
        self.payload
    }

    #[inline(always)]
    fn feature(&self) -> u32 {
        self.meta & ((1 << BITS) - 1)
    }

    #[inline(always)]
    fn left(&self) -> u32 {
        self.meta >> BITS
    }
}

/// Twelve bytes, for large trees and wide models.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wide {
    payload: i32,
    feature: u32,
    left: u32,
}

impl Node for Wide {
    const MAX_FEATURE: usize = u32::MAX as usize;
    const MAX_NODE: usize = u32::MAX as usize;

    #[inline]
    fn new(payload: i32, feature: u32, left: u32) -> Self {
        Self { payload, feature, left }
    }

    #[inline(always)]
    fn payload(&self) -> i32 {
        self.payload
    }

    #[inline(always)]
    fn feature(&self) -> u32 {
        self.feature
    }

    #[inline(always)]
    fn left(&self) -> u32 {
        self.left
    }
}

/// The key after the last feature of every row: below every threshold, so that leaves point to themselves.
pub(super) const FLOOR_KEY: i32 = i32::MIN;

/// Converts an `f32` to an integer with the same order: minus zero equals zero, and NaN (missing) is below every number
/// and above [`FLOOR_KEY`]. Integer comparisons are total.
#[inline(always)]
pub(super) fn key(value: f32) -> i32 {
    if value.is_nan() {
        return FLOOR_KEY + 1;
    }
    let bits = (value + 0.0).to_bits() as i32;
    // Negative floats have the reverse order: all bits but the sign are flipped.
    bits ^ ((bits >> 31) as u32 >> 1) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_order_of_the_numbers() {
        let ascending = [f32::NEG_INFINITY, f32::MIN, -1.5, -f32::MIN_POSITIVE, -1e-45, 0.0, 1e-45, 1.5, f32::MAX];
        assert!(ascending.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert_eq!(key(-0.0), key(0.0));
        assert!(FLOOR_KEY < key(f32::NAN) && key(f32::NAN) < key(f32::NEG_INFINITY));
    }

    #[test]
    fn nodes_can_store_their_maximum_values() {
        fn holds<N: Node>() {
            let (feature, left) = (N::MAX_FEATURE.min(1 << 20) as u32, N::MAX_NODE as u32);
            let node = N::new(-7, feature, left);
            assert_eq!((node.payload(), node.feature(), node.left()), (-7, feature, left));
        }
        holds::<Packed<10>>();
        holds::<Packed<14>>();
        holds::<Wide>();
        assert_eq!(size_of::<Packed<10>>(), 8);
    }
}
