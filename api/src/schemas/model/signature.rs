//! The signature of a version: what a form for predictions needs to know about each feature.

use serde::Serialize;
use trainyard_domain::{ColumnProfile, Dataset, Dtype, JobSpec, ModelVersion};
use utoipa::ToSchema;

use super::VersionView;
use crate::schemas::column::DtypeView;

/// One version with its signature.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionDetailView {
    /// The version.
    #[serde(flatten)]
    pub version: VersionView,
    /// The features in the order of the model, with the types of the training job and the values of the training dataset.
    pub signature: Vec<FeatureView>,
}

/// A feature as it was in the training dataset.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureView {
    /// The name of the feature.
    #[schema(example = "sex")]
    pub name: String,
    /// The type of the values.
    pub dtype: DtypeView,
    /// The smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub min: Option<f64>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub max: Option<f64>,
    /// The most frequent values of a category, most frequent first. Empty for numbers.
    #[schema(example = json!(["male", "female"]))]
    pub values: Vec<String>,
    /// Whether `values` contains every value of the training dataset.
    pub values_complete: bool,
}

impl VersionDetailView {
    /// The schema of `version`, which a job with `spec` trained on `dataset`.
    pub fn new(version: ModelVersion, spec: Option<&JobSpec>, dataset: Option<&Dataset>) -> Self {
        let columns = dataset.map(|dataset| dataset.columns.as_slice()).unwrap_or_default();
        let types = spec.and_then(JobSpec::training).map(|training| &training.learning.column_types);
        let feature = |name: &String| {
            let column = columns.iter().find(|column| column.name == *name)?;
            Some(FeatureView::new(column, types.and_then(|types| types.get(name)).copied().unwrap_or(column.dtype)))
        };
        let signature = version.features.iter().filter_map(feature).collect();
        Self { signature, version: VersionView::new(version, dataset) }
    }
}

impl FeatureView {
    /// A feature with the type of its job. Leaves out the counts, which describe the dataset and not the model.
    fn new(column: &ColumnProfile, dtype: Dtype) -> Self {
        let is_number = dtype == Dtype::Number;
        let top = column.top.as_deref().filter(|_| !is_number).unwrap_or_default();
        Self {
            name: column.name.clone(),
            dtype: dtype.into(),
            // The range of a time is in seconds, which nobody enters.
            min: column.min.filter(|_| is_number),
            max: column.max.filter(|_| is_number),
            values: top.iter().map(|(value, _)| value.clone()).collect(),
            values_complete: !is_number && top.len() as u64 == column.distinct,
        }
    }
}
