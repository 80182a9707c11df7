//! Nodes of compiled trees: how a threshold, a feature and a child share a few bytes.

/// A node of a flattened tree. `feature` is the model's number of features for a leaf; `left` counts from the tree's
/// root, and is the node itself for a leaf.
pub(super) trait Node: Copy + Send + Sync + 'static {
    /// Largest feature number it can hold.
    const MAX_FEATURE: usize;
    /// Largest node index it can hold.
    const MAX_NODE: usize;

    fn new(payload: i32, feature: u32, left: u32) -> Self;
    /// The sortable threshold of an inner node; a leaf's 32 bits of whatever it stands for.
    fn payload(&self) -> i32;
    fn feature(&self) -> u32;
    fn left(&self) -> u32;
}

/// Eight bytes: the feature in the low `BITS` bits of a word, the left child above.
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

/// Twelve bytes, for trees too large or models too wide to pack.
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

/// In the column past the last feature of every row: below every threshold, so that leaves lead to themselves.
pub(super) const FLOOR: i32 = i32::MIN;

/// An `f32` as an integer that sorts the same way; minus zero as zero; NaN (missing) below every number, above
/// [`FLOOR`]. Integer comparisons have one outcome less to care for than comparisons of floats.
#[inline(always)]
pub(super) fn key(value: f32) -> i32 {
    if value.is_nan() {
        return FLOOR + 1;
    }
    let bits = (value + 0.0).to_bits() as i32;
    // Negative floats grow downwards: flip all but the sign.
    bits ^ ((bits >> 31) as u32 >> 1) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_numbers_do() {
        let ascending = [f32::NEG_INFINITY, f32::MIN, -1.5, -f32::MIN_POSITIVE, -1e-45, 0.0, 1e-45, 1.5, f32::MAX];
        assert!(ascending.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert_eq!(key(-0.0), key(0.0));
        assert!(FLOOR < key(f32::NAN) && key(f32::NAN) < key(f32::NEG_INFINITY));
    }

    #[test]
    fn nodes_hold_their_limits() {
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
