//! The algorithms as clients see them.

use serde::Serialize;
use serde_json::Value;
use trainyard_domain::{Algorithm, params};
use trainyard_http::schema::one_of_texts;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The schema of an algorithm's name in requests.
pub struct AlgorithmName;

impl PartialSchema for AlgorithmName {
    fn schema() -> RefOr<Schema> {
        one_of_texts(Algorithm::ALL.iter().map(|algorithm| algorithm.as_str()), "One of `GET /algorithms`.")
    }
}

impl ToSchema for AlgorithmName {}

/// An algorithm that a job can name.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlgorithmView {
    /// What `algorithm` of `POST /training` is set to.
    #[schema(example = "random_forest")]
    pub name: &'static str,
    /// One sentence to choose by.
    #[schema(example = "Many randomised trees that vote; a strong default for mixed tables.")]
    pub description: &'static str,
    /// Whether numeric targets are regressed; otherwise it classifies only.
    pub supports_regression: bool,
    /// Most rows it takes; `null` where only the data set limit counts.
    #[schema(required)]
    pub max_rows: Option<i64>,
    /// JSON Schema (2020-12) of `params`: types, bounds, defaults, descriptions.
    #[schema(value_type = Object)]
    pub params: Value,
}

impl From<Algorithm> for AlgorithmView {
    fn from(algorithm: Algorithm) -> Self {
        Self {
            name: algorithm.as_str(),
            description: algorithm.description(),
            supports_regression: algorithm.supports_regression(),
            max_rows: algorithm.max_rows(),
            params: params::json_schema(algorithm),
        }
    }
}
