//! The target column: classes or numbers.

use serde_json::Value;
use trainyard_csv::cell::{Cell, Reader};
use trainyard_csv::tokens;
use trainyard_domain::table::{BooleanForm, ColumnSchema, TableFormat, TaskKind};
use trainyard_domain::{Dtype, shown, spec};

use super::builder::{Dictionary, Strays, yes_no};
use crate::error::TrainError;
use crate::model::{LabelType, Task};

/// The target.
#[derive(Debug, Clone)]
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

impl Target {
    /// A value that is equal for equal targets.
    pub fn bits(&self, row: usize) -> u64 {
        match self {
            Self::Classes { classes, .. } => u64::from(classes[row]),
            Self::Numbers(numbers) => numbers[row].to_bits(),
        }
    }
}

/// What a job predicts.
#[derive(Debug, Clone, Copy)]
pub struct TargetOptions<'a> {
    /// The name of the target column.
    pub name: &'a str,
    /// The requested task; by default the target decides.
    pub task: Option<TaskKind>,
    /// The requested positive class.
    pub positive: Option<&'a Value>,
}

/// A target that grows cell by cell.
#[derive(Debug)]
pub(super) struct TargetBuilder {
    reader: Reader,
    label_type: LabelType,
    /// Numbers are read as numbers, because their labels depend on the task.
    numbers: Vec<f64>,
    labels: Dictionary,
    without_value: u64,
    strays: Strays,
}

impl TargetBuilder {
    pub(super) fn new(
        format: &TableFormat,
        column: &ColumnSchema,
        options: &TargetOptions<'_>,
    ) -> Result<Self, TrainError> {
        let label_type = match (column.dtype, column.reading.boolean) {
            (Dtype::Number, _) | (Dtype::Boolean, Some(BooleanForm::Digit)) => LabelType::Number,
            (Dtype::Boolean, Some(BooleanForm::YesNo)) | (Dtype::Category | Dtype::Text, _) => LabelType::Text,
            (Dtype::Boolean, _) => LabelType::Boolean,
            (Dtype::Datetime, _) => {
                return Err(TrainError::bad_data(format!(
                    "the target '{}' is a date; choose a number or a category",
                    options.name
                )));
            }
        };
        if options.task == Some(TaskKind::Regression) && label_type != LabelType::Number {
            return Err(TrainError::bad_params(format!(
                "task 'regression' needs numbers, and the target '{}' has other values",
                options.name
            )));
        }
        let reader = Reader::new(format, column);
        let (numbers, labels, strays) = Default::default();
        Ok(Self { reader, label_type, numbers, labels, without_value: 0, strays })
    }

    /// Appends the target of a row, counted from 1; `false` if the row has none and is skipped.
    pub(super) fn push(&mut self, text: &str, row: u64) -> bool {
        match (self.label_type, self.reader.read(text)) {
            (LabelType::Number, Cell::Number(number)) => self.numbers.push(number),
            (LabelType::Number, Cell::Boolean(value)) => self.numbers.push(f64::from(u8::from(value))),
            (LabelType::Boolean, Cell::Boolean(value)) => {
                let label = if value { "true" } else { "false" };
                self.labels.push(label, label);
            }
            (LabelType::Text, Cell::Boolean(value)) => {
                self.labels.push(yes_no(value), yes_no(value));
            }
            (LabelType::Text, Cell::Text(text)) => {
                self.labels.push(&text, &text);
            }
            (_, Cell::Missing) => {
                self.without_value += 1;
                return false;
            }
            _ => {
                self.strays.count(text, row);
                return false;
            }
        }
        true
    }

    /// Number of rows with a target.
    pub(super) fn len(&self) -> usize {
        self.numbers.len() + self.labels.codes.len()
    }

    /// Classes or numbers, as requested or as decided by [`spec::is_regression`].
    pub(super) fn finish(
        mut self,
        options: &TargetOptions<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Target, TrainError> {
        let name = shown(options.name);
        if self.len() == 0 {
            return Err(TrainError::bad_data(format!("the target '{name}' has no values")));
        }
        if self.without_value > 0 {
            warnings.push(format!("{} rows have no value for '{name}' and were skipped", self.without_value));
        }
        let expected = if self.label_type == LabelType::Number { "numbers" } else { "classes" };
        warnings.extend(
            self.strays.warning(&name, expected).map(|warning| format!("{warning}, and their rows are skipped")),
        );
        if self.label_type == LabelType::Number {
            let distinct = distinct(&self.numbers);
            let regression = match options.task {
                Some(task) => task == TaskKind::Regression,
                None => spec::is_regression(Dtype::Number, distinct),
            };
            if regression && distinct < 2 {
                return Err(one_value(&name));
            }
            if regression {
                return Ok(Target::Numbers(self.numbers));
            }
            for number in &self.numbers {
                let label = tokens::number_text(*number);
                self.labels.push(&label, &label);
            }
        }
        self.classes(options)
    }

    fn classes(self, options: &TargetOptions<'_>) -> Result<Target, TrainError> {
        let name = shown(options.name);
        let Dictionary { names, codes, .. } = self.labels;
        let rows = codes.len();
        let limit = spec::MAX_CLASSES;
        if names.len() == rows && rows > 1 {
            return Err(TrainError::bad_data(format!(
                "no class of '{name}' has two rows: each of the {rows} rows has its own value; choose a target with \
                repeated values"
            )));
        }
        if names.len() as u64 > limit {
            return Err(TrainError::bad_data(format!(
                "the target '{name}' has {} classes; at most {limit} are supported",
                names.len()
            )));
        }
        let mut counts: Vec<(String, u64)> = names.iter().map(|name| (name.clone(), 0)).collect();
        codes.iter().for_each(|code| counts[*code as usize].1 += 1);
        let task = Task::classes(counts, self.label_type, options.positive)
            .map_err(|error| TrainError::bad_data(format!("the target '{name}' {error}")))?;
        let labels = task.labels();
        let class_of: Vec<u32> = names
            .iter()
            // The task contains every name.
            .map(|name| labels.iter().position(|label| label == name).unwrap_or_default() as u32)
            .collect();
        let classes = codes.iter().map(|code| class_of[*code as usize]).collect();
        Ok(Target::Classes { task, classes })
    }
}

fn one_value(name: &str) -> TrainError {
    TrainError::bad_data(format!("the target '{name}' has only one distinct value; choose another target"))
}

fn distinct(numbers: &[f64]) -> u64 {
    let mut bits: Vec<u64> = numbers.iter().map(|number| number.to_bits()).collect();
    bits.sort_unstable();
    bits.dedup();
    bits.len() as u64
}
