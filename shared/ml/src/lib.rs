//! Everything that learns: reading tables, training, metrics, the model file, and the predictors that serve it.
//!
//! No async, no network, no SQL. Bytes come in through readers and slices that the caller opened; randomness comes from
//! the seed alone, so the same data and the same order give the same model, byte for byte.
//!
//! * [`csv_profile`] looks at an upload; [`train`] turns one into a model;
//! * [`model`] is the model as plain data: the meaning of every number, shared by training and serving;
//! * [`artifact`] writes and checks the model file; [`predict`] compiles a model and answers with it;
//! * [`tokens`] knows what counts as missing, boolean or a number.

pub mod artifact;
pub mod csv_profile;
pub mod forest;
pub mod frame;
pub mod linfa_logistic;
pub mod linfa_svm;
pub mod linfa_tree;
pub mod metrics;
pub mod model;
pub mod predict;
pub mod preprocess;
pub mod rng;
pub mod split;
pub mod tokens;
pub mod train;
