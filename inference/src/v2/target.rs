//! The classes of a model as elements of tensors, computed once at load.

use serde_json::{Value, json};
use trainyard_ml::model::{Task, task};

use super::datatype::Datatype;

/// The type of the prediction.
#[derive(Debug, PartialEq)]
pub(crate) enum Target {
    /// Classes that are booleans, in class order.
    Booleans(Vec<bool>),
    /// Classes that are whole numbers.
    Integers(Vec<i64>),
    /// Classes that are numbers.
    Numbers(Vec<f64>),
    /// Classes that are texts.
    Texts(Vec<String>),
    /// A regression.
    Regression,
}

impl Target {
    /// The type of the predictions of `task`, with the values that `POST /inference` answers.
    pub(crate) fn of(task: &Task) -> Self {
        let labels = task.labels();
        match task {
            Task::Regression => Self::Regression,
            Task::Binary { boolean: true, .. } => {
                Self::Booleans(labels.into_iter().map(task::is_affirmative).collect())
            }
            Task::Binary { numeric: true, .. } | Task::MultiClass { numeric: true, .. } => {
                let integers: Option<_> = labels.iter().map(|label| label.parse().ok()).collect();
                let numbers = || labels.iter().map(|label| label.parse().ok()).collect::<Option<_>>();
                integers.map(Self::Integers).or_else(|| numbers().map(Self::Numbers)).unwrap_or_else(|| texts(&labels))
            }
            Task::Binary { .. } | Task::MultiClass { .. } => texts(&labels),
        }
    }

    /// The datatype of the output `predict`.
    pub(crate) fn datatype(&self) -> Datatype {
        match self {
            Self::Booleans(_) => Datatype::Bool,
            Self::Integers(_) => Datatype::Int64,
            Self::Numbers(_) | Self::Regression => Datatype::Fp64,
            Self::Texts(_) => Datatype::Bytes,
        }
    }

    /// The classes in the order of the output `predict_proba`; `None` for a regression.
    pub(crate) fn classes(&self) -> Option<Value> {
        match self {
            Self::Booleans(classes) => Some(json!(classes)),
            Self::Integers(classes) => Some(json!(classes)),
            Self::Numbers(classes) => Some(json!(classes)),
            Self::Texts(classes) => Some(json!(classes)),
            Self::Regression => None,
        }
    }

    /// Number of classes; 0 for a regression.
    pub(crate) fn class_count(&self) -> usize {
        match self {
            Self::Booleans(classes) => classes.len(),
            Self::Integers(classes) => classes.len(),
            Self::Numbers(classes) => classes.len(),
            Self::Texts(classes) => classes.len(),
            Self::Regression => 0,
        }
    }
}

fn texts(labels: &[&str]) -> Target {
    Target::Texts(labels.iter().map(|label| (*label).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_the_type_of_the_table() {
        let binary = |negative: &str, positive: &str, boolean, numeric| {
            Target::of(&Task::Binary {
                negative: negative.into(),
                positive: positive.into(),
                boolean,
                numeric,
                threshold: 0.5,
            })
        };
        assert_eq!(binary("0", "1", true, true), Target::Booleans(vec![false, true]));
        assert_eq!(binary("1", "0", true, true), Target::Booleans(vec![true, false]), "0 can be the positive class");
        assert_eq!(binary("3", "7", false, true), Target::Integers(vec![3, 7]));
        assert_eq!(binary("0.5", "7", false, true), Target::Numbers(vec![0.5, 7.0]));
        assert_eq!(binary("male", "female", false, false), Target::Texts(vec!["male".into(), "female".into()]));
        assert_eq!(Target::of(&Task::Regression).datatype(), Datatype::Fp64);
    }
}
