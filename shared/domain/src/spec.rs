//! What a client asks to have trained.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::dataset::{Dataset, DatasetName, Dtype};
use crate::field::FieldError;
use crate::model::ModelName;
use crate::params::Params;

/// The data set a job trains on when it names none.
pub const DEFAULT_DATASET: &str = "titanic";
/// The target of [`DEFAULT_DATASET`].
pub const DEFAULT_TARGET: &str = "survived";
/// Most features a job may name.
pub const MAX_FEATURES: usize = 10_000;
/// A target with more distinct values than this is never taken for a list of classes.
pub const MAX_CLASSES: u64 = 100;

/// A training job's order, with every default filled in: what is stored, shown as `spec`, and handed to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// The model to make a version of.
    pub name: ModelName,
    /// What trains it.
    pub algorithm: Algorithm,
    /// Feature columns; never `*`, which is expanded at submission.
    pub features: Vec<String>,
    /// The data set's name.
    pub dataset: DatasetName,
    /// The data set's version, fixed at submission so that retries see the same rows.
    pub dataset_version: i64,
    /// The column to predict.
    pub target: String,
    /// Every parameter of the algorithm.
    pub params: Map<String, Value>,
    /// Higher runs first; -10 to 10.
    pub priority: i64,
    /// Not before then.
    pub run_at: Option<DateTime<Utc>>,
    /// How often the job's own retryable failures are tried.
    pub max_attempts: i64,
    /// Longest run in seconds.
    pub timeout_s: i64,
    /// Where to report the end.
    pub webhook_url: Option<String>,
    /// Fixes every random draw.
    pub seed: u64,
}

/// `POST /training` as sent, types checked but nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Draft {
    /// See [`JobSpec`].
    pub name: String,
    /// See [`JobSpec`].
    pub algorithm: String,
    /// See [`JobSpec`]; `["*"]` means every column but the target.
    pub features: Vec<String>,
    /// See [`JobSpec`].
    pub target: String,
    /// See [`JobSpec`].
    pub params: Map<String, Value>,
    /// See [`JobSpec`].
    pub priority: i64,
    /// See [`JobSpec`].
    pub run_at: Option<DateTime<Utc>>,
    /// See [`JobSpec`].
    pub max_attempts: i64,
    /// See [`JobSpec`].
    pub timeout_s: i64,
    /// See [`JobSpec`]; checked by [`crate::webhook::Rules`], which this knows nothing of.
    pub webhook_url: Option<String>,
    /// See [`JobSpec`].
    pub seed: u64,
}

impl Draft {
    /// Checks everything that can be known before training, against the data set the job names.
    ///
    /// # Errors
    /// Every refused field.
    pub fn check(self, dataset: &Dataset) -> Result<JobSpec, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = keep(&mut errors, "name", ModelName::parse(&self.name));
        let algorithm = keep(&mut errors, "algorithm", find_algorithm(&self.algorithm));
        check_range(&mut errors, "priority", self.priority, -10, 10);
        check_range(&mut errors, "max_attempts", self.max_attempts, 1, 20);
        check_range(&mut errors, "timeout_s", self.timeout_s, 1, 86_400);
        check_target(&mut errors, &self.target, algorithm, dataset);
        let features = expand(&self.features, &self.target, dataset);
        check_features(&mut errors, &features, &self.target, dataset);
        let params = algorithm.and_then(|algorithm| match Params::parse(algorithm, &self.params) {
            Ok(params) => Some(params),
            Err(refused) => {
                errors.extend(refused);
                None
            }
        });
        match (name, algorithm, params) {
            (Some(name), Some(algorithm), Some(params)) if errors.is_empty() => Ok(JobSpec {
                name,
                algorithm,
                features,
                dataset: dataset.name.clone(),
                dataset_version: dataset.version,
                target: self.target,
                params: params.as_map().clone(),
                priority: self.priority,
                run_at: self.run_at,
                max_attempts: self.max_attempts,
                timeout_s: self.timeout_s,
                webhook_url: self.webhook_url,
                seed: self.seed,
            }),
            _ => Err(errors),
        }
    }
}

fn keep<T, M: Into<String>>(errors: &mut Vec<FieldError>, field: &str, parsed: Result<T, M>) -> Option<T> {
    parsed.map_err(|message| errors.push(FieldError::new(field, message))).ok()
}

fn find_algorithm(text: &str) -> Result<Algorithm, String> {
    let known: Vec<_> = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
    Algorithm::parse(text).ok_or_else(|| format!("must be one of {}", known.join(", ")))
}

fn check_range(errors: &mut Vec<FieldError>, field: &str, value: i64, min: i64, max: i64) {
    if !(min..=max).contains(&value) {
        errors.push(FieldError::new(field, format!("must be from {min} to {max}")));
    }
}

fn check_target(errors: &mut Vec<FieldError>, target: &str, algorithm: Option<Algorithm>, dataset: &Dataset) {
    let mut refuse = |message: String| errors.push(FieldError::new("target", message));
    let Some(column) = dataset.column(target) else {
        return refuse(format!("is not a column of {}, which has {}", dataset.name.as_str(), column_list(dataset)));
    };
    if column.distinct <= 1 {
        return refuse("has only one value, so there is nothing to learn".into());
    }
    match algorithm {
        None => {}
        Some(algorithm) if is_regression(column.dtype, column.distinct) && algorithm.supports_regression() => {}
        Some(algorithm) if is_regression(column.dtype, column.distinct) => refuse(format!(
            "has {} distinct numbers, which asks for regression; {} classifies only (random_forest does both)",
            column.distinct,
            algorithm.as_str()
        )),
        Some(_) if column.distinct > MAX_CLASSES => {
            refuse(format!("has {} classes; at most {MAX_CLASSES} can be told apart", column.distinct));
        }
        Some(algorithm) => {
            if let Some(max) = algorithm.max_rows().filter(|max| dataset.rows > *max) {
                errors.push(FieldError::new(
                    "algorithm",
                    format!("{} takes at most {max} rows; this data set has {}", algorithm.as_str(), dataset.rows),
                ));
            }
        }
    }
}

/// Whether a target with this profile is regressed: numbers with more than 20 distinct values.
pub fn is_regression(dtype: Dtype, distinct: u64) -> bool {
    dtype == Dtype::Number && distinct > 20
}

fn expand(features: &[String], target: &str, dataset: &Dataset) -> Vec<String> {
    if features != ["*"] {
        return features.to_vec();
    }
    // Columns that can't serve as features are left out of `*`; naming one outright is refused below, or warned about
    // by training.
    let usable = dataset.columns.iter().filter(|column| {
        column.name != target && column.distinct > 1 && !matches!(column.dtype, Dtype::Text | Dtype::Empty)
    });
    usable.map(|column| column.name.clone()).collect()
}

fn check_features(errors: &mut Vec<FieldError>, features: &[String], target: &str, dataset: &Dataset) {
    if features.is_empty() {
        return errors.push(FieldError::new("features", "must name at least one usable column"));
    }
    if features.len() > MAX_FEATURES {
        return errors.push(FieldError::new("features", format!("must name at most {MAX_FEATURES} columns")));
    }
    let mut seen = std::collections::HashSet::new();
    for (i, feature) in features.iter().enumerate() {
        let mut refuse = |message: String| errors.push(FieldError::new(format!("features[{i}]"), message));
        if !seen.insert(feature) {
            refuse(format!("'{feature}' is named twice"));
        } else if feature == target {
            refuse(format!("'{feature}' is the target"));
        } else if let Some(column) = dataset.column(feature) {
            if column.dtype == Dtype::Empty {
                refuse(format!("'{feature}' has no value in any row"));
            } else if column.dtype == Dtype::Text {
                refuse(format!(
                    "'{feature}' is free text ({} distinct values), which these algorithms can't use",
                    column.distinct
                ));
            } else if dataset.column(target).is_some_and(|target| leaks(column, target)) {
                refuse(format!("'{feature}' holds the same information as the target '{target}'"));
            }
        } else {
            refuse(format!(
                "'{feature}' is not a column of {}, which has {}",
                dataset.name.as_str(),
                column_list(dataset)
            ));
        }
    }
}

/// Whether a feature equals the target, or only renames its classes.
fn leaks(feature: &crate::ColumnProfile, target: &crate::ColumnProfile) -> bool {
    // Renaming is looked at for classes alone: two columns of all-distinct numbers always partition alike.
    feature.values_sha256 == target.values_sha256
        || (target.distinct <= MAX_CLASSES && feature.partition_sha256 == target.partition_sha256)
}

fn column_list(dataset: &Dataset) -> String {
    const SHOWN: usize = 30;
    let mut names: Vec<_> = dataset.columns.iter().take(SHOWN).map(|column| column.name.as_str()).collect();
    if dataset.columns.len() > SHOWN {
        names.push("…");
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ColumnProfile;
    use crate::ids::DatasetId;

    fn column(name: &str, dtype: Dtype, distinct: u64) -> ColumnProfile {
        ColumnProfile {
            name: name.into(),
            dtype,
            missing: 0,
            distinct,
            min: None,
            max: None,
            top: None,
            values_sha256: format!("values of {name}"),
            partition_sha256: format!("partition of {name}"),
        }
    }

    fn dataset() -> Dataset {
        let mut renamed = column("alive", Dtype::Category, 2);
        renamed.partition_sha256 = "partition of survived".into();
        Dataset {
            id: DatasetId::at(DateTime::UNIX_EPOCH),
            name: DatasetName::parse("t").unwrap(),
            version: 3,
            rows: 60_000,
            bytes: 1,
            columns: vec![
                column("age", Dtype::Number, 90),
                column("sex", Dtype::Category, 2),
                column("name", Dtype::Text, 1300),
                column("void", Dtype::Empty, 0),
                renamed,
                column("survived", Dtype::Boolean, 2),
            ],
            sha256: String::new(),
            storage_key: String::new(),
            warnings: vec![],
            created_by: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    fn draft(features: &[&str]) -> Draft {
        Draft {
            name: "m".into(),
            algorithm: "random_forest".into(),
            features: features.iter().map(|f| (*f).to_owned()).collect(),
            target: "survived".into(),
            params: Map::new(),
            priority: 0,
            run_at: None,
            max_attempts: 3,
            timeout_s: 3600,
            webhook_url: None,
            seed: 42,
        }
    }

    fn refused(draft: Draft) -> Vec<String> {
        draft.check(&dataset()).unwrap_err().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_good_draft_gets_every_default_and_the_version() {
        let spec = draft(&["sex", "age"]).check(&dataset()).unwrap();
        assert_eq!(spec.dataset_version, 3);
        assert_eq!(spec.params["n_trees"], 100);
    }

    #[test]
    fn a_star_takes_every_column_that_can_serve() {
        // `alive` only renames the target, so naming everything is refused rather than silently leaking.
        assert_eq!(refused(draft(&["*"])), ["features[2]"]);
    }

    #[test]
    fn features_are_refused_one_by_one() {
        let fields = refused(draft(&["sex", "sex", "survived", "nope", "name", "void", "alive"]));
        assert_eq!(fields, (1..=6).map(|i| format!("features[{i}]")).collect::<Vec<_>>());
        assert_eq!(refused(draft(&[])), ["features"]);
    }

    #[test]
    fn targets_must_suit_the_algorithm() {
        assert_eq!(refused(Draft { target: "void".into(), ..draft(&["sex"]) }), ["target"]);
        let regress = Draft { target: "age".into(), ..draft(&["sex"]) };
        assert!(regress.clone().check(&dataset()).is_ok());
        assert_eq!(refused(Draft { algorithm: "svm".into(), ..regress }), ["target"]);
        assert_eq!(refused(Draft { algorithm: "svm".into(), ..draft(&["sex"]) }), ["algorithm"]);
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let wrong = Draft {
            name: "Bad Name".into(),
            algorithm: "xgboost".into(),
            priority: 11,
            max_attempts: 0,
            timeout_s: 0,
            ..draft(&["nope"])
        };
        assert_eq!(refused(wrong), ["name", "algorithm", "priority", "max_attempts", "timeout_s", "features[0]"]);
    }
}
