//! Metrics of a model on the held-out part, and of the drift of its requests ([`psi()`]): pure functions of actual values,
//! predictions and counts.
//!
//! The definitions are those of scikit-learn, which computed the expected values of the tests. An undefined metric,
//! such as ROC AUC with one class in the held-out part, is `None` and becomes null.

pub mod classes;
pub mod cross_validation;
pub mod curves;
pub mod importances;
pub mod psi;
pub mod regression;
pub mod reliability;
pub mod report;
pub mod roc;
pub mod threshold;

pub use psi::psi;
pub use report::{Evaluation, report, scores};
