//! Schemas of datasets.

use chrono::{DateTime, Utc};
use serde::Serialize;
use trainyard_csv::Profile;
use trainyard_domain::{Dataset, DatasetName, DecimalMark, Delimiter, Header, TableFormat, TaskKind};
use utoipa::ToSchema;
use uuid::Uuid;

use super::column::ColumnView;
use crate::dataset_upload::ReceivedFile;

/// Columns of each dataset in a list. A response about a single dataset has all columns.
pub const LISTED_COLUMNS: usize = 50;

/// How the file is read: detected, or set by parameters of the upload.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormatView {
    /// The character between two fields.
    #[schema(value_type = String, pattern = "^(,|;|tab|[|])$", example = ",")]
    pub delimiter: Delimiter,
    /// The decimal mark.
    #[schema(value_type = String, pattern = "^[.,]$", example = ".")]
    pub decimal: DecimalMark,
    /// The encoding by its name in the WHATWG encoding standard.
    #[schema(example = "utf-8")]
    pub encoding: String,
    /// Whether the first row holds the column names.
    #[schema(value_type = String, pattern = "^(present|absent)$", example = "present")]
    pub header: Header,
    /// Texts that mean a missing value, besides the empty cell.
    pub missing: Vec<String>,
    /// Lines before the header that are not part of the table.
    #[schema(example = 0)]
    pub skipped_lines: u64,
}

impl From<TableFormat> for FormatView {
    fn from(format: TableFormat) -> Self {
        Self {
            delimiter: format.delimiter,
            decimal: format.decimal,
            encoding: format.encoding,
            header: format.header,
            missing: format.missing,
            skipped_lines: format.skipped_lines,
        }
    }
}

/// A table with its profile.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableView {
    /// The name of the dataset.
    #[schema(example = "titanic")]
    pub name: String,
    /// Rows without the header.
    #[schema(example = 1309)]
    pub rows: u64,
    /// Size of the file in bytes, uncompressed.
    pub bytes: u64,
    /// How the file is read.
    pub format: FormatView,
    /// The number of columns.
    #[schema(example = 11)]
    pub column_count: usize,
    /// The profile of each column, in the order of the file. A list shows the first 50.
    pub columns: Vec<ColumnView>,
    /// Rows that repeat an earlier row.
    #[schema(example = 0)]
    pub duplicate_rows: u64,
    /// The column that is most likely the target; `null` if none is likely.
    #[schema(required, example = "survived")]
    pub suggested_target: Option<String>,
    /// The task for the suggested target: `classification` or `regression`.
    #[schema(required, value_type = Option<String>, example = "classification")]
    pub suggested_task: Option<TaskKind>,
    /// SHA-256 of the uncompressed file, hexadecimal.
    pub sha256: String,
    /// Warnings about the table and its columns.
    pub warnings: Vec<String>,
}

impl TableView {
    /// What an upload of `file` would store.
    pub(crate) fn planned(name: &DatasetName, file: &ReceivedFile, profile: Profile) -> Self {
        Self {
            name: name.as_str().to_owned(),
            rows: profile.rows,
            bytes: file.bytes,
            format: profile.format.into(),
            column_count: profile.columns.len(),
            columns: profile.columns.into_iter().map(ColumnView::from).collect(),
            duplicate_rows: profile.duplicate_rows,
            suggested_target: profile.suggested_target,
            suggested_task: profile.suggested_task,
            sha256: file.sha256.clone(),
            warnings: profile.warnings,
        }
    }
}

/// One version of a dataset with its profile.
#[derive(Debug, Serialize, ToSchema)]
pub struct DatasetView {
    /// The id of the version.
    pub id: Uuid,
    /// The version. The first is 1; each upload adds one.
    #[schema(example = 1)]
    pub version: i64,
    /// The table.
    #[serde(flatten)]
    pub table: TableView,
    /// The account that uploaded the dataset; `null` for the built-in dataset.
    #[schema(required)]
    pub created_by: Option<Uuid>,
    /// When the version was created.
    pub created_at: DateTime<Utc>,
}

impl From<Dataset> for DatasetView {
    fn from(dataset: Dataset) -> Self {
        let unsigned = |count: i64| u64::try_from(count).unwrap_or(0);
        let table = TableView {
            name: dataset.name.as_str().to_owned(),
            rows: unsigned(dataset.rows),
            bytes: unsigned(dataset.bytes),
            format: dataset.format.into(),
            column_count: dataset.columns.len(),
            columns: dataset.columns.into_iter().map(ColumnView::from).collect(),
            duplicate_rows: unsigned(dataset.duplicate_rows),
            suggested_target: dataset.suggested_target,
            suggested_task: dataset.suggested_task,
            sha256: dataset.sha256,
            warnings: dataset.warnings,
        };
        Self {
            id: dataset.id.0,
            version: dataset.version,
            table,
            created_by: dataset.created_by.map(|user| user.0),
            created_at: dataset.created_at,
        }
    }
}

impl DatasetView {
    /// The dataset as an item of a list: the first columns, without histograms.
    pub fn listed(mut dataset: Dataset) -> Self {
        let column_count = dataset.columns.len();
        dataset.columns.truncate(LISTED_COLUMNS);
        dataset.columns.iter_mut().for_each(|column| column.histogram = None);
        let mut view = Self::from(dataset);
        view.table.column_count = column_count;
        view
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
    use trainyard_domain::{ColumnProfile, DatasetId, Dtype};

    fn dataset(columns: usize) -> Dataset {
        let column = |i: usize| ColumnProfile {
            min: Some(0.0),
            max: Some(1.0),
            histogram: Some(vec![2; 10]),
            ..ColumnProfile::new(format!("c{i}"), Dtype::Number)
        };
        Dataset {
            id: DatasetId::at(DateTime::UNIX_EPOCH),
            name: DatasetName::parse("t").unwrap(),
            version: 1,
            rows: 4,
            bytes: 9,
            format: TableFormat { delimiter: Delimiter::Tab, ..TableFormat::default() },
            columns: (0..columns).map(column).collect(),
            duplicate_rows: 2,
            suggested_target: Some("c0".into()),
            suggested_task: Some(TaskKind::Regression),
            sha256: String::new(),
            storage_key: "datasets/x.csv".into(),
            warnings: vec![],
            created_by: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_dataset_shows_how_it_is_read_and_no_internal_fields() {
        let view = serde_json::to_value(DatasetView::from(dataset(1))).unwrap();
        assert_eq!(view["format"]["delimiter"], "tab");
        assert_eq!(view["format"]["header"], "present");
        assert_eq!((&view["suggested_task"], &view["duplicate_rows"]), (&json!("regression"), &json!(2)));
        assert_eq!(view.get("storage_key"), None);
        assert_eq!(view["created_by"], json!(null));
    }

    #[test]
    fn a_list_has_the_first_columns_without_histograms_and_the_number_of_columns() {
        let listed = serde_json::to_value(DatasetView::listed(dataset(60))).unwrap();
        assert_eq!(listed["columns"].as_array().unwrap().len(), LISTED_COLUMNS);
        assert_eq!((&listed["column_count"], listed["columns"][0].get("histogram")), (&json!(60), None));
    }
}
