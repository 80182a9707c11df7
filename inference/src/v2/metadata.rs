//! The metadata of the server and of models.

use serde::Serialize;
use serde_json::Value;
use trainyard_http::Problem;
use trainyard_ml::model::Signature;
use utoipa::ToSchema;

use super::datatype::{Datatype, ElementKind};
use super::inputs::{self, element_kind};
use super::outputs::Output;
use crate::loaded_model::LoadedModel;
use crate::registry::VersionSelector;
use crate::service::Service;

/// A dimension of any length.
const ANY: i64 = -1;

/// The server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = V2ServerMetadata)]
pub(crate) struct ServerMetadata {
    /// The name of the server.
    #[schema(example = "trainyard")]
    pub(crate) name: &'static str,
    /// Its version.
    pub(crate) version: &'static str,
    /// The extensions of the protocol that the server implements.
    pub(crate) extensions: [&'static str; 3],
}

impl ServerMetadata {
    /// The metadata of this server.
    pub(crate) const THIS: Self = Self {
        name: "trainyard",
        version: env!("CARGO_PKG_VERSION"),
        extensions: ["binary_tensor_data", "model_repository", "statistics"],
    };
}

/// A model: its versions, inputs and outputs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = V2ModelMetadata)]
pub(crate) struct ModelMetadata {
    /// The name of the model.
    #[schema(example = "titanic-rf")]
    pub(crate) name: String,
    /// The versions that this process has loaded. Another published version is loaded by its first request.
    pub(crate) versions: Vec<String>,
    /// `trainyard_` followed by the algorithm.
    #[schema(example = "trainyard_random_forest")]
    pub(crate) platform: String,
    /// One tensor per feature, in the order of the matrix.
    pub(crate) inputs: Vec<TensorMetadata>,
    /// `predict` and, for classes, `predict_proba`.
    pub(crate) outputs: Vec<TensorMetadata>,
    /// Further properties.
    pub(crate) parameters: ModelParameters,
}

/// Further properties of a model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = V2ModelParameters)]
pub(crate) struct ModelParameters {
    /// The name of the tensor of the shape `[n, features]` that can replace all inputs; absent if a feature is no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "input")]
    pub(crate) matrix_input: Option<&'static str>,
    /// The classes in the order of `predict_proba`; absent for a regression.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Vec<Value>>, example = json!([false, true]))]
    pub(crate) classes: Option<Value>,
}

/// A tensor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = V2TensorMetadata)]
pub(crate) struct TensorMetadata {
    /// The name.
    #[schema(example = "age")]
    pub(crate) name: String,
    /// The datatype. An input of numbers takes every datatype of numbers.
    #[schema(example = "FP64")]
    pub(crate) datatype: &'static str,
    /// The shape; -1 is a dimension of any length.
    #[schema(example = json!([-1]))]
    pub(crate) shape: Vec<i64>,
}

impl Service {
    /// The metadata of a version of `model`: the one that serves without `version`. Loads the version if it is not loaded.
    pub(crate) async fn metadata(&self, model: &str, version: Option<i64>) -> Result<ModelMetadata, Problem> {
        let selector = VersionSelector { model: Some(model), version, ..VersionSelector::default() };
        let loaded = self.find(selector).await?.loaded;
        let snapshot = self.registry.load();
        let versions = snapshot.models.get(&loaded.record.model).into_iter().flat_map(|model| model.versions.keys());
        Ok(ModelMetadata::of(&loaded, versions.copied()))
    }
}

impl ModelMetadata {
    /// The metadata of `loaded`, of whose model these versions are loaded.
    fn of(loaded: &LoadedModel, versions: impl Iterator<Item = i64>) -> Self {
        let signature = loaded.predictor.signature();
        let outputs = Output::of(&loaded.target).iter().map(|output| TensorMetadata {
            name: output.name().to_owned(),
            datatype: match output {
                Output::Predict => loaded.target.datatype().name(),
                Output::PredictProba => Datatype::Fp32.name(),
            },
            shape: match output {
                Output::Predict => vec![ANY],
                Output::PredictProba => vec![ANY, i64::try_from(loaded.target.class_count()).unwrap_or(ANY)],
            },
        });
        Self {
            name: loaded.record.model.clone(),
            versions: versions.map(|version| version.to_string()).collect(),
            platform: format!("trainyard_{}", loaded.predictor.algorithm().as_str()),
            inputs: inputs_of(signature),
            outputs: outputs.collect(),
            parameters: ModelParameters {
                matrix_input: inputs::takes_matrix(signature).then_some(inputs::MATRIX),
                classes: loaded.target.classes(),
            },
        }
    }
}

fn inputs_of(signature: &Signature) -> Vec<TensorMetadata> {
    let tensor = |feature: &trainyard_ml::model::Feature| TensorMetadata {
        name: feature.name.clone(),
        datatype: match element_kind(&feature.kind) {
            ElementKind::Number => Datatype::Fp64.name(),
            ElementKind::Boolean => Datatype::Bool.name(),
            ElementKind::Text => Datatype::Bytes.name(),
        },
        shape: vec![ANY],
    };
    signature.features.iter().map(tensor).collect()
}
