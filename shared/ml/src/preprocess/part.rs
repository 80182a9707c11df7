//! The training part or the held-out part as raw columns, with the targets.

use crate::error::TrainError;
use crate::frame::{Column, Frame, Target};
use crate::model::{Feature, FeatureKind};

/// Some rows of a frame, with the encoding of [`crate::model::encode`].
#[derive(Debug)]
pub struct Part {
    /// Number of rows.
    pub rows: usize,
    /// One column per feature: the number, 0/1 or the category's code; NaN if missing or unseen.
    pub raw: Vec<Vec<f32>>,
    /// Per feature, the rows (ascending) whose category does not occur in the training part.
    pub unseen: Vec<Vec<u32>>,
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
        let actual = match &frame.target {
            Target::Classes { task, classes } => {
                TargetValues::Classes(rows.iter().map(|row| classes[*row]).collect(), task.labels().len())
            }
            Target::Numbers(numbers) => TargetValues::Numbers(rows.iter().map(|row| numbers[*row]).collect()),
        };
        let encoded = frame.columns.iter().zip(features).map(|(column, feature)| encode(column, feature, rows));
        let (raw, unseen) = encoded.unzip();
        Ok(Self { rows: rows.len(), raw, unseen, targets: actual })
    }

    /// Copies a row into `raw` and `unseen`, with one entry per feature.
    pub fn row(&self, row: usize, raw: &mut [f32], unseen: &mut [bool]) {
        for (feature, column) in self.raw.iter().enumerate() {
            raw[feature] = column[row];
            unseen[feature] = self.is_unseen(feature, row);
        }
    }

    /// Whether the row's category did not occur in training.
    pub fn is_unseen(&self, feature: usize, row: usize) -> bool {
        let unseen = &self.unseen[feature];
        !unseen.is_empty() && u32::try_from(row).is_ok_and(|row| unseen.binary_search(&row).is_ok())
    }
}

/// The raw values of a column, and the rows with an unknown category.
fn encode(column: &Column, feature: &Feature, rows: &[usize]) -> (Vec<f32>, Vec<u32>) {
    match (column, &feature.kind) {
        (Column::Number(values), _) => {
            let clamp = |value: f64| value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32;
            (rows.iter().map(|row| clamp(values[*row])).collect(), Vec::new())
        }
        (Column::Boolean(values), _) => {
            let raw = |row: &usize| values[*row].map_or(f32::NAN, |value| f32::from(u8::from(value)));
            (rows.iter().map(raw).collect(), Vec::new())
        }
        (Column::Category { names, codes }, FeatureKind::Category { categories, .. }) => {
            let code_of: Vec<Option<u32>> = names.iter().map(|name| categories.code(name)).collect();
            let mut unseen = Vec::new();
            let mut raw = Vec::with_capacity(rows.len());
            for (at, row) in (0_u32..).zip(rows) {
                let code = codes.get(*row).filter(|code| **code != Column::MISSING);
                let known = code.and_then(|code| code_of[*code as usize]);
                if code.is_some() && known.is_none() {
                    unseen.push(at);
                }
                raw.push(known.map_or(f32::NAN, |code| code as f32));
            }
            (raw, unseen)
        }
        // Unreachable: the types were fitted on the same columns.
        (Column::Category { .. }, _) => (vec![f32::NAN; rows.len()], Vec::new()),
    }
}
