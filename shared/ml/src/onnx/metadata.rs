//! What an ONNX file says about its model.

use serde_json::{Value, json};

use super::ModelIdentity;
use super::inputs::describe;
use super::proto::StringStringEntry;
use crate::model::{Manifest, Task};

/// A sentence about the model.
pub(super) fn summary(manifest: &Manifest, identity: &ModelIdentity<'_>) -> String {
    let (target, algorithm) = (&manifest.signature.target, manifest.algorithm.as_str());
    format!("{} version {} predicts {target} ({algorithm}), exported by Trainyard", identity.name, identity.version)
}

/// The entries of the metadata; lists are JSON.
pub(super) fn entries(manifest: Manifest, identity: &ModelIdentity<'_>) -> Vec<StringStringEntry> {
    let Manifest {
        signature,
        algorithm,
        params,
        seed,
        dataset_sha256,
        library_version,
        metrics: _,
        rows,
        distributions: _,
        self_test: _,
    } = manifest;
    let features: Vec<Value> = signature
        .features
        .iter()
        .map(|feature| json!({"name": feature.name, "type": describe(&feature.kind).0}))
        .collect();
    let kind = match signature.task {
        Task::Binary { .. } | Task::MultiClass { .. } => "classification",
        Task::Regression => "regression",
    };
    let mut entries = vec![
        ("model", identity.name.to_owned()),
        ("version", identity.version.to_string()),
        ("artifact_sha256", identity.artifact_sha256.to_owned()),
        ("algorithm", algorithm.as_str().to_owned()),
        ("task", kind.to_owned()),
        ("target", signature.target.clone()),
        ("features", Value::Array(features).to_string()),
        ("params", Value::Object(params).to_string()),
        ("seed", seed.to_string()),
        ("rows", rows.to_string()),
        ("dataset_sha256", dataset_sha256),
        ("trained_by", format!("trainyard {library_version}")),
    ];
    let labels = signature.task.labels();
    if !labels.is_empty() {
        let classes = labels.iter().map(|label| signature.task.label_value(label)).collect();
        entries.push(("classes", Value::Array(classes).to_string()));
    }
    entries.into_iter().map(|(key, value)| StringStringEntry { key: key.into(), value }).collect()
}
