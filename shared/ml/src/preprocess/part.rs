//! The training part or the held-out part as raw columns, with the targets.

use std::ops::Range;

use crate::error::TrainError;
use crate::frame::{Column, Frame, Target};
use crate::model::signature::ranges;
use crate::model::{Feature, FeatureKind, Input};

/// Some rows of a frame, with the encoding of [`crate::model::encode`].
#[derive(Debug)]
pub struct Part {
    /// Number of rows.
    pub rows: usize,
    /// One column per raw value; NaN if missing or unseen.
    pub raw: Vec<Vec<f32>>,
    /// The raw columns of each feature.
    pub ranges: Vec<Range<usize>>,
    /// Per feature, the rows (ascending) whose category does not occur in the training part.
    unseen: Vec<Vec<u32>>,
    /// The targets.
    pub targets: TargetValues,
}

/// The actual target of each row.
#[derive(Debug)]
pub enum TargetValues {
    /// Class indices and the number of classes.
    Classes(Vec<u32>, usize),
    /// Numbers.
    Numbers(Vec<f64>),
}

impl TargetValues {
    /// Class indices and numbers; one of them is empty.
    pub fn split(&self) -> (Vec<usize>, &[f64]) {
        match self {
            Self::Classes(classes, _) => (classes.iter().map(|class| *class as usize).collect(), &[]),
            Self::Numbers(numbers) => (Vec::new(), numbers),
        }
    }
}

impl Part {
    /// Encodes the given rows of a frame.
    ///
    /// # Errors
    /// `bad_data` for more than 2^32 rows, because trees use 32-bit row numbers.
    pub fn new(frame: &Frame, features: &[Feature], rows: &[usize]) -> Result<Self, TrainError> {
        if u32::try_from(rows.len()).is_err() {
            return Err(TrainError::bad_data("the dataset has more than 2^32 rows"));
        }
        let targets = match &frame.target {
            Target::Classes { task, classes } => {
                TargetValues::Classes(rows.iter().map(|row| classes[*row]).collect(), task.labels().len())
            }
            Target::Numbers(numbers) => TargetValues::Numbers(rows.iter().map(|row| numbers[*row]).collect()),
        };
        let (mut raw, mut unseen) = (Vec::new(), Vec::new());
        for (column, feature) in frame.columns.iter().zip(features) {
            unseen.push(encode(&column.values, feature, rows, &mut raw));
        }
        Ok(Self { rows: rows.len(), raw, ranges: ranges(features), unseen, targets })
    }

    /// Copies a row into `raw` and `unseen`, with one entry per raw value.
    pub fn row(&self, row: usize, raw: &mut [f32], unseen: &mut [bool]) {
        for (value, column) in raw.iter_mut().zip(&self.raw) {
            *value = column[row];
        }
        for (feature, range) in self.ranges.iter().enumerate() {
            unseen[range.clone()].fill(self.is_unseen(feature, row));
        }
    }

    /// Whether the row's category did not occur in training.
    pub fn is_unseen(&self, feature: usize, row: usize) -> bool {
        let unseen = &self.unseen[feature];
        !unseen.is_empty() && u32::try_from(row).is_ok_and(|row| unseen.binary_search(&row).is_ok())
    }
}

/// Appends the raw columns of a feature, and returns the rows with an unknown category.
fn encode(column: &Column, feature: &Feature, rows: &[usize], raw: &mut Vec<Vec<f32>>) -> Vec<u32> {
    let kind = &feature.kind;
    let number = |value: f64, of: fn(f64) -> Input| if value.is_nan() { Input::Missing } else { of(value) };
    match column {
        // The most frequent type has a loop without a match per row.
        Column::Number(values) => {
            let FeatureKind::Number { scaling, .. } = kind else { return Vec::new() };
            raw.push(rows.iter().map(|row| scaling.apply(values[*row])).collect());
            Vec::new()
        }
        Column::Boolean(values) => {
            encode_each(kind, rows, raw, |row| values[row].map_or(Input::Missing, Input::Boolean))
        }
        Column::Datetime(values) => encode_each(kind, rows, raw, |row| number(values[row], Input::Seconds)),
        Column::Category { names, codes } => {
            let FeatureKind::Category { categories, .. } = kind else { return Vec::new() };
            let of_name: Vec<Input> =
                names.iter().map(|name| categories.code(name).map_or(Input::Unseen, Input::Code)).collect();
            // The code of a missing value is outside the list.
            encode_each(kind, rows, raw, |row| of_name.get(codes[row] as usize).copied().unwrap_or(Input::Missing))
        }
    }
}

fn encode_each(
    kind: &FeatureKind,
    rows: &[usize],
    raw: &mut Vec<Vec<f32>>,
    input: impl Fn(usize) -> Input,
) -> Vec<u32> {
    let width = kind.width();
    let mut columns = vec![Vec::with_capacity(rows.len()); width];
    let (mut values, mut flags) = (vec![f32::NAN; width], vec![false; width]);
    let mut unseen = Vec::new();
    for (at, row) in (0_u32..).zip(rows) {
        let input = input(*row);
        kind.encode(input, &mut values, &mut flags);
        columns.iter_mut().zip(&values).for_each(|(column, value)| column.push(*value));
        if input == Input::Unseen {
            unseen.push(at);
        }
    }
    raw.append(&mut columns);
    unseen
}
