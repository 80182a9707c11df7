//! The task of a model: binary or multiclass classification, or regression; and the class index of a target value.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use trainyard_csv::tokens;

/// A class label in canonical spelling; see [`Task::from_labels`].
pub type Label = String;

/// The task of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Task {
    /// Two classes; class 0 is negative, class 1 positive.
    Binary {
        /// The negative class.
        negative: Label,
        /// The positive class, whose probability is `prob`.
        positive: Label,
        /// Whether the target is 0/1, true/false or yes/no, so that predictions are booleans.
        boolean: bool,
    },
    /// Three or more classes.
    MultiClass {
        /// In class order: numbers by value, then strings by code point.
        classes: Vec<Label>,
    },
    /// A number.
    Regression,
}

impl Task {
    /// The classification task for these present target values, or `None` for fewer than two classes.
    ///
    /// Labels have a canonical spelling: numbers as in [`tokens::number_text`], booleans of a binary task in lower
    /// case. The positive class is the affirmative label (`1`, `true`, `yes`), else the last label in class order.
    pub fn from_labels<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut classes: Vec<Label> = Vec::new();
        for value in values {
            let label = spell(value);
            if let Err(at) = classes.binary_search_by(|class| compare(class, &label)) {
                classes.insert(at, label);
            }
        }
        if is_boolean(&classes) {
            return Self::boolean(&classes);
        }
        match classes.len() {
            0 | 1 => None,
            2 => {
                let positive = classes.pop()?;
                Some(Self::Binary { negative: classes.pop()?, positive, boolean: false })
            }
            _ => Some(Self::MultiClass { classes }),
        }
    }

    /// The boolean task, unless all labels mean the same value.
    fn boolean(classes: &[Label]) -> Option<Self> {
        let side = |wanted| {
            let class =
                classes.iter().find(|class| tokens::boolean(class).is_some_and(|(value, _)| value == wanted))?;
            Some(class.to_ascii_lowercase())
        };
        Some(Self::Binary { negative: side(false)?, positive: side(true)?, boolean: true })
    }

    /// The class index of a present target value; `None` if the value is no class, or for a regression.
    pub fn class_of(&self, value: &str) -> Option<usize> {
        match self {
            Self::Binary { boolean: true, .. } => tokens::boolean(value.trim()).map(|(value, _)| usize::from(value)),
            Self::Binary { negative, positive, .. } => {
                let label = spell(value);
                [negative, positive].iter().position(|class| **class == label)
            }
            Self::MultiClass { classes } => {
                let label = spell(value);
                classes.binary_search_by(|class| compare(class, &label)).ok()
            }
            Self::Regression => None,
        }
    }

    /// The labels in class order; empty for regression.
    pub fn labels(&self) -> Vec<&str> {
        match self {
            Self::Binary { negative, positive, .. } => vec![negative, positive],
            Self::MultiClass { classes } => classes.iter().map(String::as_str).collect(),
            Self::Regression => Vec::new(),
        }
    }

    /// The length of an output vector: 1 for binary tasks (the probability of the positive class) and regression (the
    /// number), one probability per class for multiclass tasks.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Binary { .. } | Self::Regression => 1,
            Self::MultiClass { classes } => classes.len(),
        }
    }
}

/// Whether all labels are booleans in one form. "True" and "true" are the same class.
fn is_boolean(classes: &[Label]) -> bool {
    let mut forms = classes.iter().map(|class| tokens::boolean(class).map(|(_, form)| form));
    let first = forms.next().flatten();
    first.is_some() && forms.all(|form| form == first)
}

fn spell(value: &str) -> Label {
    let value = value.trim();
    tokens::number(value).map_or_else(|| value.to_owned(), tokens::number_text)
}

/// Class order: numbers by value, then strings by code point.
fn compare(a: &str, b: &str) -> Ordering {
    match (tokens::number(a), tokens::number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(negative: &str, positive: &str, boolean: bool) -> Task {
        Task::Binary { negative: negative.into(), positive: positive.into(), boolean }
    }

    #[test]
    fn the_affirmative_label_is_positive() {
        assert_eq!(Task::from_labels(["1", "0", "1.0"]), Some(binary("0", "1", true)));
        assert_eq!(Task::from_labels(["TRUE", "False", "true"]), Some(binary("false", "true", true)));
        assert_eq!(Task::from_labels(["yes", "no"]), Some(binary("no", "yes", true)));
    }

    #[test]
    fn otherwise_the_last_label_is_positive() {
        assert_eq!(Task::from_labels(["male", "female"]), Some(binary("female", "male", false)));
        assert_eq!(Task::from_labels(["9", "10"]), Some(binary("9", "10", false)));
        assert_eq!(Task::from_labels(["true", "0"]), Some(binary("0", "true", false)));
    }

    #[test]
    fn classes_match_every_spelling() {
        let survived = Task::from_labels(["0", "1"]).unwrap();
        assert_eq!(
            (survived.class_of("1.0"), survived.class_of("0"), survived.class_of("2")),
            (Some(1), Some(0), None)
        );
        let many = Task::from_labels(["b", "2.0", "a", "10"]).unwrap();
        assert_eq!(many.labels(), ["2", "10", "a", "b"]);
        assert_eq!((many.class_of("10.0"), many.class_of("b"), many.class_of("c")), (Some(1), Some(3), None));
    }

    #[test]
    fn one_class_is_not_a_task() {
        assert_eq!(Task::from_labels(["1", "1.0"]), None);
        assert_eq!(Task::from_labels(["true", "True"]), None);
        assert_eq!(Task::from_labels([]), None);
    }
}
