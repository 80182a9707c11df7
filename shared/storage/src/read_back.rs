//! Turns stored text back into the domain's types. What doesn't parse was written by nobody we know: `Corrupt`.

use trainyard_domain::webhook::DeliveryStatus;
use trainyard_domain::{Algorithm, DatasetName, JobSpec, JobStatus, ModelName, Role};

use crate::error::{Result, StorageError};

pub(crate) fn corrupt(column: &str) -> StorageError {
    StorageError::Corrupt(format!("column {column}"))
}

pub(crate) fn role(text: &str) -> Result<Role> {
    Role::parse(text).ok_or_else(|| corrupt("role"))
}

pub(crate) fn status(text: &str) -> Result<JobStatus> {
    JobStatus::parse(text).ok_or_else(|| corrupt("status"))
}

pub(crate) fn delivery_status(text: &str) -> Result<DeliveryStatus> {
    DeliveryStatus::parse(text).ok_or_else(|| corrupt("status"))
}

pub(crate) fn algorithm(text: &str) -> Result<Algorithm> {
    Algorithm::parse(text).ok_or_else(|| corrupt("algorithm"))
}

pub(crate) fn model_name(text: &str) -> Result<ModelName> {
    ModelName::parse(text).map_err(|_| corrupt("model_name"))
}

pub(crate) fn dataset_name(text: &str) -> Result<DatasetName> {
    DatasetName::parse(text).map_err(|_| corrupt("name"))
}

pub(crate) fn spec(text: &str) -> Result<JobSpec> {
    serde_json::from_str(text).map_err(|_| corrupt("spec"))
}

/// A spec as [`spec`] reads it.
pub(crate) fn text(spec: &JobSpec) -> Result<String> {
    // Most fit into this, and need not grow byte by byte.
    let mut text = Vec::with_capacity(512);
    serde_json::to_writer(&mut text, spec).map_err(|error| StorageError::Other(error.into()))?;
    String::from_utf8(text).map_err(|error| StorageError::Other(error.into()))
}
