//! Export of a model as ONNX: the graph contains the preprocessing, so its inputs are the columns of the table.
//!
//! The graph computes in `f64`, with the same operations as [`crate::model`]. The comparisons of trees are those of the model
//! too, because raw values and thresholds are `f32` in both. `docs/onnx.md` describes inputs, outputs and limits.
//!
//! Every part of a model is matched with all of its fields: a part that this module does not know does not compile, instead
//! of being left out of the graph.
//!
//! | module | content |
//! |---|---|
//! | `proto`, `graph` | the messages of the file; names, constants and nodes |
//! | `inputs`, `texts`, `dates`, `columns` | from the inputs to the raw values |
//! | `design_matrix` | from raw values to the design matrix |
//! | `trees`, `linear`, `svm`, `coupling`, `calibration` | the estimators |
//! | `answer`, `metadata` | label, probabilities and number; what the file says about the model |

mod answer;
mod calibration;
mod columns;
mod coupling;
mod dates;
mod design_matrix;
mod graph;
mod inputs;
mod linear;
mod metadata;
mod proto;
mod svm;
#[cfg(test)]
mod tests;
mod texts;
mod trees;

use prost::Message;

use crate::artifact::{self, ArtifactError};
use crate::model::{CalibratedModel, Ensemble, Estimator, Member, Model, Signature, Task};
use crate::predict::Predictor;
use answer::Answer;
use columns::RawColumns;
use graph::Graph;
use proto::{ModelProto, OperatorSetId};

/// The version of the file format.
const IR_VERSION: i64 = 8;
/// The version of the standard operators.
const STANDARD_OPERATORS: i64 = 17;
/// The version of the operators for machine learning (`ai.onnx.ml`).
const MACHINE_LEARNING_OPERATORS: i64 = 3;

/// What the file says about the model besides its content.
#[derive(Debug, Clone, Copy)]
pub struct ModelIdentity<'a> {
    /// The name of the model.
    pub name: &'a str,
    /// The version of the model.
    pub version: i64,
    /// SHA-256 (hex) of the model file.
    pub artifact_sha256: &'a str,
}

/// Why a model can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The model file is damaged or invalid.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The ONNX file would be larger than allowed.
    #[error("the ONNX file of the model would have more than {max_bytes} bytes")]
    TooLarge {
        /// The most that is allowed.
        max_bytes: usize,
    },
}

/// Converts a model file to an ONNX file of at most `max_bytes`. Equal arguments give equal bytes.
///
/// # Errors
/// See [`ExportError`].
pub fn export(artifact: &[u8], identity: &ModelIdentity<'_>, max_bytes: usize) -> Result<Vec<u8>, ExportError> {
    // A model is used only after its self-test.
    drop(Predictor::load(artifact)?);
    export_model(artifact::decode(artifact)?, identity, max_bytes)
}

/// `model` is valid.
fn export_model(model: Model, identity: &ModelIdentity<'_>, max_bytes: usize) -> Result<Vec<u8>, ExportError> {
    let Model { manifest, estimator } = model;
    let signature = &manifest.signature;
    // `dropped` features have no input: their values are not used.
    let Signature { features, target: _, task, dropped: _, missing: _ } = signature;
    let mut graph = Graph::new(features.iter().map(|feature| feature.name.clone()), max_bytes);
    let (raw, numbers) = inputs::read(&mut graph, signature)?;
    let answer = estimate(&mut graph, &raw, numbers, task, &estimator)?;
    drop(estimator);
    answer::write(&mut graph, task, &answer);
    let operators = |domain: &str, version| OperatorSetId { domain: domain.into(), version };
    let file = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "trainyard".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        model_version: identity.version,
        doc_string: metadata::summary(&manifest, identity),
        metadata_props: metadata::entries(manifest, identity),
        graph: Some(graph.finish()),
        opset_import: vec![operators("", STANDARD_OPERATORS), operators("ai.onnx.ml", MACHINE_LEARNING_OPERATORS)],
    };
    if file.encoded_len() > max_bytes {
        return Err(ExportError::TooLarge { max_bytes });
    }
    Ok(file.encode_to_vec())
}

/// Adds an estimator; `numbers` is the number of columns of [`RawColumns::numbers`].
fn estimate(
    graph: &mut Graph,
    raw: &RawColumns,
    numbers: usize,
    task: &Task,
    estimator: &Estimator,
) -> Result<Answer, ExportError> {
    match estimator {
        Estimator::Trees(ensemble) => {
            let matrix = raw.matrix(graph, numbers)?;
            trees::forest(graph, &matrix, ensemble)
        }
        Estimator::Boosting(boosted) => {
            let matrix = raw.matrix(graph, numbers)?;
            trees::boosting(graph, &matrix, boosted)
        }
        Estimator::Linear(model) => linear::linear(graph, raw, task, model),
        Estimator::Svm(model) => svm::svm(graph, raw, task, model),
        Estimator::Ensemble(Ensemble { members }) => {
            let mut sum = graph.double(0.0);
            for Member { weight, encodings, estimator } in members {
                let own = raw.of_member(encodings);
                let answer = estimate(graph, &own, numbers, task, estimator)?;
                let weight = graph.double(*weight);
                let weighted = graph.op("Mul", &[&weight, &answer.outputs]);
                sum = graph.op("Add", &[&sum, &weighted]);
            }
            Ok(Answer::plain(sum))
        }
        Estimator::Calibrated(CalibratedModel { base, calibrators }) => {
            let answer = estimate(graph, raw, numbers, task, base)?;
            Ok(calibration::calibrated(graph, &answer, calibrators))
        }
    }
}
