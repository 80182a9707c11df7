//! Schemas of the algorithms.

use serde::Serialize;
use serde_json::Value;
use trainyard_domain::algorithm::NATIVE;
use trainyard_domain::{Algorithm, params};
use trainyard_http::schema::one_of_texts;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The schema of an algorithm name in requests.
pub struct AlgorithmName;

impl PartialSchema for AlgorithmName {
    fn schema() -> RefOr<Schema> {
        one_of_texts(
            Algorithm::ALL.iter().map(|algorithm| algorithm.as_str()),
            "The name of an algorithm; `GET /algorithms` lists all.",
        )
    }
}

impl ToSchema for AlgorithmName {}

/// An algorithm.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlgorithmView {
    /// The value for `algorithm` in `POST /training`.
    #[schema(example = "random_forest")]
    pub name: &'static str,
    /// What the algorithm is good for, in one sentence.
    #[schema(example = "Many randomised trees that vote; a strong default for mixed tables.")]
    pub description: &'static str,
    /// Whether the algorithm supports classification.
    pub supports_classification: bool,
    /// Whether the algorithm supports regression of numeric targets.
    pub supports_regression: bool,
    /// Most rows of a dataset with the default engine; `null` without a limit of its own.
    #[schema(required)]
    pub max_rows: Option<i64>,
    /// JSON Schema (2020-12) of `params`: types, bounds, defaults, titles, descriptions. For forms, each parameter has the
    /// annotations `x-group` (`model`, `evaluation`, `probabilities` or `advanced`) and `x-order` (its position, from 1 on), and some
    /// have `x-unit`, `x-task` (the only task on which it has an influence) and `x-when` (values of another parameter with
    /// which it has an influence).
    #[schema(value_type = Object)]
    pub params: Value,
}

impl From<Algorithm> for AlgorithmView {
    fn from(algorithm: Algorithm) -> Self {
        Self {
            name: algorithm.as_str(),
            description: algorithm.description(),
            supports_classification: algorithm.supports_classification(),
            supports_regression: algorithm.supports_regression(),
            max_rows: algorithm.max_rows(NATIVE),
            params: params::json_schema(algorithm),
        }
    }
}
