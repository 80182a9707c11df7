//! The training part or the held-out part as raw columns, with its answers.

use crate::frame::{Column, Frame, Target};
use crate::model::{Feature, FeatureKind};
use crate::train::TrainError;

/// Some rows of a table, encoded as [`crate::model::encode`] does for serving.
#[derive(Debug)]
pub struct Part {
    /// Number of rows.
    pub rows: usize,
    /// A column per feature: the number, 0/1 or the category's code; NaN where missing or unseen.
    pub raw: Vec<Vec<f32>>,
    /// Per feature, the rows (ascending) whose category the training part never had.
    pub unseen: Vec<Vec<u32>>,
    /// The answers.
    pub truth: Truth,
}

/// The true target of each row.
#[derive(Debug)]
pub enum Truth {
    /// Class indices, and how many classes there are.
    Classes(Vec<u32>, usize),
    /// Numbers.
    Numbers(Vec<f64>),
}

impl Truth {
    /// Class indices and numbers, one of which is empty.
    pub fn parts(&self) -> (Vec<usize>, &[f64]) {
        match self {
            Self::Classes(classes, _) => (classes.iter().map(|class| *class as usize).collect(), &[]),
            Self::Numbers(numbers) => (Vec::new(), numbers),
        }
    }
}

impl Part {
    /// Encodes the given rows of a table.
    ///
    /// # Errors
    /// `bad_data` past 2^32 rows, which tree building can't number.
    pub fn new(frame: &Frame, features: &[Feature], rows: &[usize]) -> Result<Self, TrainError> {
        if u32::try_from(rows.len()).is_err() {
            return Err(TrainError::bad_data("more rows than 32 bits can number"));
        }
        let truth = match &frame.target {
            Target::Classes { task, classes } => {
                Truth::Classes(rows.iter().map(|row| classes[*row]).collect(), task.labels().len())
            }
            Target::Numbers(numbers) => Truth::Numbers(rows.iter().map(|row| numbers[*row]).collect()),
        };
        let encoded = frame.columns.iter().zip(features).map(|(column, feature)| encode(column, feature, rows));
        let (raw, unseen) = encoded.unzip();
        Ok(Self { rows: rows.len(), raw, unseen, truth })
    }

    /// Copies a row into `raw` and `unseen`, one entry per feature each.
    pub fn row(&self, row: usize, raw: &mut [f32], unseen: &mut [bool]) {
        for (feature, column) in self.raw.iter().enumerate() {
            raw[feature] = column[row];
            unseen[feature] = self.is_unseen(feature, row);
        }
    }

    /// Whether the row's category was never seen in training.
    pub fn is_unseen(&self, feature: usize, row: usize) -> bool {
        let unseen = &self.unseen[feature];
        !unseen.is_empty() && u32::try_from(row).is_ok_and(|row| unseen.binary_search(&row).is_ok())
    }
}

/// One column's raw values and the rows with an unseen category.
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
        // The kinds were fitted on these very columns.
        (Column::Category { .. }, _) => (vec![f32::NAN; rows.len()], Vec::new()),
    }
}
