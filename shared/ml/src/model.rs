//! A trained model as plain data: created by training, stored in the artifact, compiled by the predictors.
//!
//! The definitions for training and prediction:
//!
//! * a **raw row** has one or more `f32` per feature ([`encode`]): the scaled number, 0/1, the category's code or
//!   its ranks, or the parts of a date; NaN if the value is missing;
//! * a row of the **design matrix** ([`design_matrix`]) is the input of linear models and support vector classifiers;
//! * an **output vector** has [`Task::outputs`] numbers: the probability of the positive class, one probability per
//!   class, or the predicted number.
//!
//! This module does not validate models; [`crate::artifact`] does.

pub mod boosting;
pub mod calibration;
pub mod categories;
pub mod coupling;
pub mod dates;
pub mod design_matrix;
pub mod distribution;
pub mod encode;
pub mod ensemble;
pub mod linear;
pub mod request;
pub mod scaling;
pub mod signature;
pub mod svm;
pub mod task;
pub mod trees;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trainyard_domain::Algorithm;

pub use boosting::{BoostedTrees, Link, Response};
pub use calibration::{CalibratedModel, Calibrator};
pub use categories::Categories;
pub use dates::{DatePart, DateUnit};
pub use design_matrix::{ColumnEncoder, DesignMatrixEncoder};
pub use distribution::{Bins, Distribution, Distributions};
pub use encode::{Input, RawRow, Status};
pub use ensemble::{Ensemble, FeatureEncoding, Member};
pub use linear::LinearModel;
pub use request::{Mismatch, TextReaders};
pub use scaling::Scaling;
pub use signature::{CategoryOrder, CategoryStatistic, Feature, FeatureKind, Signature};
pub use svm::{DecisionFunction, Kernel, SvmModel};
pub use task::{DEFAULT_THRESHOLD, Label, LabelError, LabelType, Task};
pub use trees::{LEAF, NodeSplit, Tree, TreeEnsemble};

/// Maximum number of self-test rows in a manifest.
pub const MAX_SELF_TEST_ROWS: usize = 16;

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The metadata.
    pub manifest: Manifest,
    /// The fitted numbers.
    pub estimator: Estimator,
}

/// The metadata of an artifact, stored as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The features and the target.
    pub signature: Signature,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// All parameters of the training.
    pub params: Map<String, Value>,
    /// The seed of the random number generator.
    pub seed: u64,
    /// SHA-256 (hex) of the training CSV.
    pub dataset_sha256: String,
    /// The version of this library that trained the model.
    pub library_version: String,
    /// The metrics on the held-out part.
    pub metrics: Value,
    /// Number of training rows.
    pub rows: u64,
    /// The distributions with which monitoring compares requests.
    pub distributions: Distributions,
    /// Rows with their predictions, checked at every load: at most [`MAX_SELF_TEST_ROWS`].
    pub self_test: Vec<SelfTest>,
}

/// A row with its prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// The row as in a request; missing values are absent or null.
    pub features: Map<String, Value>,
    /// The output vector; see [`Task::outputs`].
    pub expected: Vec<f64>,
}

/// The fitted numbers by model family.
#[derive(Debug, Clone, PartialEq)]
pub enum Estimator {
    /// A decision tree or a random forest.
    Trees(TreeEnsemble),
    /// Gradient boosting.
    Boosting(BoostedTrees),
    /// Logistic regression.
    Linear(LinearModel),
    /// Support vector classifier.
    Svm(SvmModel),
    /// The weighted mean of several models.
    Ensemble(Ensemble),
    /// A model with calibrated probabilities.
    Calibrated(CalibratedModel),
}

impl Estimator {
    /// Predicts without compilation: the reference for the compiled predictors, also used by training. `unseen` marks
    /// the raw values of categories that did not occur in training. The result is written to `outputs`.
    pub fn predict(&self, task: &Task, raw: &[f32], unseen: &[bool], outputs: &mut [f64]) {
        match self {
            Self::Trees(trees) => trees.predict(raw, outputs),
            Self::Boosting(boosted) => boosted.predict(raw, outputs),
            Self::Linear(linear) => {
                let mut inputs = vec![0.0; linear.encoder.width()];
                linear.encoder.encode(raw, unseen, &mut inputs);
                linear.predict(task, &inputs, outputs);
            }
            Self::Svm(svm) => {
                let mut inputs = vec![0.0; svm.encoder.width()];
                svm.encoder.encode(raw, unseen, &mut inputs);
                svm.predict(task, &inputs, outputs);
            }
            Self::Ensemble(ensemble) => ensemble.predict(task, raw, unseen, outputs),
            Self::Calibrated(calibrated) => calibrated.predict(task, raw, unseen, outputs),
        }
    }
}
