//! The answers of `POST /inference`. The prediction stands under the target's own name, so they are written as maps.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use trainyard_ml::model::Task;
use trainyard_ml::predict::{Outcome, Prediction};
use utoipa::ToSchema;

use crate::loaded::Loaded;

/// The answer for `features`, or the one for `instances`.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes what OneRow and ManyRows write, whose field names depend on the target")]
pub(crate) enum InferenceAnswer {
    /// For `features`.
    One(OneAnswer),
    /// For `instances`.
    Many(ManyAnswer),
}

/// One prediction. It stands under the target's own name, as a field that is not listed here.
#[derive(ToSchema)]
#[allow(dead_code, reason = "see InferenceAnswer")]
pub(crate) struct OneAnswer {
    /// Probability of the positive class, for targets with two classes.
    #[schema(example = 0.97, minimum = 0, maximum = 1)]
    prob: Option<f64>,
    /// Probability per class, for targets whose classes have names.
    probabilities: Option<BTreeMap<String, f64>>,
    /// The model that answered.
    #[schema(example = "titanic-rf")]
    model: String,
    /// Its version.
    #[schema(example = 3)]
    version: i64,
    /// Features that were missing or held a category unknown to training; absent when there are none.
    warnings: Option<Vec<String>>,
}

/// Many predictions, in the order of the rows.
#[derive(ToSchema)]
#[allow(dead_code, reason = "see InferenceAnswer")]
pub(crate) struct ManyAnswer {
    /// As for one row, without `model` and `version`.
    #[schema(value_type = Vec<Object>)]
    predictions: Vec<serde_json::Value>,
    /// The model that answered.
    #[schema(example = "titanic-rf")]
    model: String,
    /// Its version.
    #[schema(example = 3)]
    version: i64,
}

/// The answer for `features`, as written.
pub(crate) struct OneRow<'a> {
    /// Who predicted.
    pub(crate) loaded: &'a Loaded,
    /// What.
    pub(crate) prediction: &'a Prediction,
}

/// The answer for `instances`, as written.
pub(crate) struct ManyRows<'a> {
    /// Who predicted.
    pub(crate) loaded: &'a Loaded,
    /// What, in the order of the rows.
    pub(crate) predictions: &'a [Prediction],
}

impl Serialize for OneRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        outcome(&mut map, self.loaded, self.prediction)?;
        source(&mut map, self.loaded)?;
        warnings(&mut map, self.prediction)?;
        map.end()
    }
}

impl Serialize for ManyRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Row<'a>(&'a Loaded, &'a Prediction);
        impl Serialize for Row<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                outcome(&mut map, self.0, self.1)?;
                warnings(&mut map, self.1)?;
                map.end()
            }
        }
        struct Rows<'a>(&'a ManyRows<'a>);
        impl Serialize for Rows<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.predictions.iter().map(|prediction| Row(self.0.loaded, prediction)))
            }
        }
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("predictions", &Rows(self))?;
        source(&mut map, self.loaded)?;
        map.end()
    }
}

fn outcome<M: SerializeMap>(map: &mut M, loaded: &Loaded, prediction: &Prediction) -> Result<(), M::Error> {
    match (&prediction.outcome, &loaded.predictor.signature().task) {
        (Outcome::Binary { prob, positive, .. }, Task::Binary { boolean: true, .. }) => {
            map.serialize_entry("prob", prob)?;
            map.serialize_entry(loaded.field(), positive)
        }
        (Outcome::Binary { prob, label, .. }, task) => {
            map.serialize_entry("prob", prob)?;
            map.serialize_entry(loaded.field(), label)?;
            map.serialize_entry("probabilities", &TwoClasses { task, prob: *prob })
        }
        (Outcome::Class { label, probabilities }, _) => {
            map.serialize_entry(loaded.field(), label)?;
            map.serialize_entry("probabilities", &ByClass(probabilities))
        }
        (Outcome::Number(number), _) => map.serialize_entry(loaded.field(), number),
    }
}

fn source<M: SerializeMap>(map: &mut M, loaded: &Loaded) -> Result<(), M::Error> {
    map.serialize_entry("model", &loaded.record.model)?;
    map.serialize_entry("version", &loaded.record.version)
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
