//! Machine learning: training, metrics, the model file, and prediction.
//!
//! No async code, no network, no SQL. Input comes from readers and slices of the caller. Randomness comes from the
//! seed, so the same data and the same job specification give the same model, byte for byte.
//!
//! * [`train`] trains a model on a CSV.
//! * [`model`] defines a model as plain data, for training and prediction.
//! * [`batch`] predicts the rows of a table.
//! * [`checkpoint`] saves the state of a training run, and another process continues from it.
//! * [`artifact`] encodes and validates the model file; [`predict`] compiles a model and predicts; [`onnx`] exports it.

pub mod artifact;
pub mod batch;
mod bins;
pub mod boosting;
pub mod checkpoint;
mod error;
pub mod forest;
pub mod frame;
mod isotonic;
pub mod linear;
mod linfa_data;
pub mod linfa_logistic;
pub mod linfa_svm;
pub mod linfa_tree;
pub mod metrics;
pub mod model;
pub mod onnx;
mod parameters;
mod platt;
pub mod predict;
pub mod preprocess;
mod progress;
pub mod rng;
mod simd;
pub mod split;
pub mod svm;
mod target_scale;
pub mod train;
