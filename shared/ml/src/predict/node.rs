//! The node layouts of compiled trees.

/// A node of a compiled tree. For a leaf, `column` is the number of columns of keys, the threshold is 0, `left` is the leaf
/// itself, and `missing_right` is false. `left` is relative to the root of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields {
    /// The key of the threshold, minus one with `missing_right`.
    pub(super) threshold: u32,
    pub(super) column: u32,
    pub(super) missing_right: bool,
    pub(super) left: u32,
}

/// A layout of [`Fields`].
pub(super) trait Node: Copy + Send + Sync + 'static {
    /// A key of a row.
    type Key: Copy + PartialEq;
    /// The key in the column of the leaves: above no threshold.
    const LEAF_KEY: Self::Key;
    /// Maximum column.
    const MAX_COLUMN: usize;
    /// Maximum node index.
    const MAX_NODE: usize;

    fn new(fields: Fields) -> Self;
    fn column(&self) -> u32;
    fn left(&self) -> u32;
    /// Whether a row with this key in the column goes right.
    fn goes_right(&self, key: Self::Key) -> bool;
}

/// Four bytes, for keys that are ranks: the column, the index of the threshold, and the left child in the high 16 bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked(u32);

impl Ranked {
    /// The index of the threshold.
    #[inline(always)]
    pub(super) fn rank(&self) -> u8 {
        (self.0 >> 8) as u8
    }
}

impl Node for Ranked {
    type Key = u8;
    const LEAF_KEY: u8 = 0;
    const MAX_COLUMN: usize = (1 << 8) - 1;
    const MAX_NODE: usize = (1 << 16) - 1;

    #[inline]
    fn new(Fields { threshold, column, left, .. }: Fields) -> Self {
        Self((left << 16) | (threshold << 8) | column)
    }

    #[inline(always)]
    fn column(&self) -> u32 {
        self.0 & 0xff
    }

    #[inline(always)]
    fn left(&self) -> u32 {
        self.0 >> 16
    }

    #[inline(always)]
    fn goes_right(&self, key: u8) -> bool {
        key > self.rank()
    }
}

/// Eight bytes: the column in the low `BITS` bits of a word, then `missing_right`, and the left child in the high bits.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Packed<const BITS: u32> {
    threshold: u32,
    meta: u32,
}

impl<const BITS: u32> Node for Packed<BITS> {
    type Key = u32;
    const LEAF_KEY: u32 = MISSING_KEY;
    const MAX_COLUMN: usize = (1 << BITS) - 1;
    const MAX_NODE: usize = (1 << (31 - BITS)) - 1;

    #[inline]
    fn new(fields: Fields) -> Self {
        let Fields { threshold, column, missing_right, left } = fields;
        Self { threshold, meta: (left << (BITS + 1)) | (u32::from(missing_right) << BITS) | column }
    }

    #[inline(always)]
    fn column(&self) -> u32 {
        self.meta & ((1 << BITS) - 1)
    }

    #[inline(always)]
    fn left(&self) -> u32 {
        self.meta >> (BITS + 1)
    }

    #[inline(always)]
    fn goes_right(&self, key: u32) -> bool {
        key.wrapping_sub((self.meta >> BITS) & 1) > self.threshold
    }
}

/// Twelve bytes, for large trees and wide models.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wide {
    threshold: u32,
    /// The column in the low 31 bits, then `missing_right`.
    column: u32,
    left: u32,
}

impl Node for Wide {
    type Key = u32;
    const LEAF_KEY: u32 = MISSING_KEY;
    const MAX_COLUMN: usize = (1 << 31) - 1;
    const MAX_NODE: usize = u32::MAX as usize;

    #[inline]
    fn new(fields: Fields) -> Self {
        let Fields { threshold, column, missing_right, left } = fields;
        Self { threshold, column: (u32::from(missing_right) << 31) | column, left }
    }

    #[inline(always)]
    fn column(&self) -> u32 {
        self.column & ((1 << 31) - 1)
    }

    #[inline(always)]
    fn left(&self) -> u32 {
        self.left
    }

    #[inline(always)]
    fn goes_right(&self, key: u32) -> bool {
        key.wrapping_sub(self.column >> 31) > self.threshold
    }
}

/// The key of missing values: below every number.
pub(super) const MISSING_KEY: u32 = 0;

/// Converts an `f32` to an integer with the same order: minus zero equals zero, and NaN is [`MISSING_KEY`]. All other keys
/// are greater than 1 and less than the maximum, so a subtraction of 1 keeps their order and moves only the missing
/// values, by wrap-around, above all numbers.
#[inline(always)]
pub(super) fn key(value: f32) -> u32 {
    if value.is_nan() {
        return MISSING_KEY;
    }
    let bits = (value + 0.0).to_bits();
    // Negative floats have the reverse order, so all their bits are flipped. Other floats get the highest bit.
    bits ^ ((bits.cast_signed() >> 31).cast_unsigned() | 1 << 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_order_of_the_numbers() {
        let ascending =
            [f32::NEG_INFINITY, f32::MIN, -1.5, -f32::MIN_POSITIVE, -1e-45, 0.0, 1e-45, 1.5, f32::MAX, f32::INFINITY];
        assert!(ascending.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert_eq!(key(-0.0), key(0.0));
        assert!(key(f32::NAN) == MISSING_KEY && key(-f32::NAN) == MISSING_KEY);
        assert!(key(f32::NEG_INFINITY) > 1 && key(f32::INFINITY) < u32::MAX);
    }

    #[test]
    fn nodes_can_store_their_maximum_values() {
        fn holds<N: Node>(threshold: u32, key: impl Fn(u32) -> N::Key) {
            let (column, left) = (N::MAX_COLUMN.min(1 << 20) as u32, N::MAX_NODE as u32);
            let node = N::new(Fields { threshold, column, missing_right: false, left });
            assert_eq!((node.column(), node.left()), (column, left));
            assert!(node.goes_right(key(threshold + 1)) && !node.goes_right(key(threshold)));
            assert!(!node.goes_right(N::LEAF_KEY));
        }
        fn missing_right<N: Node<Key = u32>>() {
            let node = N::new(Fields { threshold: 6, column: 3, missing_right: true, left: N::MAX_NODE as u32 });
            assert_eq!((node.column(), node.left()), (3, N::MAX_NODE as u32));
            assert!(node.goes_right(MISSING_KEY) && node.goes_right(8) && !node.goes_right(7));
        }
        holds::<Ranked>(254, |key| key as u8);
        holds::<Packed<10>>(u32::MAX - 7, |key| key);
        holds::<Packed<14>>(u32::MAX - 7, |key| key);
        holds::<Wide>(u32::MAX - 7, |key| key);
        missing_right::<Packed<10>>();
        missing_right::<Packed<14>>();
        missing_right::<Wide>();
        assert_eq!((size_of::<Ranked>(), size_of::<Packed<10>>()), (4, 8));
    }
}
