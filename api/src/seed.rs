//! Stores the built-in dataset and, if configured, the first administrator.
//!
//! Every replica runs this at every start. A second run changes nothing.

use bytes::Bytes;
use serde_json::json;
use sha2::{Digest, Sha256};
use trainyard_artifacts::{ArtifactError, Key};
use trainyard_csv::{Limits, ReadOptions};
use trainyard_domain::spec::DEFAULT_DATASET;
use trainyard_domain::{Dataset, DatasetId, DatasetName, Email, Password, Role};
use trainyard_http::auth::Requester;
use trainyard_storage::StorageError;

use crate::audit::Actor;
use crate::dataset_upload::save::Upload;
use crate::state::ApiState;
use crate::{new_account, objects};

/// The passengers of the Titanic: 1,309 rows, target `survived`.
static TITANIC: &[u8] = include_bytes!("../../datasets/titanic.csv");

/// Why seeding failed.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The administrator's e-mail address is invalid.
    #[error("ADMIN_EMAIL {0}")]
    Email(&'static str),
    /// The administrator's password has a wrong length.
    #[error("ADMIN_PASSWORD {0}")]
    Password(&'static str),
    /// The password could not be hashed.
    #[error("the administrator's password could not be hashed")]
    Hash(#[from] trainyard_http::auth::PasswordError),
    /// The database refused a write or was unavailable.
    #[error("the built-in dataset or the administrator could not be stored in the database")]
    Database(#[from] StorageError),
    /// The object store refused a write or was unavailable.
    #[error("the built-in dataset could not be stored in the object store")]
    Store(#[from] ArtifactError),
    /// The embedded CSV is malformed.
    #[error("the embedded CSV of the built-in dataset is malformed")]
    Csv(#[from] trainyard_csv::CsvError),
}

/// What [`seed_admin`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admin {
    /// The account was created.
    Created,
    /// The account existed with the same password. Its role was not changed.
    Kept,
    /// The account existed with another password. Its password and role were not changed.
    KeptOtherPassword,
}

/// Whether `name` is the name of the built-in dataset.
pub(crate) fn is_built_in(name: &DatasetName) -> bool {
    name.as_str() == DEFAULT_DATASET
}

/// Creates an administrator unless the e-mail address has an account.
///
/// # Errors
/// For an invalid address or password, and when the database is unavailable.
pub async fn seed_admin(state: &ApiState, email: &str, password: &str) -> Result<Admin, SeedError> {
    let email = Email::parse(email).map_err(SeedError::Email)?;
    let password = Password::parse(password.to_owned()).map_err(SeedError::Password)?;
    let found = state.db.read().await?.users().by_email(email.as_str()).await?;
    let permit = state.passwords.permit(Requester::SERVER).await?;
    if let Some(user) = found {
        let hash = Some(user.password_hash.as_str());
        let is_same = state.passwords.verify_or_dummy(permit, password.reveal(), hash).await?;
        return Ok(if is_same { Admin::Kept } else { Admin::KeptOtherPassword });
    }
    let password_hash = state.passwords.hash(permit, &password).await?;
    let user = new_account::account(email, password_hash, Role::Admin, state.clock.now());
    let mut tx = state.db.begin().await?;
    match tx.users().insert(&user).await {
        // Another replica created the account concurrently.
        Err(StorageError::Conflict) => return Ok(Admin::Kept),
        inserted => inserted?,
    }
    Actor::server().record(&mut tx, "account.create", format!("user:{}", user.id), json!({"role": "admin"})).await?;
    tx.commit().await?;
    Ok(Admin::Created)
}

/// Stores the built-in dataset, and restores its object if the object store has lost it.
///
/// # Errors
/// When the database or the object store is unavailable.
pub async fn seed_datasets(state: &ApiState) -> Result<(), SeedError> {
    let name = DatasetName::parse(DEFAULT_DATASET).map_err(|_| StorageError::Corrupt("name".into()))?;
    let found = state.db.read().await?.datasets().latest(&name).await?;
    match found {
        Some(dataset) => restore(state, &dataset).await,
        None => create(state, name).await,
    }
}

async fn create(state: &ApiState, name: DatasetName) -> Result<(), SeedError> {
    let profile = trainyard_csv::profile(TITANIC, &ReadOptions::default(), &Limits::default())?;
    let created_at = state.db.read().await?.now().await?;
    let id = DatasetId::at(created_at);
    let key = Key::dataset(id);
    let stored = state.store.put_bytes(&key, Bytes::from_static(TITANIC)).await?;
    let upload = Upload { id, name, bytes: stored.size, sha256: stored.sha256, created_by: None, created_at };
    let dataset = upload.dataset(profile);
    let mut tx = state.db.begin().await?;
    match tx.datasets().insert(&dataset).await {
        Err(StorageError::Conflict) => {
            // Another replica stored the dataset concurrently. The row refers to its object.
            drop(tx);
            objects::remove(state, &[dataset.storage_key]).await;
            return Ok(());
        }
        inserted => inserted?,
    }
    tx.commit().await?;
    tracing::info!(dataset = DEFAULT_DATASET, rows = dataset.rows, "built-in dataset stored");
    Ok(())
}

async fn restore(state: &ApiState, dataset: &Dataset) -> Result<(), SeedError> {
    if dataset.sha256 != hex::encode(Sha256::digest(TITANIC)) {
        // Another version of Trainyard stored other rows, and jobs were submitted for these rows.
        return Ok(());
    }
    let key = Key::parse(&dataset.storage_key).map_err(|_| StorageError::Corrupt("storage_key".into()))?;
    match state.store.get_bytes(&key, &dataset.sha256, TITANIC.len() as u64).await {
        Ok(_) => Ok(()),
        Err(ArtifactError::NotFound | ArtifactError::DigestMismatch { .. } | ArtifactError::TooLarge { .. }) => {
            tracing::warn!(object = %key, "the object of the built-in dataset was missing or damaged and was stored again");
            state.store.put_bytes(&key, Bytes::from_static(TITANIC)).await?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_built_in_dataset_has_1309_rows() {
        assert_eq!(super::TITANIC.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), 1310);
    }
}
