//! What a model is worth on rows it has not seen: pure functions of truth and prediction.
//!
//! Definitions follow scikit-learn's, against which the tests' numbers were made. A measure that can't be had (such as
//! an area under the curve with one class in the held-out part) is `None` and shows as null.

pub mod classes;
pub mod importances;
pub mod regression;
pub mod report;
pub mod roc;

pub use report::{Measured, report};
