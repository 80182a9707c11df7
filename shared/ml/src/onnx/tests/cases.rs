//! A model with rows and the answers of the predictor.

use std::borrow::Cow;

use chrono::DateTime;
use serde_json::{Value, json};

use super::IDENTITY;
use crate::artifact;
use crate::artifact::samples::Stream;
use crate::model::{Estimator, Feature, FeatureKind, LEAF, Model, Task, TreeEnsemble};
use crate::predict::{Column, Columns, Outcome, Predictor};

const ROWS: usize = 300;

/// A model file with rows and the answers of the predictor.
pub(super) struct Case {
    name: String,
    pub(super) artifact: Vec<u8>,
    inputs: Vec<(String, Value)>,
    task: Task,
    /// [`Task::outputs`] numbers per row.
    outputs: Vec<f64>,
    algorithm: &'static str,
}

/// The values of a feature.
enum Values {
    Numbers(Vec<Option<f64>>),
    Booleans(Vec<Option<bool>>),
    Texts(Vec<String>),
    Dates(Vec<Option<i64>>),
}

impl Case {
    /// Rows for the model: values of training, thresholds, missing and unseen values, and extreme numbers.
    pub(super) fn new(name: String, artifact: Vec<u8>, random: &mut Stream) -> Self {
        let model = artifact::decode(&artifact).unwrap();
        let signature = &model.manifest.signature;
        let values: Vec<_> = (0..signature.features.len()).map(|index| values(&model, index, random)).collect();
        let columns = Columns::Each(values.iter().map(Values::column).collect());
        let predictor = Predictor::load(&artifact).unwrap();
        let outputs = predictor.predict_columns(&columns, ROWS).unwrap_or_else(|error| panic!("{name}: {error}"));
        let inputs = signature.features.iter().zip(&values);
        let inputs = inputs.map(|(feature, values)| (feature.name.clone(), values.input())).collect();
        let (task, algorithm) = (signature.task.clone(), model.manifest.algorithm.as_str());
        Self { name, artifact, inputs, task, outputs, algorithm }
    }

    /// The case for `tests/onnxruntime/check.py`.
    pub(super) fn describe(&self, file: &str) -> Value {
        let rows = self.outputs.chunks_exact(self.task.outputs());
        // A tensor has one type: with a label such as 1.5, the label 2 is 2.0.
        let labels: Vec<_> = self.task.labels().iter().map(|label| self.task.label_value(label)).collect();
        let are_decimals = labels.iter().all(Value::is_number) && !labels.iter().all(Value::is_i64);
        let label = |outputs: &[f64]| match Outcome::new(&self.task, outputs) {
            Outcome::Binary { label, .. } | Outcome::Class { label, .. } => match self.task.label_value(&label) {
                Value::Number(number) if are_decimals => json!(number.as_f64()),
                label => label,
            },
            Outcome::Number(_) => Value::Null,
        };
        let expected = match &self.task {
            Task::Regression => json!({"value": self.outputs}),
            Task::Binary { .. } => json!({
                "label": rows.clone().map(label).collect::<Vec<_>>(),
                "probabilities": rows.map(|outputs| [1.0 - outputs[0], outputs[0]]).collect::<Vec<_>>(),
            }),
            Task::MultiClass { .. } => json!({
                "label": rows.clone().map(label).collect::<Vec<_>>(),
                "probabilities": rows.collect::<Vec<_>>(),
            }),
        };
        let outputs: &[&str] = if self.task == Task::Regression { &["value"] } else { &["label", "probabilities"] };
        let is_taken = |name: &str| self.inputs.iter().any(|(input, _)| input == name);
        let renamed =
            outputs.iter().map(|name| if is_taken(name) { format!("predicted_{name}") } else { (*name).into() });
        let inputs: serde_json::Map<_, _> = self.inputs.iter().cloned().collect();
        let order: Vec<_> = self.inputs.iter().map(|(name, _)| name).collect();
        json!({
            "name": self.name, "file": file, "rows": ROWS, "inputs": inputs, "order": order,
            "outputs": renamed.collect::<Vec<_>>(), "expected": expected,
            "metadata": {
                "model": IDENTITY.name, "version": IDENTITY.version.to_string(), "algorithm": self.algorithm,
                "artifact_sha256": IDENTITY.artifact_sha256,
            },
        })
    }
}

impl Values {
    fn column(&self) -> Column<'_> {
        match self {
            Self::Numbers(values) => Column::Numbers(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect()),
            Self::Booleans(values) => Column::Booleans(values.clone()),
            Self::Texts(values) => Column::Texts(values.iter().map(|text| Some(Cow::Borrowed(&**text))).collect()),
            Self::Dates(values) => {
                Column::Texts(values.iter().map(|value| value.map(|seconds| Cow::Owned(date_text(seconds)))).collect())
            }
        }
    }

    /// The input of the graph.
    fn input(&self) -> Value {
        match self {
            Self::Numbers(values) => json!({"type": "double", "values": values}),
            Self::Booleans(values) => {
                let numbers = values.iter().map(|value| value.map(|value| f64::from(u8::from(value))));
                json!({"type": "double", "values": numbers.collect::<Vec<_>>()})
            }
            Self::Texts(values) => json!({"type": "string", "values": values}),
            Self::Dates(values) => json!({"type": "double", "values": values}),
        }
    }
}

fn date_text(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn values(model: &Model, index: usize, random: &mut Stream) -> Values {
    let signature = &model.manifest.signature;
    let Feature { kind, .. } = &signature.features[index];
    match kind {
        FeatureKind::Number { median, min, max, scaling } => {
            let position = signature.ranges()[index].start as u32;
            let mut edges =
                vec![*median, *min, *max, 0.0, -0.0, 1e300, -1e300, f64::MAX, f64::MIN, 5e-324, 1e-38, 3.4e38];
            thresholds(&model.estimator, position, &mut |threshold| {
                let edge = scaling.centre + scaling.scale * f64::from(threshold);
                edges.extend([edge, edge.next_up(), edge.next_down()]);
            });
            let edges: Vec<f64> = edges.into_iter().filter(|edge| edge.is_finite()).collect();
            Values::Numbers(rows(random, |random| match random.below(4) {
                0 if random.below(3) == 0 => None,
                0 | 1 => Some(edges[random.below(edges.len())]),
                2 => Some((min + (max - min) * random.unit()).round()),
                _ => Some(min + (max - min) * (1.4 * random.unit() - 0.2)),
            }))
        }
        FeatureKind::Boolean { .. } => {
            Values::Booleans((0..ROWS).map(|_| [None, Some(false), Some(true)][random.below(3)]).collect())
        }
        FeatureKind::Category { categories, .. } => {
            let mut texts = ["", "NA", "n/a", "NULL", "unheard of", "Übergröße", "0"].map(str::to_owned).to_vec();
            for name in categories.iter() {
                texts.extend([name.clone(), name.clone(), name.to_uppercase(), format!("{name}.0")]);
                if let Ok(number) = name.parse::<f64>() {
                    texts.push(number.to_string());
                }
            }
            Values::Texts((0..ROWS).map(|_| texts[random.below(texts.len())].clone()).collect())
        }
        FeatureKind::Datetime { min, max, .. } => {
            // Leap days, ends of years and of days, before 1970, and far dates.
            const EDGES: [i64; 12] = [
                0,
                -1,
                951_782_400,
                951_868_799,
                951_868_800,
                1_709_164_800,
                1_709_251_199,
                1_735_689_599,
                1_735_689_600,
                -11_670_998_400,
                -2_203_891_200,
                13_569_465_600,
            ];
            let numbers = rows(random, |random| match random.below(4) {
                0 if random.below(3) == 0 => None,
                0 | 1 => Some(EDGES[random.below(EDGES.len())] as f64),
                2 => Some((min + (max - min) * random.unit()).round()),
                _ => Some((1e10 * (random.unit() - 0.3)).round()),
            });
            Values::Dates(numbers.into_iter().map(|number| number.map(|seconds| seconds as i64)).collect())
        }
    }
}

fn rows(random: &mut Stream, mut of: impl FnMut(&mut Stream) -> Option<f64>) -> Vec<Option<f64>> {
    (0..ROWS).map(|_| of(random)).collect()
}

/// Calls `edge` with the thresholds of a raw value.
fn thresholds(estimator: &Estimator, position: u32, edge: &mut dyn FnMut(f32)) {
    let of = |ensemble: &TreeEnsemble, edge: &mut dyn FnMut(f32)| {
        for tree in &ensemble.trees {
            for (feature, threshold) in tree.feature.iter().zip(&tree.threshold) {
                if *feature == position && *feature != LEAF {
                    edge(*threshold);
                }
            }
        }
    };
    match estimator {
        Estimator::Trees(ensemble) => of(ensemble, edge),
        Estimator::Boosting(boosted) => of(&boosted.trees, edge),
        // The positions of a member can differ. A wrong threshold is a number like any other.
        Estimator::Ensemble(ensemble) => {
            ensemble.members.iter().for_each(|member| thresholds(&member.estimator, position, edge));
        }
        Estimator::Calibrated(calibrated) => thresholds(&calibrated.base, position, edge),
        Estimator::Linear(_) | Estimator::Svm(_) => {}
    }
}
