//! The encoding of the values of a feature to raw values, shared by training and prediction. [`super::request`] reads
//! the values of a request.

use super::signature::{CategoryOrder, Feature, FeatureKind};

/// The value of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input {
    /// Absent, null, or a text that means a missing value.
    Missing,
    /// A finite number.
    Number(f64),
    /// A boolean.
    Boolean(bool),
    /// The code of a category.
    Code(u32),
    /// A category that did not occur in training.
    Unseen,
    /// A date in seconds since 1970.
    Seconds(f64),
}

/// The status of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Present.
    Present,
    /// Absent, null, or a text that means a missing value.
    Missing,
    /// A category that did not occur in training.
    Unseen,
}

/// An encoded row. The buffers are reused from row to row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawRow {
    /// [`super::Signature::width`] numbers; NaN if the value is missing.
    pub raw: Vec<f32>,
    /// One flag per number: true for a category that did not occur in training.
    pub unseen: Vec<bool>,
}

impl RawRow {
    /// Creates a row of `width` missing values.
    pub fn new(width: usize) -> Self {
        Self { raw: vec![f32::NAN; width], unseen: vec![false; width] }
    }
}

impl FeatureKind {
    /// The status of the value with these raw values.
    pub fn status(&self, raw: &[f32], unseen: &[bool]) -> Status {
        if unseen.first() == Some(&true) {
            return Status::Unseen;
        }
        let is_missing = match self {
            Self::Category { orders, .. } if !orders.is_empty() => {
                raw.iter().zip(orders).all(|(raw, order)| raw.is_nan() || Some(*raw) == order.missing.map(rank))
            }
            _ => raw.iter().all(|raw| raw.is_nan()),
        };
        if is_missing { Status::Missing } else { Status::Present }
    }

    /// Writes the [`Self::width`] raw values of `input`. An input of another type counts as missing.
    pub fn encode(&self, input: Input, raw: &mut [f32], unseen: &mut [bool]) {
        raw.fill(f32::NAN);
        unseen.fill(input == Input::Unseen);
        match (self, input) {
            (Self::Number { scaling, .. }, Input::Number(value)) => raw[0] = scaling.apply(value),
            (Self::Boolean { .. }, Input::Boolean(value)) => raw[0] = f32::from(u8::from(value)),
            (Self::Category { .. }, Input::Code(code)) => self.encode_code(code as usize, raw),
            // The group of the other categories has a code, too.
            (Self::Category { categories, grouped: true, .. }, Input::Unseen) => {
                self.encode_code(categories.len(), raw);
            }
            (Self::Category { statistics, .. }, Input::Unseen) => {
                raw.iter_mut().zip(statistics).for_each(|(raw, statistic)| *raw = statistic.unseen as f32);
            }
            (Self::Category { orders, .. }, Input::Missing) => {
                encode_ranks(raw, orders, |order| order.missing);
            }
            (Self::Datetime { parts, .. }, Input::Seconds(seconds)) => {
                parts.iter().zip(raw).for_each(|(part, raw)| *raw = part.raw(seconds));
            }
            _ => {}
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "codes stay far below 2^24")]
    fn encode_code(&self, code: usize, raw: &mut [f32]) {
        let Self::Category { orders, statistics, .. } = self else { return };
        if orders.is_empty() && statistics.is_empty() {
            raw[0] = code as f32;
        }
        for (raw, statistic) in raw.iter_mut().zip(statistics) {
            *raw = statistic.values.get(code).map_or(f32::NAN, |value| *value as f32);
        }
        encode_ranks(raw, orders, |order| order.ranks.get(code).copied().flatten());
    }
}

fn encode_ranks(raw: &mut [f32], orders: &[CategoryOrder], of: impl Fn(&CategoryOrder) -> Option<u32>) {
    for (raw, order) in raw.iter_mut().zip(orders) {
        *raw = of(order).map_or(f32::NAN, rank);
    }
}

#[allow(clippy::cast_precision_loss, reason = "ranks stay far below 2^24")]
pub(super) fn rank(rank: u32) -> f32 {
    rank as f32
}

impl Feature {
    /// The raw value that replaces a missing value in the design matrix: that of the median, or of the mode. `None` for
    /// a date, whose parts have own medians.
    #[allow(clippy::cast_precision_loss, reason = "codes stay far below 2^24")]
    pub fn imputed(&self) -> Option<f32> {
        match &self.kind {
            FeatureKind::Number { median, scaling, .. } => Some(scaling.apply(*median)),
            FeatureKind::Boolean { mode } => Some(f32::from(u8::from(*mode))),
            FeatureKind::Category { mode, .. } => Some(*mode as f32),
            FeatureKind::Datetime { .. } => None,
        }
    }
}
