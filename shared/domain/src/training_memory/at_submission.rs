//! The smallest shape that a job can have, from the profile of its dataset.

use super::{MAX_CATEGORIES, TrainingShape, cell_bytes};
use crate::dataset::{ColumnProfile, Dtype, IndexedDataset};
use crate::spec::{MAX_CLASSES, OnLeak, Training, is_regression};
use crate::table::TaskKind;

/// At least this part of the categories of a column is in the training part, which has half of the rows or more.
const TRAINED_CATEGORIES: u64 = 4;

impl TrainingShape {
    /// The smallest shape that the job can have. `None` if the profile does not show how many rows or columns are used: the
    /// type of the target is overruled, or features may be dropped as leaks.
    pub fn at_least(spec: &Training, dataset: &IndexedDataset) -> Option<Self> {
        let target = dataset.column(&spec.target)?;
        let types = &spec.learning.column_types;
        if types.contains_key(&target.name) || spec.learning.on_leak == OnLeak::Drop {
            return None;
        }
        let dtype = |column: &ColumnProfile| types.get(&column.name).copied().unwrap_or(column.dtype);
        let all_rows = u64::try_from(dataset.rows).unwrap_or(0);
        // Columns without two values in the training part may be dropped. At most half of the rows of each class are held out.
        let is_used = |column: &&ColumnProfile| {
            let without_value = column.missing.saturating_add(target.missing).saturating_add(MAX_CLASSES);
            column.distinct > 1 && without_value.saturating_mul(2) < all_rows
        };
        let features = spec.features.iter().filter_map(|name| dataset.column(name)).filter(is_used);
        let (mut row_bytes, mut raw_columns, mut design_columns) = (0, 0, 0);
        for column in features {
            row_bytes += cell_bytes(dtype(column));
            raw_columns += 1;
            design_columns += match dtype(column) {
                Dtype::Category => (column.distinct.min(MAX_CATEGORIES) / TRAINED_CATEGORIES).max(1),
                _ => 1,
            };
        }
        let task = spec.learning.task.or(spec.algorithm.only_task().filter(|task| *task == TaskKind::Regression));
        let is_regression =
            task.map_or_else(|| is_regression(target.dtype, target.distinct), |task| task == TaskKind::Regression);
        let outputs = if is_regression || target.distinct <= 2 { 1 } else { target.distinct };
        let rows = all_rows.saturating_sub(target.missing);
        Some(Self { rows, row_bytes, raw_columns, category_columns: 0, design_columns, outputs })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::{Map, json};

    use super::*;
    use crate::algorithm::Algorithm;
    use crate::ids::DatasetId;
    use crate::spec::LearningOptions;
    use crate::{Dataset, DatasetName, TableFormat};

    fn column(name: &str, dtype: Dtype, distinct: u64, missing: u64) -> ColumnProfile {
        ColumnProfile { distinct, missing, ..ColumnProfile::new(name, dtype) }
    }

    /// 60,000 rows, of which 1,000 have no target.
    fn table() -> IndexedDataset {
        IndexedDataset::from(Dataset {
            id: DatasetId::at(DateTime::UNIX_EPOCH),
            name: DatasetName::parse("t").unwrap(),
            version: 1,
            rows: 60_000,
            bytes: 1,
            columns: vec![
                column("size", Dtype::Number, 5_000, 100),
                column("town", Dtype::Category, 400, 0),
                column("street", Dtype::Category, 9_000, 0),
                column("rare", Dtype::Number, 7, 59_990),
                column("kind", Dtype::Category, 12, 1_000),
                column("price", Dtype::Number, 8_000, 1_000),
            ],
            format: TableFormat::default(),
            duplicate_rows: 0,
            suggested_target: None,
            suggested_task: None,
            sha256: String::new(),
            storage_key: String::new(),
            warnings: vec![],
            created_by: None,
            created_at: DateTime::UNIX_EPOCH,
        })
    }

    fn spec(target: &str, learning: LearningOptions) -> Training {
        Training {
            algorithm: Algorithm::Svm,
            features: ["size", "town", "street", "rare"].map(str::to_owned).to_vec(),
            target: target.into(),
            params: Map::new(),
            learning,
            warnings: vec![],
            auto_promote: None,
            seed: 1,
        }
    }

    fn shape(target: &str, learning: serde_json::Value) -> Option<TrainingShape> {
        TrainingShape::at_least(&spec(target, serde_json::from_value(learning).unwrap()), &table())
    }

    #[test]
    fn a_shape_counts_what_every_run_uses() {
        let shape_of = |outputs, design_columns| TrainingShape {
            rows: 59_000,
            // Without `rare`, which may have no value in the training part.
            row_bytes: 8 + 4 + 4,
            raw_columns: 3,
            category_columns: 0,
            design_columns,
            outputs,
        };
        assert_eq!(shape("price", json!({})), Some(shape_of(1, 1 + 100 + 250)));
        assert_eq!(shape("kind", json!({})), Some(shape_of(12, 1 + 100 + 250)));
        assert_eq!(shape("price", json!({"task": "classification"})).unwrap().outputs, 8_000);
        let overruled = shape("price", json!({"column_types": {"street": "number"}}));
        assert_eq!(overruled, Some(TrainingShape { row_bytes: 8 + 4 + 8, ..shape_of(1, 1 + 100 + 1) }));
    }

    #[test]
    fn a_shape_that_the_run_decides_is_unknown() {
        assert_eq!(shape("price", json!({"on_leak": "drop"})), None);
        assert_eq!(shape("kind", json!({"column_types": {"kind": "number"}})), None);
    }
}
