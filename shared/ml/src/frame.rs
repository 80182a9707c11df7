//! The columns of a job, read from a CSV with their types. Rows without a target are skipped.
//!
//! Types follow the same rules as in the profile of an upload ([`trainyard_csv::tokens`]): boolean if all values are booleans
//! in one form, number if all values are numbers, else category.

mod column;
mod text;

use std::io::Read;

use trainyard_domain::{Dtype, spec};

use crate::error::TrainError;
use crate::model::Task;
pub use column::Column;
use text::TextColumn;

/// Typed feature columns with the target.
#[derive(Debug)]
pub struct Frame {
    /// The feature columns, in the requested order.
    pub columns: Vec<Column>,
    /// The target of every row.
    pub target: Target,
    /// Number of rows with a target.
    pub rows: usize,
    /// Number of skipped rows, which have no target.
    pub without_target: usize,
}

/// The target.
#[derive(Debug)]
pub enum Target {
    /// Classes: the task with the labels, and a class index per row.
    Classes {
        /// [`Task::Binary`] or [`Task::MultiClass`].
        task: Task,
        /// Class indices, below the number of labels.
        classes: Vec<u32>,
    },
    /// Finite numbers.
    Numbers(Vec<f64>),
}

impl Frame {
    /// Reads the columns `features` and `target`.
    ///
    /// # Errors
    /// [`TrainError::Failed`] with `bad_data`: an invalid CSV, a missing column, no row with a target, or a target with
    /// one value.
    pub fn read(csv: impl Read, features: &[String], target: &str) -> Result<Self, TrainError> {
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(csv);
        let headers = reader.headers().map_err(unreadable)?.clone();
        let position = |name: &str| {
            let mut headers = headers.iter().map(|header| header.trim_start_matches('\u{feff}').trim());
            headers
                .position(|header| header == name)
                .ok_or_else(|| TrainError::bad_data(format!("the dataset has no column '{name}'")))
        };
        let target_at = position(target)?;
        let features_at = features.iter().map(|feature| position(feature)).collect::<Result<Vec<_>, _>>()?;
        let mut texts: Vec<TextColumn> = features.iter().map(|_| TextColumn::default()).collect();
        let mut targets = TextColumn::default();
        let mut without_target = 0;
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(unreadable)? {
            let Some(value) = trainyard_csv::tokens::present(record.get(target_at).unwrap_or_default()) else {
                without_target += 1;
                continue;
            };
            targets.push(value)?;
            for (text, at) in texts.iter_mut().zip(&features_at) {
                text.push(trainyard_csv::tokens::present(record.get(*at).unwrap_or_default()).unwrap_or_default())?;
            }
        }
        let rows = targets.len();
        if rows == 0 {
            return Err(TrainError::bad_data(format!("the target '{target}' has no values")));
        }
        let target = read_target(&targets, target)?;
        // The text of each column is freed before the next column is converted.
        let columns = texts.into_iter().map(Column::read).collect();
        Ok(Self { columns, target, rows, without_target })
    }
}

/// Classes or numbers, as decided by [`spec::is_regression`].
fn read_target(texts: &TextColumn, name: &str) -> Result<Target, TrainError> {
    let (values, codes) = texts.distinct();
    if let Some(numbers) = texts.numbers() {
        let mut distinct: Vec<u64> = numbers.iter().map(|number| number.to_bits()).collect();
        distinct.sort_unstable();
        distinct.dedup();
        if spec::is_regression(Dtype::Number, distinct.len() as u64) {
            return Ok(Target::Numbers(numbers));
        }
    }
    let Some(task) = Task::from_labels(values.iter().copied()) else {
        return Err(TrainError::bad_data(format!(
            "the target '{name}' has only one distinct value; choose another target"
        )));
    };
    let limit = spec::MAX_CLASSES;
    if task.labels().len() as u64 > limit {
        let classes = task.labels().len();
        return Err(TrainError::bad_data(format!(
            "the target '{name}' has {classes} classes; at most {limit} are supported"
        )));
    }
    // The task contains every value.
    let class_of: Vec<u32> = values.iter().map(|value| task.class_of(value).unwrap_or_default() as u32).collect();
    let classes = codes.iter().map(|code| class_of[*code as usize]).collect();
    Ok(Target::Classes { task, classes })
}

fn unreadable(error: csv::Error) -> TrainError {
    TrainError::bad_data(format!("invalid CSV: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "age,sex,vip,y\n30,female,yes,1\n,male,no,0\n41.5,,NA,1\n7,male,no,\n";

    fn read(csv: &str, features: &[&str]) -> Result<Frame, TrainError> {
        let features: Vec<String> = features.iter().map(|feature| (*feature).to_owned()).collect();
        Frame::read(csv.as_bytes(), &features, "y")
    }

    #[test]
    fn columns_are_typed_and_rows_without_a_target_are_skipped() {
        let frame = read(CSV, &["vip", "age", "sex"]).unwrap();
        assert_eq!((frame.rows, frame.without_target), (3, 1));
        assert_eq!(frame.columns[0], Column::Boolean(vec![Some(true), Some(false), None]));
        let Column::Number(ages) = &frame.columns[1] else { panic!("ages are numbers") };
        assert!(ages[0] == 30.0 && ages[1].is_nan() && ages[2] == 41.5);
        let Column::Category { names, codes } = &frame.columns[2] else { panic!("sexes are categories") };
        assert_eq!(
            (names.as_slice(), codes.as_slice()),
            (&["female".into(), "male".into()][..], &[0, 1, Column::MISSING][..])
        );
        let Target::Classes { task, classes } = frame.target else { panic!("0 and 1 are classes") };
        assert_eq!((task.labels(), classes), (vec!["0", "1"], vec![1, 0, 1]));
    }

    #[test]
    fn a_target_with_more_than_twenty_numbers_is_a_regression() {
        let csv =
            |distinct: u32| (0..100).fold("x,y\n".to_owned(), |csv, row| format!("{csv}{row},{}\n", row % distinct));
        assert!(matches!(read(&csv(21), &["x"]).unwrap().target, Target::Numbers(_)));
        assert!(matches!(read(&csv(20), &["x"]).unwrap().target, Target::Classes { .. }));
    }

    #[test]
    fn errors_name_the_reason_why_a_table_is_unusable() {
        let message = |csv, features: &[&str]| match read(csv, features) {
            Err(TrainError::Failed { message, .. }) => message,
            other => panic!("{other:?}"),
        };
        assert!(message("x,y\n1,5\n2,5\n", &["x"]).contains("only one distinct value"));
        assert!(message("x,y\n1,\n2,NA\n", &["x"]).contains("has no values"));
        assert!(message("x,y\n1,1\n", &["z"]).contains("no column 'z'"));
        assert!(message("x,y\n1,1\n2\n", &["x"]).contains("invalid CSV"));
    }
}
