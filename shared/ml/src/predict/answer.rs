//! Predictions as clients see them: the outcome by name, and what was assumed on the way.

use serde_json::Value;

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

/// Names every feature that was missing or held a category that training never saw.
pub(super) fn warnings(signature: &Signature, row: &Row, raw: &[f32], unseen: &[bool]) -> Vec<String> {
    let mut warnings = Vec::new();
    for ((feature, value), unseen) in signature.features.iter().zip(raw).zip(unseen) {
        let name = &feature.name;
        if *unseen {
            let value = row.get(name).map(shown).unwrap_or_default();
            warnings.push(format!("'{name}' has the category '{value}', which was never seen in training"));
        } else if value.is_nan() {
            warnings.push(format!("'{name}' is missing; imputed as in training"));
        }
    }
    warnings
}

/// A category as it was sent, cut to a length fit for a message.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 64;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
