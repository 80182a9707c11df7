//! A trained model as plain data: what training makes, the artifact stores and the predictors compile.
//!
//! The meaning of every number is fixed here, once, for training and serving alike:
//!
//! * a **raw row** has one `f32` per feature ([`encode`]): the number, 0/1, or the category's code; NaN where the value
//!   is missing or the category was never seen in training;
//! * a **design vector** ([`design`]) is what linear models and support vector machines see of it;
//! * an **output vector** has [`Task::outputs`] numbers: the positive class's probability, one probability per class, or
//!   the predicted number.
//!
//! Nothing here reads files or trusts its input: [`crate::artifact`] checks a model that comes from outside.

pub mod categories;
pub mod coupling;
pub mod design;
pub mod encode;
pub mod linear;
pub mod signature;
pub mod svm;
pub mod task;
pub mod trees;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trainyard_domain::Algorithm;

pub use categories::Categories;
pub use design::{DesignEncoding, FeatureEncoding};
pub use encode::{Encoded, Mismatch, RawRow, Status};
pub use linear::LinearModel;
pub use signature::{Feature, FeatureKind, Signature};
pub use svm::{Kernel, Machine, SvmModel};
pub use task::{Label, Task};
pub use trees::{LEAF, Tree, TreeEnsemble};

/// Most rows a manifest carries for the self-test.
pub const MAX_SELF_TEST_ROWS: usize = 16;

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What it takes and gives, and where it comes from.
    pub manifest: Manifest,
    /// The fitted numbers.
    pub body: Body,
}

/// The readable part of an artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What the model takes and gives.
    pub signature: Signature,
    /// What trained it.
    pub algorithm: Algorithm,
    /// Every parameter it was trained with.
    pub params: Map<String, Value>,
    /// Fixed every random draw.
    pub seed: u64,
    /// SHA-256 (hex) of the CSV it was trained on.
    pub dataset_sha256: String,
    /// Version of this library that wrote it.
    pub library_version: String,
    /// What was measured on the held-out part.
    pub metrics: Value,
    /// Rows of the training part.
    pub rows: u64,
    /// Rows with known answers, predicted again at every load: at most [`MAX_SELF_TEST_ROWS`].
    pub self_test: Vec<SelfTest>,
}

/// One row with its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// The row as a client would send it; missing values left out or null.
    pub features: Map<String, Value>,
    /// The output vector, see [`Task::outputs`].
    pub expected: Vec<f64>,
}

/// The fitted numbers, by family.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// One tree or a forest.
    Trees(TreeEnsemble),
    /// Logistic regression.
    Linear(LinearModel),
    /// Support vector machine.
    Svm(SvmModel),
}

impl Body {
    /// The plain, checked way to predict: what the compiled predictors are held against, and what training measures
    /// with. `unseen` has a flag per feature, set where a category was never seen in training; `outputs` is filled.
    pub fn predict(&self, task: &Task, raw: &[f32], unseen: &[bool], outputs: &mut [f64]) {
        match self {
            Self::Trees(trees) => trees.predict(raw, outputs),
            Self::Linear(linear) => {
                let mut design = vec![0.0; linear.encoding.width()];
                linear.encoding.encode(raw, unseen, &mut design);
                linear.predict(task, &design, outputs);
            }
            Self::Svm(svm) => {
                let mut design = vec![0.0; svm.encoding.width()];
                svm.encoding.encode(raw, unseen, &mut design);
                svm.predict(task, &design, outputs);
            }
        }
    }
}
