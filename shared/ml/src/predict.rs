//! Compiled predictors.
