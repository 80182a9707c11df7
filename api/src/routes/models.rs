//! Routes of models, versions, artifacts, model cards, aliases and traffic.

pub mod aliases;
pub mod artifact;
pub mod card;
pub mod delete;
pub mod guard;
pub mod history;
pub mod read;
pub mod traffic;

use trainyard_domain::{ModelName, ModelVersion};
use trainyard_http::Problem;
use trainyard_storage::Tx;

/// Parses the model name of a path. An invalid name gets the same 404 as a missing model.
fn model_name(text: &str) -> Result<ModelName, Problem> {
    ModelName::parse(text).map_err(|_| missing())
}

async fn find(tx: &mut Tx, name: &str, version: i64) -> Result<ModelVersion, Problem> {
    tx.models().version(&model_name(name)?, version).await?.ok_or_else(missing_version)
}

fn missing() -> Problem {
    Problem::not_found("this model does not exist")
}

fn missing_version() -> Problem {
    Problem::not_found("this version of the model does not exist")
}
