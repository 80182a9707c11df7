//! Models, their versions, artifacts and aliases.

pub mod aliases;
pub mod artifact;
pub mod delete;
pub mod read;

use trainyard_domain::{ModelName, ModelVersion};
use trainyard_http::Problem;
use trainyard_storage::Tx;

/// The model that a path names. What is no name names no model.
fn model_name(text: &str) -> Result<ModelName, Problem> {
    ModelName::parse(text).map_err(|_| missing())
}

async fn find(tx: &mut Tx, name: &str, version: i64) -> Result<ModelVersion, Problem> {
    tx.models().version(&model_name(name)?, version).await?.ok_or_else(missing_version)
}

fn missing() -> Problem {
    Problem::not_found("there is no such model")
}

fn missing_version() -> Problem {
    Problem::not_found("there is no such version of this model")
}
