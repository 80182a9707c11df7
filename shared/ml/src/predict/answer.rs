//! Predictions as clients see them: the outcome by name, and what was assumed on the way.

use serde_json::Value;
use trainyard_domain::shown;

use super::Row;
use crate::model::{Signature, Task};

/// The answer for one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// What is predicted.
    pub outcome: Outcome,
    /// Values that were missing or never seen in training, one sentence each.
    pub warnings: Vec<String>,
}

/// What is predicted, by kind of task.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// One of two classes.
    Binary {
        /// Probability of the positive class.
        prob: f64,
        /// Whether that is 0.5 or more.
        positive: bool,
        /// The predicted class's name.
        label: String,
    },
    /// One of several classes.
    Class {
        /// The most probable class; the first of equals.
        label: String,
        /// Every class with its probability, in class order.
        probabilities: Vec<(String, f64)>,
    },
    /// A number.
    Number(f64),
}

impl Outcome {
    /// Names an output vector of [`Task::outputs`] numbers.
    pub(super) fn new(task: &Task, outputs: &[f64]) -> Self {
        match task {
            Task::Binary { negative, positive, .. } => {
                let prob = outputs[0];
                let chosen = if prob >= 0.5 { positive } else { negative };
                Self::Binary { prob, positive: prob >= 0.5, label: chosen.clone() }
            }
            Task::MultiClass { classes } => {
                let mut best = 0;
                for (class, probability) in outputs.iter().enumerate() {
                    if *probability > outputs[best] {
                        best = class;
                    }
                }
                let probabilities = classes.iter().cloned().zip(outputs.iter().copied()).collect();
                Self::Class { label: classes[best].clone(), probabilities }
            }
            Task::Regression => Self::Number(outputs[0]),
        }
    }
}

/// Most warnings about one row.
const MAX_ROW_WARNINGS: usize = 100;

/// Names the features that were missing or held a category that training never saw. `room` is what the request has room
/// for; what goes beyond is only counted.
pub(super) fn warnings(
    signature: &Signature,
    row: &Row,
    raw: &[f32],
    unseen: &[bool],
    room: &mut usize,
) -> Vec<String> {
    let (mut warnings, mut omitted) = (Vec::new(), 0_usize);
    for ((feature, value), unseen) in signature.features.iter().zip(raw).zip(unseen) {
        if !*unseen && !value.is_nan() {
            continue;
        }
        if *room == 0 || warnings.len() == MAX_ROW_WARNINGS {
            omitted += 1;
            continue;
        }
        *room -= 1;
        let name = shown(&feature.name);
        warnings.push(if *unseen {
            let value = row.get(&feature.name).map(category).unwrap_or_default();
            format!("'{name}' has the category '{value}', which was never seen in training")
        } else {
            format!("'{name}' is missing; imputed as in training")
        });
    }
    if omitted > 0 {
        warnings
            .push(format!("{omitted} more features are missing or have a category that was never seen in training"));
    }
    warnings
}

/// A category as it was sent.
fn category(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text).into_owned(),
        other => shown(&other.to_string()).into_owned(),
    }
}
