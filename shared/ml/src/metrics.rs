//! Metrics of a model on the held-out part: pure functions of actual values and predictions.
//!
//! The definitions are those of scikit-learn, which computed the expected values of the tests. An undefined metric,
//! such as ROC AUC with one class in the held-out part, is `None` and becomes null.

pub mod classes;
pub mod curves;
pub mod importances;
pub mod regression;
pub mod report;
pub mod roc;

pub use report::{Evaluation, report};
