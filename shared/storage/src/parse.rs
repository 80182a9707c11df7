//! Parses stored text into domain types. Invalid text is [`StorageError::Corrupt`].

use trainyard_domain::webhook::DeliveryStatus;
use trainyard_domain::{Algorithm, DatasetName, JobSpec, JobStatus, ModelName, MoveReason, Role, TaskKind};

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

pub(crate) fn move_reason(text: &str) -> Result<MoveReason> {
    MoveReason::parse(text).ok_or_else(|| corrupt("reason"))
}

pub(crate) fn dataset_name(text: &str) -> Result<DatasetName> {
    DatasetName::parse(text).map_err(|_| corrupt("name"))
}

pub(crate) fn suggested_task(text: &str) -> Result<TaskKind> {
    TaskKind::parse(text).ok_or_else(|| corrupt("suggested_task"))
}

pub(crate) fn spec(text: &str) -> Result<JobSpec> {
    serde_json::from_str(text).map_err(|_| corrupt("spec"))
}

/// The JSON of a specification, as [`spec`] parses it.
pub(crate) fn spec_json(spec: &JobSpec) -> Result<String> {
    // Large enough for most specifications.
    let mut text = Vec::with_capacity(512);
    serde_json::to_writer(&mut text, spec).map_err(|error| StorageError::Other(error.into()))?;
    String::from_utf8(text).map_err(|error| StorageError::Other(error.into()))
}
