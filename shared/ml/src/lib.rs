//! BinaryClassifier learning: CSV profiles, training, metrics, the model file, and prediction.
//!
//! No async code, no network, no SQL. Input comes from readers and slices of the caller. Randomness comes from the
//! seed, so the same data and the same job specification give the same model, byte for byte.
//!
//! * [`csv_profile`] profiles an uploaded CSV; [`train`] trains a model on it.
//! * [`model`] defines a model as plain data, for training and prediction.
//! * [`artifact`] encodes and validates the model file; [`predict`] compiles a model and predicts.
//! * [`tokens`] defines which strings are missing values, booleans or numbers.

pub mod artifact;
pub mod csv_profile;
mod error;
pub mod forest;
pub mod frame;
pub mod linfa_logistic;
pub mod linfa_svm;
pub mod linfa_tree;
pub mod metrics;
pub mod model;
pub mod predict;
pub mod preprocess;
mod progress;
pub mod rng;
pub mod split;
pub mod tokens;
pub mod train;
