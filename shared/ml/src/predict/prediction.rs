//! Predictions with labels and warnings.

use serde_json::Value;
use trainyard_domain::shown;

use crate::model::{FeatureKind, Signature, Status, Task};

/// The prediction for one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The predicted value.
    pub outcome: Outcome,
    /// One sentence per feature that was missing or had an unknown category.
    pub warnings: Vec<String>,
}

/// The predicted value, by task.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// One of two classes.
    Binary {
        /// Probability of the positive class.
        prob: f64,
        /// Whether the probability is at least 0.5.
        positive: bool,
        /// The predicted label; [`Task::label_value`] gives its JSON value.
        label: String,
    },
    /// One of several classes.
    Class {
        /// The label with the highest probability, the first of equal ones.
        label: String,
        /// All labels with their probabilities, in class order.
        probabilities: Vec<(String, f64)>,
    },
    /// A number.
    Number(f64),
}

impl Outcome {
    /// Converts an output vector of [`Task::outputs`] numbers.
    pub fn new(task: &Task, outputs: &[f64]) -> Self {
        let class = task.predicted_class(outputs);
        match task {
            Task::Binary { negative, positive, .. } => {
                let chosen = if class == 1 { positive } else { negative };
                Self::Binary { prob: outputs[0], positive: class == 1, label: chosen.clone() }
            }
            Task::MultiClass { classes, .. } => {
                let probabilities = classes.iter().cloned().zip(outputs.iter().copied()).collect();
                Self::Class { label: classes[class].clone(), probabilities }
            }
            Task::Regression => Self::Number(outputs[0]),
        }
    }
}

/// Maximum number of warnings per row.
const MAX_ROW_WARNINGS: usize = 100;

/// Warns about features that were missing or had an unknown category. `value` is the category of a feature as text; `room` is
/// the remaining number of warnings for the request; further warnings are only counted.
pub(super) fn warnings(
    signature: &Signature,
    value: impl Fn(&str) -> String,
    raw: &[f32],
    unseen: &[bool],
    room: &mut usize,
) -> Vec<String> {
    let (mut warnings, mut omitted) = (Vec::new(), 0_usize);
    let (mut raw, mut unseen) = (raw, unseen);
    for feature in &signature.features {
        let (own_raw, own_unseen);
        (own_raw, raw) = raw.split_at(feature.kind.width());
        (own_unseen, unseen) = unseen.split_at(feature.kind.width());
        let status = feature.kind.status(own_raw, own_unseen);
        if status == Status::Present {
            continue;
        }
        if *room == 0 || warnings.len() == MAX_ROW_WARNINGS {
            omitted += 1;
            continue;
        }
        *room -= 1;
        let name = shown(&feature.name);
        warnings.push(if status == Status::Unseen {
            let value = value(&feature.name);
            let rare =
                if matches!(feature.kind, FeatureKind::Category { grouped: true, .. }) { "is rare or " } else { "" };
            format!("'{name}' has the category '{value}', which {rare}did not occur in training")
        } else {
            format!("'{name}' is missing; imputed as in training")
        });
    }
    if omitted > 0 {
        warnings.push(format!("{omitted} more features are missing or have a category that did not occur in training"));
    }
    warnings
}

/// The category as a string.
pub(super) fn category(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text).into_owned(),
        other => shown(&other.to_string()).into_owned(),
    }
}
