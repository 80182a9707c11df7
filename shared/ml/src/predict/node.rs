//! The node layouts of compiled trees.

/// A node of a compiled tree. For a leaf, `feature` is the number of features of the model, `left` is the leaf itself, and
/// `missing_right` is false. `left` is relative to the root of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields {
    /// The key of the threshold, minus one with `missing_right`; or 32 bits for a leaf.
    pub(super) payload: u32,
    pub(super) feature: u32,
    pub(super) missing_right: bool,
    pub(super) left: u32,
}

/// A layout of [`Fields`].
pub(super) trait Node: Copy + Send + Sync + 'static {
    /// Maximum feature index.
    const MAX_FEATURE: usize;
    /// Maximum node index.
    const MAX_NODE: usize;

    fn new(fields: Fields) -> Self;
    fn payload(&self) -> u32;
    fn feature(&self) -> u32;
    /// 1 with `missing_right`, else 0.
    fn missing_right(&self) -> u32;
    fn left(&self) -> u32;
}

/// Eight bytes: the feature in the low `BITS` bits of a word, then `missing_right`, and the left child in the high bits.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Packed<const BITS: u32> {
    payload: u32,
    meta: u32,
}

impl<const BITS: u32> Node for Packed<BITS> {
    const MAX_FEATURE: usize = (1 << BITS) - 1;
    const MAX_NODE: usize = (1 << (31 - BITS)) - 1;

    #[inline]
    fn new(fields: Fields) -> Self {
        let Fields { payload, feature, missing_right, left } = fields;
        Self { payload, meta: (left << (BITS + 1)) | (u32::from(missing_right) << BITS) | feature }
    }

    #[inline(always)]
    fn payload(&self) -> u32 {
        self.payload
    }

    #[inline(always)]
    fn feature(&self) -> u32 {
        self.meta & ((1 << BITS) - 1)
    }

    #[inline(always)]
    fn missing_right(&self) -> u32 {
        (self.meta >> BITS) & 1
    }

    #[inline(always)]
    fn left(&self) -> u32 {
        self.meta >> (BITS + 1)
    }
}

/// Twelve bytes, for large trees and wide models.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wide {
    payload: u32,
    /// The feature in the low 31 bits, then `missing_right`.
    feature: u32,
    left: u32,
}

impl Node for Wide {
    const MAX_FEATURE: usize = (1 << 31) - 1;
    const MAX_NODE: usize = u32::MAX as usize;

    #[inline]
    fn new(fields: Fields) -> Self {
        let Fields { payload, feature, missing_right, left } = fields;
        Self { payload, feature: (u32::from(missing_right) << 31) | feature, left }
    }

    #[inline(always)]
    fn payload(&self) -> u32 {
        self.payload
    }

    #[inline(always)]
    fn feature(&self) -> u32 {
        self.feature & ((1 << 31) - 1)
    }

    #[inline(always)]
    fn missing_right(&self) -> u32 {
        self.feature >> 31
    }

    #[inline(always)]
    fn left(&self) -> u32 {
        self.left
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
        fn holds<N: Node>() {
            let (feature, left) = (N::MAX_FEATURE.min(1 << 20) as u32, N::MAX_NODE as u32);
            for missing_right in [false, true] {
                let node = N::new(Fields { payload: u32::MAX - 7, feature, missing_right, left });
                assert_eq!((node.payload(), node.feature(), node.left()), (u32::MAX - 7, feature, left));
                assert_eq!(node.missing_right(), u32::from(missing_right));
            }
        }
        holds::<Packed<10>>();
        holds::<Packed<14>>();
        holds::<Wide>();
        assert_eq!(size_of::<Packed<10>>(), 8);
    }
}
