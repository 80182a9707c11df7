//! The task of a model: binary or multiclass classification, or regression; and its labels.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trainyard_csv::tokens;
use trainyard_domain::spec::is_label;

/// A class label: numbers as in [`tokens::number_text`], other labels as in the table.
pub type Label = String;

/// The threshold without tuning.
pub const DEFAULT_THRESHOLD: f64 = 0.5;

/// The task of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Task {
    /// Two classes; class 0 is negative, class 1 positive.
    Binary {
        /// The negative class.
        negative: Label,
        /// The positive class, whose probability is `prob`.
        positive: Label,
        /// Whether the target is 0/1 or true/false, so that predictions are booleans.
        boolean: bool,
        /// Whether the labels are numbers.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        numeric: bool,
        /// The lowest probability at which the positive class is predicted: from 0 to 1.
        #[serde(default = "default_threshold", skip_serializing_if = "is_default")]
        threshold: f64,
    },
    /// Three or more classes.
    MultiClass {
        /// In class order: numbers by value, then strings by code point.
        classes: Vec<Label>,
        /// Whether the labels are numbers.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        numeric: bool,
    },
    /// A number.
    Regression,
}

/// The type of the labels in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelType {
    /// Numbers in the spelling of [`tokens::number_text`].
    Number,
    /// `true` and `false`.
    Boolean,
    /// Strings.
    Text,
}

/// Why labels are no classification task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Fewer than two labels.
    #[error("has only one distinct value; choose another target")]
    OneClass,
    /// The requested positive class is not a label.
    #[error("{0} is not one of the classes")]
    UnknownPositive(Value),
    /// A positive class was requested for more than two labels.
    #[error("has {0} classes, so no class can be the positive class")]
    ManyClasses(usize),
}

impl Task {
    /// The classification task for distinct labels with their number of rows.
    ///
    /// The positive class is the requested one, else the affirmative label (`true`, `1`, `yes`), else the rarer label if
    /// labels are strings, else the last label in class order.
    ///
    /// # Errors
    /// See [`LabelError`].
    pub fn classes(
        mut counts: Vec<(Label, u64)>,
        label_type: LabelType,
        positive: Option<&Value>,
    ) -> Result<Self, LabelError> {
        counts.sort_by(|(a, _), (b, _)| compare(a, b));
        let numeric = label_type == LabelType::Number;
        let [first, second] = &counts[..] else {
            return match counts.len() {
                0 | 1 => Err(LabelError::OneClass),
                many if positive.is_some() => Err(LabelError::ManyClasses(many)),
                _ => Ok(Self::MultiClass { classes: counts.into_iter().map(|(label, _)| label).collect(), numeric }),
            };
        };
        let first_is_positive = match positive {
            Some(value) if is_label(value, &second.0) => false,
            Some(value) if is_label(value, &first.0) => true,
            Some(value) => return Err(LabelError::UnknownPositive(value.clone())),
            None => match (is_affirmative(&first.0), is_affirmative(&second.0)) {
                (true, false) => true,
                (false, true) => false,
                _ => !numeric && first.1 < second.1,
            },
        };
        let boolean = label_type == LabelType::Boolean || (numeric && first.0 == "0" && second.0 == "1");
        let (negative, positive) = if first_is_positive { (second, first) } else { (first, second) };
        let (negative, positive) = (negative.0.clone(), positive.0.clone());
        Ok(Self::Binary { negative, positive, boolean, numeric, threshold: DEFAULT_THRESHOLD })
    }

    /// The labels in class order; empty for regression.
    pub fn labels(&self) -> Vec<&str> {
        match self {
            Self::Binary { negative, positive, .. } => vec![negative, positive],
            Self::MultiClass { classes, .. } => classes.iter().map(String::as_str).collect(),
            Self::Regression => Vec::new(),
        }
    }

    /// The index in [`Self::labels`] of the class that an output vector predicts: of two classes the positive one from the
    /// threshold on, of several classes the first one with the highest probability. 0 for regression.
    pub fn predicted_class(&self, outputs: &[f64]) -> usize {
        match self {
            Self::Binary { threshold, .. } => usize::from(outputs[0] >= *threshold),
            Self::MultiClass { .. } => {
                let mut best = 0;
                for (class, probability) in outputs.iter().enumerate() {
                    if *probability > outputs[best] {
                        best = class;
                    }
                }
                best
            }
            Self::Regression => 0,
        }
    }

    /// The threshold of a model of two classes that was tuned.
    pub fn tuned_threshold(&self) -> Option<f64> {
        match self {
            Self::Binary { threshold, .. } => Some(*threshold).filter(|threshold| !is_default(threshold)),
            Self::MultiClass { .. } | Self::Regression => None,
        }
    }

    /// The same task with another threshold; unchanged without two classes.
    #[must_use]
    pub fn with_threshold(mut self, tuned: f64) -> Self {
        if let Self::Binary { threshold, .. } = &mut self {
            *threshold = tuned;
        }
        self
    }

    /// A label in JSON, in the type that it has in the table.
    pub fn label_value(&self, label: &str) -> Value {
        match self {
            Self::Binary { numeric: true, .. } | Self::MultiClass { numeric: true, .. } => {
                serde_json::from_str(label).map_or_else(|_| json!(label), Value::Number)
            }
            Self::Binary { boolean: true, .. } => json!(is_affirmative(label)),
            _ => json!(label),
        }
    }

    /// The length of an output vector: 1 for binary tasks (the probability of the positive class) and regression (the
    /// number), one probability per class for multiclass tasks.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Binary { .. } | Self::Regression => 1,
            Self::MultiClass { classes, .. } => classes.len(),
        }
    }
}

fn default_threshold() -> f64 {
    DEFAULT_THRESHOLD
}

fn is_default(threshold: &f64) -> bool {
    *threshold == DEFAULT_THRESHOLD
}

/// Whether a label means yes.
pub fn is_affirmative(label: &str) -> bool {
    ["true", "1", "yes"].iter().any(|word| label.eq_ignore_ascii_case(word))
}

/// Class order: numbers by value, then strings by code point. Different labels are never equal.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    match (tokens::number(a), tokens::number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y).then_with(|| a.len().cmp(&b.len())).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(labels: &[(&str, u64)], label_type: LabelType) -> Task {
        let counts = labels.iter().map(|(label, rows)| ((*label).to_owned(), *rows)).collect();
        Task::classes(counts, label_type, None).unwrap()
    }

    fn positive(labels: &[(&str, u64)], label_type: LabelType) -> String {
        match task(labels, label_type) {
            Task::Binary { positive, .. } => positive,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_affirmative_label_is_positive_and_then_the_rarer_name() {
        assert_eq!(positive(&[("1", 9), ("0", 1)], LabelType::Number), "1");
        assert_eq!(positive(&[("true", 9), ("false", 1)], LabelType::Boolean), "true");
        assert_eq!(positive(&[("Yes", 9), ("No", 1)], LabelType::Text), "Yes");
        assert_eq!(positive(&[("healthy", 30), ("ill", 10)], LabelType::Text), "ill");
        assert_eq!(positive(&[("churned", 10), ("stayed", 30)], LabelType::Text), "churned");
        assert_eq!(positive(&[("female", 5), ("male", 5)], LabelType::Text), "male");
        assert_eq!(positive(&[("10", 1), ("9", 9)], LabelType::Number), "10");
        assert_eq!(positive(&[("10", 9), ("9", 1)], LabelType::Number), "10");
    }

    #[test]
    fn a_requested_positive_class_is_found_in_its_type() {
        let counts = || vec![("healthy".to_owned(), 3), ("ill".to_owned(), 9)];
        let with = |value: Value| Task::classes(counts(), LabelType::Text, Some(&value));
        assert!(matches!(with(json!("healthy")), Ok(Task::Binary { positive, .. }) if positive == "healthy"));
        assert_eq!(with(json!(7)), Err(LabelError::UnknownPositive(json!(7))));
        let digits = vec![("0".to_owned(), 3), ("1".to_owned(), 9)];
        for zero in [json!(0), json!(false), json!("0")] {
            let task = Task::classes(digits.clone(), LabelType::Number, Some(&zero)).unwrap();
            assert!(matches!(task, Task::Binary { positive, .. } if positive == "0"), "{zero}");
        }
    }

    #[test]
    fn labels_keep_the_type_of_the_table() {
        let stars = task(&[("3", 1), ("10", 1), ("2", 1)], LabelType::Number);
        assert_eq!(stars.labels(), ["2", "3", "10"]);
        assert_eq!(stars.label_value("3"), json!(3));
        let departments = task(&[("010", 1), ("001", 1), ("007", 1)], LabelType::Text);
        assert_eq!(departments.label_value("001"), json!("001"));
        let passed = task(&[("false", 1), ("true", 1)], LabelType::Boolean);
        assert_eq!(passed.label_value("true"), json!(true));
        // These numbers are equal in f64.
        let segments = task(&[("9007199254740993", 1), ("9007199254740992", 1), ("7", 1)], LabelType::Text);
        assert_eq!(segments.labels(), ["7", "9007199254740992", "9007199254740993"]);
    }

    #[test]
    fn a_tuned_threshold_decides_and_is_stored() {
        let plain = task(&[("0", 9), ("1", 9)], LabelType::Number);
        let tuned = plain.clone().with_threshold(0.25);
        assert_eq!([0.2, 0.25, 0.5].map(|share| plain.predicted_class(&[share])), [0, 0, 1]);
        assert_eq!([0.2, 0.25, 0.5].map(|share| tuned.predicted_class(&[share])), [0, 1, 1]);
        assert_eq!((plain.tuned_threshold(), tuned.tuned_threshold()), (None, Some(0.25)));
        let text = serde_json::to_string(&tuned).unwrap();
        assert!(text.contains("\"threshold\":0.25") && !serde_json::to_string(&plain).unwrap().contains("threshold"));
        assert_eq!(serde_json::from_str::<Task>(&text).unwrap(), tuned);
    }

    #[test]
    fn one_class_is_not_a_task() {
        assert_eq!(Task::classes(vec![("1".into(), 5)], LabelType::Number, None), Err(LabelError::OneClass));
        assert_eq!(Task::classes(vec![], LabelType::Text, None), Err(LabelError::OneClass));
    }
}
