//! Schemas of datasets. Responses leave out the digests that detect leaking columns.

use chrono::{DateTime, Utc};
use serde::Serialize;
use trainyard_domain::{ColumnProfile, Dataset, Dtype};
use utoipa::ToSchema;
use uuid::Uuid;

/// Columns of each dataset in a list. A response about a single dataset has all columns.
pub const LISTED_COLUMNS: usize = 50;

/// The type of a column.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(rename_all = "lowercase")]
pub enum DtypeView {
    /// Finite numbers.
    Number,
    /// 0/1, true/false, yes/no.
    Boolean,
    /// Few distinct texts.
    Category,
    /// Many distinct texts. The column is not usable as a feature.
    Text,
    /// No value in any row.
    Empty,
}

impl From<Dtype> for DtypeView {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Number => Self::Number,
            Dtype::Boolean => Self::Boolean,
            Dtype::Category => Self::Category,
            Dtype::Text => Self::Text,
            Dtype::Empty => Self::Empty,
        }
    }
}

/// A value and its frequency.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValueCount {
    /// The value as in the file.
    #[schema(example = "male")]
    pub value: String,
    /// Rows with the value.
    #[schema(example = 843)]
    pub count: u64,
}

/// The profile of one column.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnView {
    /// The name in the header.
    #[schema(example = "age")]
    pub name: String,
    /// The type of the values.
    pub dtype: DtypeView,
    /// Rows without a value.
    #[schema(example = 263)]
    pub missing: u64,
    /// Distinct values; a lower bound for columns with very many.
    #[schema(example = 98)]
    pub distinct: u64,
    /// The smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub min: Option<f64>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub max: Option<f64>,
    /// The most frequent values, most frequent first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub top: Option<Vec<ValueCount>>,
}

impl From<ColumnProfile> for ColumnView {
    fn from(column: ColumnProfile) -> Self {
        let counted =
            |top: Vec<(String, u64)>| top.into_iter().map(|(value, count)| ValueCount { value, count }).collect();
        Self {
            name: column.name,
            dtype: column.dtype.into(),
            missing: column.missing,
            distinct: column.distinct,
            min: column.min,
            max: column.max,
            top: column.top.map(counted),
        }
    }
}

/// One version of a dataset with its profile.
#[derive(Debug, Serialize, ToSchema)]
pub struct DatasetView {
    /// The id of the version.
    pub id: Uuid,
    /// The name of the dataset.
    #[schema(example = "titanic")]
    pub name: String,
    /// The version. The first is 1; each upload adds one.
    #[schema(example = 1)]
    pub version: i64,
    /// Rows without the header.
    #[schema(example = 1309)]
    pub rows: i64,
    /// Size of the CSV in bytes, uncompressed.
    pub bytes: i64,
    /// The number of columns.
    #[schema(example = 11)]
    pub column_count: usize,
    /// The profile of each column, in the order of the file. A list shows the first 50.
    pub columns: Vec<ColumnView>,
    /// SHA-256 of the uncompressed CSV, hexadecimal.
    pub sha256: String,
    /// Warnings about the data.
    pub warnings: Vec<String>,
    /// The account that uploaded the dataset; `null` for the built-in dataset.
    #[schema(required)]
    pub created_by: Option<Uuid>,
    /// When the version was created.
    pub created_at: DateTime<Utc>,
}

impl From<Dataset> for DatasetView {
    fn from(dataset: Dataset) -> Self {
        Self {
            id: dataset.id.0,
            name: dataset.name.as_str().to_owned(),
            version: dataset.version,
            rows: dataset.rows,
            bytes: dataset.bytes,
            column_count: dataset.columns.len(),
            columns: dataset.columns.into_iter().map(ColumnView::from).collect(),
            sha256: dataset.sha256,
            warnings: dataset.warnings,
            created_by: dataset.created_by.map(|user| user.0),
            created_at: dataset.created_at,
        }
    }
}

impl DatasetView {
    /// The dataset as an item of a list.
    pub fn listed(mut dataset: Dataset) -> Self {
        let column_count = dataset.columns.len();
        dataset.columns.truncate(LISTED_COLUMNS);
        Self { column_count, ..dataset.into() }
    }
}

/// The first rows of a dataset.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewView {
    /// The name of the dataset.
    #[schema(example = "titanic")]
    pub name: String,
    /// The version.
    #[schema(example = 1)]
    pub version: i64,
    /// The column names, in the order of the file.
    pub columns: Vec<String>,
    /// Up to 50 rows; a missing value is `null`.
    pub rows: Vec<Vec<Option<String>>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use trainyard_domain::{DatasetId, DatasetName};

    fn dataset(columns: usize) -> Dataset {
        let column = |i: usize| ColumnProfile {
            name: format!("c{i}"),
            dtype: Dtype::Boolean,
            missing: 1,
            distinct: 2,
            min: None,
            max: None,
            top: Some(vec![("1".into(), 3)]),
            values_sha256: "secret".into(),
            partition_sha256: "secret".into(),
        };
        Dataset {
            id: DatasetId::at(DateTime::UNIX_EPOCH),
            name: DatasetName::parse("t").unwrap(),
            version: 1,
            rows: 4,
            bytes: 9,
            columns: (0..columns).map(column).collect(),
            sha256: String::new(),
            storage_key: "datasets/x.csv".into(),
            warnings: vec![],
            created_by: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_column_has_its_profile_and_no_internal_fields() {
        let view = serde_json::to_value(DatasetView::from(dataset(1))).unwrap();
        assert_eq!(
            view["columns"],
            json!([{"name": "c0", "dtype": "boolean", "missing": 1, "distinct": 2, "top": [{"value": "1", "count": 3}]}])
        );
        assert_eq!(view.get("storage_key"), None);
        assert_eq!(view["created_by"], json!(null));
    }

    #[test]
    fn a_list_has_the_first_columns_and_the_number_of_columns() {
        let listed = DatasetView::listed(dataset(60));
        assert_eq!((listed.columns.len(), listed.column_count), (LISTED_COLUMNS, 60));
    }
}
