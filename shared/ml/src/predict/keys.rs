//! Keys: integers that replace the numbers of a row, so that a walk compares integers, and missing values need no branch.

use super::node::{Fields, MISSING_KEY, key};
use super::ranks::Ranks;
use crate::model::Tree;

/// How raw rows become rows of keys. Each row of keys ends with the column of leaves, whose key is never above a threshold.
#[derive(Debug)]
pub(super) enum Encoder {
    /// A column per raw value, with [`key`].
    Integers {
        /// Number of raw values per row.
        features: usize,
    },
    /// Columns of ranks.
    Ranks(Ranks),
}

/// Rows of keys, as integers or as ranks.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) integers: Vec<u32>,
    pub(super) ranks: Vec<u8>,
}

impl Encoder {
    /// The smallest keys for trees over raw rows of `features` numbers.
    pub(super) fn new<'a>(trees: impl Iterator<Item = &'a Tree>, features: usize) -> Self {
        Ranks::new(trees, features).map_or(Self::Integers { features }, Self::Ranks)
    }

    /// Number of columns, without that of the leaves.
    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Integers { features } => *features,
            Self::Ranks(ranks) => ranks.columns(),
        }
    }

    /// Number of raw values per row.
    pub(super) fn features(&self) -> usize {
        match self {
            Self::Integers { features } => *features,
            Self::Ranks(ranks) => ranks.features(),
        }
    }

    /// Replaces `keys` by the keys of consecutive raw rows.
    pub(super) fn encode(&self, raw: &[f32], keys: &mut Keys) {
        match self {
            Self::Integers { features } => {
                keys.integers.clear();
                keys.integers.reserve(raw.len() / features * (features + 1));
                for row in raw.chunks_exact(*features) {
                    keys.integers.extend(row.iter().map(|value| key(*value)));
                    keys.integers.push(MISSING_KEY);
                }
            }
            Self::Ranks(ranks) => ranks.encode(raw, &mut keys.ranks),
        }
    }

    /// The compiled split of a tree. `left` is the left child.
    ///
    /// # Panics
    /// If the encoder is not that of the tree.
    pub(super) fn split(&self, feature: u32, threshold: f32, missing_right: bool, left: u32) -> Fields {
        match self {
            Self::Integers { .. } => {
                let threshold = key(threshold) - u32::from(missing_right);
                Fields { threshold, column: feature, missing_right, left }
            }
            // The side of the missing values belongs to the column.
            Self::Ranks(ranks) => {
                let (column, threshold) = ranks.split(feature, threshold, missing_right);
                Fields { threshold, column, missing_right: false, left }
            }
        }
    }

    /// For each column the value of its raw number.
    pub(super) fn each_column(&self, of_raw: &[u32]) -> Vec<u32> {
        match self {
            Self::Integers { .. } => of_raw.to_vec(),
            Self::Ranks(ranks) => ranks.each_column(of_raw),
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Integers { .. } => 0,
            Self::Ranks(ranks) => ranks.memory_bytes(),
        }
    }
}
