//! The signature of a version: what a form for predictions needs to know about each feature.

use serde::Serialize;
use trainyard_domain::{ColumnProfile, Dataset, ModelVersion};
use utoipa::ToSchema;

use super::VersionView;
use crate::schemas::column::DtypeView;

/// One version with its signature.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionDetailView {
    /// The version.
    #[serde(flatten)]
    pub version: VersionView,
    /// The features in the order of the model, as they were in the training dataset.
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
    /// The schema of `version`, which was trained on `dataset`.
    pub fn new(version: ModelVersion, dataset: Option<&Dataset>) -> Self {
        let columns = dataset.map(|dataset| dataset.columns.as_slice()).unwrap_or_default();
        let signature = version
            .features
            .iter()
            .filter_map(|feature| columns.iter().find(|column| column.name == *feature).map(FeatureView::from));
        Self { signature: signature.collect(), version: VersionView::new(version, dataset) }
    }
}

impl From<&ColumnProfile> for FeatureView {
    /// Leaves out the counts, which describe the dataset and not the model.
    fn from(column: &ColumnProfile) -> Self {
        let dtype = DtypeView::from(column.dtype);
        let is_number = matches!(dtype, DtypeView::Number);
        let top = column.top.as_deref().filter(|_| !is_number).unwrap_or_default();
        Self {
            name: column.name.clone(),
            dtype,
            // The range of a time is in seconds, which nobody enters.
            min: column.min.filter(|_| is_number),
            max: column.max.filter(|_| is_number),
            values: top.iter().map(|(value, _)| value.clone()).collect(),
            values_complete: !is_number && top.len() as u64 == column.distinct,
        }
    }
}
