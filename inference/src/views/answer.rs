//! The responses of `POST /inference`. They are serialized as maps, because the target names a field.

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
    /// [`Task::outputs`] numbers.
    pub(crate) outputs: &'a [f64],
}

impl Serialize for OutcomeView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        outcome(&mut map, self.loaded, &Outcome::new(&self.loaded.predictor.signature().task, self.outputs))?;
        map.end()
    }
}

impl Serialize for OneRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        outcome(&mut map, self.loaded, &self.prediction.outcome)?;
        source(&mut map, self.loaded)?;
        threshold(&mut map, self.loaded)?;
        explanation(&mut map, self.loaded, self.explanation)?;
        warnings(&mut map, self.prediction)?;
        map.end()
    }
}

impl Serialize for ManyRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Row<'a>(&'a LoadedModel, &'a Prediction, Option<&'a Explanation>);
        impl Serialize for Row<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                outcome(&mut map, self.0, &self.1.outcome)?;
                explanation(&mut map, self.0, self.2)?;
                warnings(&mut map, self.1)?;
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

fn outcome<M: SerializeMap>(map: &mut M, loaded: &LoadedModel, outcome: &Outcome) -> Result<(), M::Error> {
    match (outcome, &loaded.predictor.signature().task) {
        (Outcome::Binary { prob, label, .. }, Task::Binary { boolean: true, .. }) => {
            map.serialize_entry("prob", prob)?;
            // The label 0 or `false` can be the positive class.
            map.serialize_entry(loaded.field(), &task::is_affirmative(label))
        }
        (Outcome::Binary { prob, label, .. }, task) => {
            map.serialize_entry("prob", prob)?;
            map.serialize_entry(loaded.field(), &task.label_value(label))?;
            map.serialize_entry("probabilities", &TwoClasses { task, prob: *prob })
        }
        (Outcome::Class { label, probabilities }, task) => {
            map.serialize_entry(loaded.field(), &task.label_value(label))?;
            map.serialize_entry("probabilities", &ByClass(probabilities))
        }
        (Outcome::Number(number), _) => map.serialize_entry(loaded.field(), number),
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

fn warnings<M: SerializeMap>(map: &mut M, prediction: &Prediction) -> Result<(), M::Error> {
    if prediction.warnings.is_empty() { Ok(()) } else { map.serialize_entry("warnings", &prediction.warnings) }
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

struct ByClass<'a>(&'a [(String, f64)]);

impl Serialize for ByClass<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(label, prob)| (label, prob)))
    }
}
