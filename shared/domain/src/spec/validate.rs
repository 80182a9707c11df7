//! Validation of training requests. The cost is linear in the number of columns, also for wide datasets.

use std::collections::HashSet;

use super::{Draft, JobSpec, MAX_CLASSES, MAX_FEATURES};
use crate::algorithm::Algorithm;
use crate::dataset::{ColumnProfile, Dtype, IndexedDataset};
use crate::field::{FieldError, shown};
use crate::model::ModelName;
use crate::params::Params;

impl Draft {
    /// Validates the request. `dataset` is the newest version of the requested dataset, or `None` if it does not exist;
    /// the other fields are validated in either case. Returns one error for each invalid field.
    pub fn validate(&self, dataset: Option<&IndexedDataset>) -> Result<JobSpec, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = keep(&mut errors, "name", ModelName::parse(&self.name));
        let algorithm = keep(&mut errors, "algorithm", find_algorithm(&self.algorithm));
        check_range(&mut errors, "priority", self.priority, -10, 10);
        check_range(&mut errors, "max_attempts", self.max_attempts, 1, 20);
        check_range(&mut errors, "timeout_s", self.timeout_s, 1, 86_400);
        let features = match dataset {
            Some(dataset) => self.check_columns(&mut errors, algorithm, dataset),
            None => {
                errors.push(FieldError::new("dataset", "is not the name of a dataset"));
                // Without a dataset the target cannot be checked.
                check_features(&mut errors, &self.features, &self.target, |_, _, _| {});
                Vec::new()
            }
        };
        let params = algorithm.and_then(|algorithm| match Params::parse(algorithm, &self.params) {
            Ok(params) => Some(params),
            Err(refused) => {
                errors.extend(refused);
                None
            }
        });
        match (name, algorithm, params, dataset) {
            (Some(name), Some(algorithm), Some(params), Some(dataset)) if errors.is_empty() => Ok(JobSpec {
                name,
                algorithm,
                features,
                dataset: dataset.name.clone(),
                dataset_version: dataset.version,
                target: self.target.clone(),
                params: params.into_map(),
                priority: self.priority,
                run_at: self.run_at,
                max_attempts: self.max_attempts,
                timeout_s: self.timeout_s,
                webhook_url: self.webhook_url.clone(),
                seed: self.seed,
            }),
            _ => Err(errors),
        }
    }

    /// Validates target and features against the dataset. Returns the features with `*` expanded.
    fn check_columns(
        &self,
        errors: &mut Vec<FieldError>,
        algorithm: Option<Algorithm>,
        dataset: &IndexedDataset,
    ) -> Vec<String> {
        let target = dataset.column(&self.target);
        check_target(errors, &self.target, target, algorithm, dataset);
        let features = expand(&self.features, &self.target, dataset);
        check_features(errors, &features, &self.target, |errors, i, feature| {
            let refuse = |message| FieldError::new(format!("features[{i}]"), message);
            match dataset.column(feature) {
                Some(column) => errors.extend(unusable(column, target).map(refuse)),
                None => errors.push(refuse(format!("'{}' {}", shown(feature), no_column(dataset)))),
            }
        });
        features
    }
}

const TARGET_MISSING: &str = "is required: name the column to predict (only the dataset titanic has a default)";

fn keep<T, M: Into<String>>(errors: &mut Vec<FieldError>, field: &str, parsed: Result<T, M>) -> Option<T> {
    parsed.map_err(|message| errors.push(FieldError::new(field, message))).ok()
}

fn find_algorithm(text: &str) -> Result<Algorithm, String> {
    let known: Vec<_> = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
    Algorithm::parse(text).ok_or_else(|| format!("must be one of {}", known.join(", ")))
}

fn check_range(errors: &mut Vec<FieldError>, field: &str, value: i64, min: i64, max: i64) {
    if !(min..=max).contains(&value) {
        errors.push(FieldError::new(field, format!("must be a whole number from {min} to {max}")));
    }
}

fn check_target(
    errors: &mut Vec<FieldError>,
    name: &str,
    target: Option<&ColumnProfile>,
    algorithm: Option<Algorithm>,
    dataset: &IndexedDataset,
) {
    let mut refuse = |message: String| errors.push(FieldError::new("target", message));
    let Some(column) = target else {
        let message = if name.is_empty() { TARGET_MISSING.to_owned() } else { no_column(dataset) };
        return refuse(message);
    };
    if column.distinct <= 1 {
        return refuse("has only one distinct value; choose a target with at least two".into());
    }
    match algorithm {
        None => {}
        Some(algorithm) if is_regression(column.dtype, column.distinct) && algorithm.supports_regression() => {}
        Some(algorithm) if is_regression(column.dtype, column.distinct) => refuse(format!(
            "has {} distinct numbers, so this is a regression; {} supports classification only (random_forest supports both)",
            column.distinct,
            algorithm.as_str()
        )),
        Some(_) if column.distinct > MAX_CLASSES => {
            refuse(format!("has {} classes; at most {MAX_CLASSES} are supported", column.distinct));
        }
        Some(algorithm) => {
            if let Some(max) = algorithm.max_rows().filter(|max| dataset.rows > *max) {
                errors.push(FieldError::new(
                    "algorithm",
                    format!("{} supports at most {max} rows; this dataset has {}", algorithm.as_str(), dataset.rows),
                ));
            }
        }
    }
}

/// Whether a target means regression: numbers with more than 20 distinct values.
pub fn is_regression(dtype: Dtype, distinct: u64) -> bool {
    dtype == Dtype::Number && distinct > 20
}

fn expand(features: &[String], target: &str, dataset: &IndexedDataset) -> Vec<String> {
    if features != ["*"] {
        return features.to_vec();
    }
    // `*` excludes columns that cannot be features. A request that names such a column gets an error or a warning.
    let usable = dataset.columns().iter().filter(|column| {
        column.name != target && column.distinct > 1 && column.dtype != Dtype::Text && !column.row_names
    });
    usable.map(|column| column.name.clone()).collect()
}

/// Validates the list of features. `check` validates each feature that is neither a duplicate nor the target.
fn check_features(
    errors: &mut Vec<FieldError>,
    features: &[String],
    target: &str,
    check: impl Fn(&mut Vec<FieldError>, usize, &str),
) {
    if features.is_empty() {
        return errors.push(FieldError::new("features", "must name at least one usable column"));
    }
    if features.len() > MAX_FEATURES {
        let found = features.len();
        return errors.push(FieldError::new(
            "features",
            format!("must name at most {MAX_FEATURES} columns; this list has {found}"),
        ));
    }
    let mut seen = HashSet::with_capacity(features.len());
    for (i, feature) in features.iter().enumerate() {
        let mut refuse = |message: String| errors.push(FieldError::new(format!("features[{i}]"), message));
        if !seen.insert(feature.as_str()) {
            refuse(format!("'{}' is listed twice", shown(feature)));
        } else if feature == target {
            refuse(format!("'{}' is the target", shown(feature)));
        } else {
            check(errors, i, feature);
        }
    }
}

/// Why a column cannot be a feature for `target`.
fn unusable(column: &ColumnProfile, target: Option<&ColumnProfile>) -> Option<String> {
    let name = shown(&column.name);
    match column.dtype {
        Dtype::Text if column.distinct == 0 => Some(format!("'{name}' has no value in any row")),
        Dtype::Text => {
            Some(format!("'{name}' is free text ({} distinct values), which no algorithm supports", column.distinct))
        }
        _ => target
            .filter(|target| leaks(column, target))
            .map(|target| format!("'{name}' holds the same information as the target '{}'", shown(&target.name))),
    }
}

/// Target leakage: the feature equals the target, or only renames its classes.
fn leaks(feature: &ColumnProfile, target: &ColumnProfile) -> bool {
    // Only for classes: two columns with all-distinct values always have the same partition.
    feature.values_digest == target.values_digest
        || (target.distinct <= MAX_CLASSES && feature.partition_digest == target.partition_digest)
}

fn no_column(dataset: &IndexedDataset) -> String {
    format!("is not a column of {}, which has {}", dataset.name.as_str(), dataset.column_list())
}
