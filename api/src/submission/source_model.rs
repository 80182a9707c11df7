//! Finds the model versions that predictions name. An alias is resolved here, once: the job keeps the number.

use std::collections::HashMap;
use std::sync::Arc;

use trainyard_domain::spec::SourceModel;
use trainyard_domain::{FieldError, JobSpec, ModelName};
use trainyard_storage::{StorageError, Tx};

use super::DatasetCache;
use crate::routes::predictions::request::{ModelQuery, Selector};

/// The version for each query, or what is wrong with it.
pub(super) type Models = HashMap<ModelQuery, Arc<Result<SourceModel, FieldError>>>;

/// Reads the versions that `queries` name.
pub(super) async fn read(tx: &mut Tx, cache: &DatasetCache, queries: &[&ModelQuery]) -> Result<Models, StorageError> {
    let mut models = Models::new();
    for query in queries {
        if !models.contains_key(*query) {
            let model = find(tx, cache, query).await?;
            models.insert((*query).clone(), Arc::new(model));
        }
    }
    Ok(models)
}

async fn find(
    tx: &mut Tx,
    cache: &DatasetCache,
    query: &ModelQuery,
) -> Result<Result<SourceModel, FieldError>, StorageError> {
    let unknown = || Ok(Err(FieldError::new("model", "is not the name of a model")));
    let Ok(name) = ModelName::parse(&query.model) else { return unknown() };
    if tx.models().get(&name).await?.is_none() {
        return unknown();
    }
    let number = match &query.selector {
        Selector::Version(number) => *number,
        Selector::Alias(alias) => {
            let aliases = tx.models().aliases(&name).await?;
            match aliases.into_iter().find(|(known, _)| known == alias) {
                Some((_, number)) => number,
                None => {
                    let message = format!("is not an alias of {name}; name another alias, or a version");
                    return Ok(Err(FieldError::new("alias", message)));
                }
            }
        }
    };
    let Some(version) = tx.models().version(&name, number).await? else {
        return Ok(Err(FieldError::new("version", format!("is not a version of {name}"))));
    };
    let job = match tx.jobs().get(version.job_id).await {
        // An unreadable job only leaves out the check of the types.
        Err(StorageError::Corrupt(_)) => None,
        found => found?,
    };
    let training = job.as_ref().map(|job| &job.spec).and_then(JobSpec::training);
    let column_types = training.map(|training| training.learning.column_types.clone()).unwrap_or_default();
    let dataset = match training {
        Some(_) => cache.get(tx, version.dataset_id).await?,
        None => None,
    };
    Ok(Ok(SourceModel { version, column_types, dataset }))
}
