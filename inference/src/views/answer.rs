//! The responses of `POST /inference`. They are serialized as maps, because the target names a field.

use std::cell::Cell;

use bytes::Bytes;
use serde::ser::{Serialize, SerializeMap, Serializer};
use trainyard_ml::model::{Task, task};
use trainyard_ml::predict::{Explanation, Outcome, Prediction};

use crate::loaded_model::LoadedModel;

/// The response for `features`.
pub(crate) struct OneRow<'a> {
    /// The model.
    pub(crate) loaded: &'a LoadedModel,
    /// The prediction.
    pub(crate) prediction: &'a Prediction,
    /// The explanation, if requested.
    pub(crate) explanation: Option<&'a Explanation>,
}

/// The same response as [`OneRow`] without an explanation, from the outputs of the model instead of a [`Prediction`].
pub(crate) struct RowOutputs<'a> {
    /// The model.
    pub(crate) loaded: &'a LoadedModel,
    /// The outputs of the model; their number is [`Task::outputs`].
    pub(crate) outputs: &'a [f64],
    /// The warnings of the prediction.
    pub(crate) warnings: &'a [String],
}

/// The response for `instances`.
pub(crate) struct ManyRows<'a> {
    /// The model.
    pub(crate) loaded: &'a LoadedModel,
    /// The predictions in the order of the rows.
    pub(crate) predictions: &'a [Prediction],
    /// The explanation of each row, if requested.
    pub(crate) explanations: &'a [Option<Explanation>],
}

/// The prediction for one row, without its source.
pub(crate) struct OutcomeView<'a> {
    /// The model.
    pub(crate) loaded: &'a LoadedModel,
    /// The outputs of the model; their number is [`Task::outputs`].
    pub(crate) outputs: &'a [f64],
}

impl Serialize for OutcomeView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        outcome(&mut map, self.loaded, OutcomeRef::of_outputs(self.loaded, self.outputs))?;
        map.end()
    }
}

impl Serialize for RowOutputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        outcome(&mut map, self.loaded, OutcomeRef::of_outputs(self.loaded, self.outputs))?;
        source(&mut map, self.loaded)?;
        threshold(&mut map, self.loaded)?;
        warnings(&mut map, self.warnings)?;
        map.end()
    }
}

impl Serialize for OneRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        outcome(&mut map, self.loaded, OutcomeRef::of(&self.prediction.outcome))?;
        source(&mut map, self.loaded)?;
        threshold(&mut map, self.loaded)?;
        explanation(&mut map, self.loaded, self.explanation)?;
        warnings(&mut map, &self.prediction.warnings)?;
        map.end()
    }
}

impl Serialize for ManyRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Row<'a>(&'a LoadedModel, &'a Prediction, Option<&'a Explanation>);
        impl Serialize for Row<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                outcome(&mut map, self.0, OutcomeRef::of(&self.1.outcome))?;
                explanation(&mut map, self.0, self.2)?;
                warnings(&mut map, &self.1.warnings)?;
                map.end()
            }
        }
        struct Rows<'a>(&'a ManyRows<'a>);
        impl Serialize for Rows<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let rows = self.0.predictions.iter().zip(self.0.explanations);
                serializer.collect_seq(rows.map(|(row, explanation)| Row(self.0.loaded, row, explanation.as_ref())))
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("predictions", &Rows(self))?;
        source(&mut map, self.loaded)?;
        threshold(&mut map, self.loaded)?;
        map.end()
    }
}

/// An [`Outcome`] without copies of the labels.
enum OutcomeRef<'a> {
    Binary { prob: f64, label: &'a str },
    Class { label: &'a str, probabilities: Probabilities<'a> },
    Number(f64),
}

impl<'a> OutcomeRef<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Binary { prob, label, .. } => Self::Binary { prob: *prob, label },
            Outcome::Class { label, probabilities } => {
                Self::Class { label, probabilities: Probabilities::Pairs(probabilities) }
            }
            Outcome::Number(number) => Self::Number(*number),
        }
    }

    /// As [`Outcome::new`].
    fn of_outputs(loaded: &'a LoadedModel, outputs: &'a [f64]) -> Self {
        let task = &loaded.predictor.signature().task;
        let class = task.predicted_class(outputs);
        match task {
            Task::Binary { negative, positive, .. } => {
                Self::Binary { prob: outputs[0], label: if class == 1 { positive } else { negative } }
            }
            Task::MultiClass { classes, .. } => {
                Self::Class { label: &classes[class], probabilities: Probabilities::Columns(classes, outputs) }
            }
            Task::Regression => Self::Number(outputs[0]),
        }
    }
}

fn outcome<M: SerializeMap>(map: &mut M, loaded: &LoadedModel, outcome: OutcomeRef<'_>) -> Result<(), M::Error> {
    match (outcome, &loaded.predictor.signature().task) {
        (OutcomeRef::Binary { prob, label }, Task::Binary { boolean: true, .. }) => {
            map.serialize_entry("prob", &prob)?;
            // The label 0 or `false` can be the positive class.
            map.serialize_entry(loaded.field(), &task::is_affirmative(label))
        }
        (OutcomeRef::Binary { prob, label }, task) => {
            map.serialize_entry("prob", &prob)?;
            predicted_label(map, loaded, label)?;
            map.serialize_entry("probabilities", &TwoClasses { task, prob })
        }
        (OutcomeRef::Class { label, probabilities }, _) => {
            predicted_label(map, loaded, label)?;
            map.serialize_entry("probabilities", &probabilities)
        }
        (OutcomeRef::Number(number), _) => map.serialize_entry(loaded.field(), &number),
    }
}

fn predicted_label<M: SerializeMap>(map: &mut M, loaded: &LoadedModel, label: &str) -> Result<(), M::Error> {
    match &loaded.predictor.signature().task {
        Task::Binary { numeric: false, boolean: false, .. } | Task::MultiClass { numeric: false, .. } => {
            map.serialize_entry(loaded.field(), label)
        }
        task => map.serialize_entry(loaded.field(), &task.label_value(label)),
    }
}

fn source<M: SerializeMap>(map: &mut M, loaded: &LoadedModel) -> Result<(), M::Error> {
    map.serialize_entry("model", &loaded.record.model)?;
    map.serialize_entry("version", &loaded.record.version)
}

/// A threshold that was tuned; the others are 0.5.
fn threshold<M: SerializeMap>(map: &mut M, loaded: &LoadedModel) -> Result<(), M::Error> {
    match loaded.predictor.signature().task.tuned_threshold() {
        Some(threshold) => map.serialize_entry("threshold", &threshold),
        None => Ok(()),
    }
}

fn explanation<M: SerializeMap>(
    map: &mut M,
    loaded: &LoadedModel,
    explanation: Option<&Explanation>,
) -> Result<(), M::Error> {
    match explanation {
        None => Ok(()),
        Some(explanation) => map.serialize_entry("explanation", &ExplanationView { loaded, explanation }),
    }
}

struct ExplanationView<'a> {
    loaded: &'a LoadedModel,
    explanation: &'a Explanation,
}

impl Serialize for ExplanationView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Contributions<'a>(&'a ExplanationView<'a>);
        impl Serialize for Contributions<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let names = self.0.loaded.predictor.signature().features.iter().map(|feature| &feature.name);
                serializer.collect_map(names.zip(&self.0.explanation.contributions))
            }
        }
        let Explanation { scale, value, baseline, .. } = self.explanation;
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("scale", scale.name())?;
        map.serialize_entry("value", value)?;
        map.serialize_entry("baseline", baseline)?;
        map.serialize_entry("contributions", &Contributions(self))?;
        map.end()
    }
}

fn warnings<M: SerializeMap>(map: &mut M, warnings: &[String]) -> Result<(), M::Error> {
    if warnings.is_empty() { Ok(()) } else { map.serialize_entry("warnings", warnings) }
}

struct TwoClasses<'a> {
    task: &'a Task,
    prob: f64,
}

impl Serialize for TwoClasses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Task::Binary { negative, positive, .. } = self.task {
            map.serialize_entry(negative, &(1.0 - self.prob))?;
            map.serialize_entry(positive, &self.prob)?;
        }
        map.end()
    }
}

/// The probabilities by class, in class order.
enum Probabilities<'a> {
    Pairs(&'a [(String, f64)]),
    Columns(&'a [String], &'a [f64]),
}

impl Serialize for Probabilities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pairs(pairs) => serializer.collect_map(pairs.iter().map(|(label, prob)| (label, prob))),
            Self::Columns(labels, probabilities) => serializer.collect_map(labels.iter().zip(*probabilities)),
        }
    }
}

/// Maximum size of the buffer that a thread keeps for its next response.
const MAX_KEPT_BYTES: usize = 64 << 10;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The JSON of a response. A small response is one allocation of its exact size, because the thread reuses its buffer.
///
/// # Errors
/// If the view can't be serialized.
pub(crate) fn bytes(view: &impl Serialize) -> serde_json::Result<Bytes> {
    let mut buffer = BUFFER.take();
    buffer.clear();
    serde_json::to_writer(&mut buffer, view)?;
    if buffer.capacity() > MAX_KEPT_BYTES {
        return Ok(buffer.into());
    }
    let answer = Bytes::copy_from_slice(&buffer);
    BUFFER.set(buffer);
    Ok(answer)
}
