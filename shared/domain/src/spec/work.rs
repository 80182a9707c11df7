//! What a job does: it trains a model, or it predicts the rows of a dataset with one.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::LearningOptions;
use crate::algorithm::Algorithm;
use crate::promotion::AutoPromote;

/// The kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Trains a model and publishes a version of it.
    Training,
    /// Predicts every row of a dataset and publishes a table.
    Prediction,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Training, Self::Prediction];

    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Prediction => "prediction",
        }
    }

    /// The kind with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a job does, with the fields of its kind. In JSON, `kind` says which; without it, the job is a training.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(clippy::large_enum_variant, reason = "most jobs are trainings, and a job has one of them")]
pub enum Work {
    /// Train a model.
    Training(Training),
    /// Predict a dataset.
    Prediction(Prediction),
}

impl<'de> Deserialize<'de> for Work {
    /// By hand, because jobs that were stored before there were kinds have none.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::<String, Value>::deserialize(deserializer)?;
        let kind = match fields.get("kind") {
            None => JobKind::Training,
            Some(kind) => JobKind::deserialize(kind).map_err(D::Error::custom)?,
        };
        let fields = Value::Object(fields);
        match kind {
            JobKind::Training => Training::deserialize(fields).map(Self::Training),
            JobKind::Prediction => Prediction::deserialize(fields).map(Self::Prediction),
        }
        .map_err(D::Error::custom)
    }
}

/// The work of a training job, with all defaults filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The training algorithm.
    pub algorithm: Algorithm,
    /// Feature columns. `*` is expanded at submission.
    pub features: Vec<String>,
    /// The column to predict.
    pub target: String,
    /// All parameters of the algorithm.
    pub params: Map<String, Value>,
    /// How the table is learned.
    #[serde(flatten)]
    pub learning: LearningOptions,
    /// Warnings about columns that the submission left out. The run repeats them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// When the version gets `production`; `None` leaves that to `worker.auto_promote`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_promote: Option<AutoPromote>,
    /// Seed of the random number generator.
    pub seed: u64,
}

/// The work of a prediction job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    /// The version of the model, fixed at submission so that every attempt predicts the same.
    pub version: i64,
    /// The algorithm that trained this version.
    pub algorithm: Algorithm,
    /// The columns of the dataset in the result.
    pub columns: OutputColumns,
    /// The format of the result.
    pub output: OutputFormat,
}

/// The columns of the dataset in the result of a prediction job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputColumns {
    /// All of them, before the predictions.
    #[default]
    All,
    /// None: the predictions only.
    None,
}

impl OutputColumns {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::None => "none",
        }
    }

    /// The choice with this name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::All, Self::None].into_iter().find(|columns| columns.as_str() == text)
    }
}

/// The format of the result of a prediction job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// Comma-separated values: RFC 4180, UTF-8.
    #[default]
    Csv,
}

impl OutputFormat {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
        }
    }

    /// The format with this name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Csv].into_iter().find(|format| format.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::JobSpec;

    /// A specification as it was stored before there were prediction jobs.
    fn stored() -> Value {
        json!({
            "name": "m", "algorithm": "random_forest", "features": ["age"], "dataset": "titanic", "dataset_version": 1,
            "target": "survived", "params": {"n_trees": 10}, "task": "classification", "priority": 0, "run_at": null,
            "max_attempts": 3, "timeout_s": 60, "webhook_url": null, "seed": 9_007_199_254_740_991_u64,
        })
    }

    fn prediction() -> Value {
        json!({
            "kind": "prediction", "name": "m", "version": 2, "algorithm": "ridge", "columns": "none", "output": "csv",
            "dataset": "titanic", "dataset_version": 1, "priority": 0, "run_at": null, "max_attempts": 3,
            "timeout_s": 60, "webhook_url": null,
        })
    }

    #[test]
    fn a_specification_without_a_kind_is_a_training() {
        let spec: JobSpec = serde_json::from_value(stored()).unwrap();
        assert_eq!((spec.kind(), spec.algorithm()), (JobKind::Training, Algorithm::RandomForest));
        let training = spec.training().unwrap();
        assert_eq!((training.seed, training.target.as_str()), (9_007_199_254_740_991, "survived"));
        let mut expected = stored();
        expected["kind"] = json!("training");
        assert_eq!(serde_json::to_value(&spec).unwrap(), expected, "older processes read what newer ones write");
    }

    #[test]
    fn a_prediction_reads_back() {
        let spec: JobSpec = serde_json::from_value(prediction()).unwrap();
        assert_eq!((spec.kind(), spec.algorithm()), (JobKind::Prediction, Algorithm::Ridge));
        assert_eq!(spec.prediction().map(|prediction| prediction.columns), Some(OutputColumns::None));
        assert_eq!(serde_json::to_value(&spec).unwrap(), prediction());
        assert_eq!(serde_json::from_str::<JobSpec>(&prediction().to_string()).unwrap(), spec);
    }

    #[test]
    fn unknown_kinds_and_missing_fields_are_errors() {
        let mut later = prediction();
        later["kind"] = json!("evaluation");
        assert!(serde_json::from_value::<JobSpec>(later).is_err());
        let mut half = prediction();
        half.as_object_mut().unwrap().remove("version");
        let error = serde_json::from_value::<JobSpec>(half).unwrap_err().to_string();
        assert!(error.contains("version"), "{error}");
    }

    #[test]
    fn names_read_back() {
        JobKind::ALL.into_iter().for_each(|kind| assert_eq!(JobKind::parse(kind.as_str()), Some(kind)));
        for columns in [OutputColumns::All, OutputColumns::None] {
            assert_eq!(OutputColumns::parse(columns.as_str()), Some(columns));
        }
        assert_eq!(OutputFormat::parse("csv"), Some(OutputFormat::Csv));
    }
}
