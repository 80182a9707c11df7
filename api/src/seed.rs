//! What is there from the start: the built-in data set, and an administrator when the environment names one.
//!
//! Safe to run at every start of every replica: who comes second finds everything done.

use bytes::Bytes;
use serde_json::json;
use sha2::{Digest, Sha256};
use trainyard_artifacts::{ArtifactError, Key};
use trainyard_domain::spec::DEFAULT_DATASET;
use trainyard_domain::{Dataset, DatasetId, DatasetName, Email, Password, Role};
use trainyard_http::auth::Requester;
use trainyard_ml::csv_profile;
use trainyard_storage::StorageError;

use crate::audit::Actor;
use crate::state::ApiState;
use crate::{new_account, objects};

/// Passengers of the Titanic: 1,309 rows, target `survived`.
static TITANIC: &[u8] = include_bytes!("../../datasets/titanic.csv");

/// Why seeding failed.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The administrator's e-mail address is none.
    #[error("ADMIN_EMAIL {0}")]
    Email(&'static str),
    /// The administrator's password is out of bounds.
    #[error("ADMIN_PASSWORD {0}")]
    Password(&'static str),
    /// The password could not be hashed.
    #[error("the administrator's password could not be hashed")]
    Hash(#[from] trainyard_http::auth::PasswordError),
    /// The database did not take it.
    #[error("the database did not take what is built in")]
    Database(#[from] StorageError),
    /// The object store did not take it.
    #[error("the object store did not take the built-in data set")]
    Store(#[from] ArtifactError),
    /// The data set in this binary is broken.
    #[error("the built-in data set can't be read")]
    Csv(#[from] csv_profile::CsvError),
}

/// What became of the administrator's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admin {
    /// It is new.
    Created,
    /// The address has an account with this password already; its role is left as it is.
    Kept,
    /// The address has an account already, and another password; both that and its role are left as they are.
    KeptOtherPassword,
}

/// Whether `name` belongs to a data set that is always there and always the same.
pub(crate) fn is_built_in(name: &DatasetName) -> bool {
    name.as_str() == DEFAULT_DATASET
}

/// Opens an administrator's account unless the address has an account.
///
/// # Errors
/// For an address or a password that sign-up would refuse, and when the database is away.
pub async fn seed_admin(state: &ApiState, email: &str, password: &str) -> Result<Admin, SeedError> {
    let email = Email::parse(email).map_err(SeedError::Email)?;
    let password = Password::parse(password.to_owned()).map_err(SeedError::Password)?;
    let found = state.db.read().await?.users().by_email(email.as_str()).await?;
    let slot = state.passwords.slot(Requester::SERVER).await?;
    if let Some(user) = found {
        let hash = Some(user.password_hash.as_str());
        let is_same = state.passwords.verify_or_dummy(slot, password.reveal(), hash).await?;
        return Ok(if is_same { Admin::Kept } else { Admin::KeptOtherPassword });
    }
    let password_hash = state.passwords.hash(slot, &password).await?;
    let user = new_account::account(email, password_hash, Role::Admin, state.clock.now());
    let mut tx = state.db.begin().await?;
    match tx.users().insert(&user).await {
        // Another replica started at the same moment.
        Err(StorageError::Conflict) => return Ok(Admin::Kept),
        inserted => inserted?,
    }
    Actor::server().did(&mut tx, "account.create", format!("user:{}", user.id), json!({"role": "admin"})).await?;
    tx.commit().await?;
    Ok(Admin::Created)
}

/// Puts the built-in data sets in place, and back into the object store should it have lost them.
///
/// # Errors
/// When the database or the object store is away.
pub async fn seed_datasets(state: &ApiState) -> Result<(), SeedError> {
    let name = DatasetName::parse(DEFAULT_DATASET).map_err(|_| StorageError::Corrupt("name".into()))?;
    let found = state.db.read().await?.datasets().latest(&name).await?;
    match found {
        Some(dataset) => restore(state, &dataset).await,
        None => create(state, name).await,
    }
}

async fn create(state: &ApiState, name: DatasetName) -> Result<(), SeedError> {
    let profile = csv_profile::profile(TITANIC, &csv_profile::ProfileLimits::default())?;
    let created_at = state.db.read().await?.now().await?;
    let id = DatasetId::at(created_at);
    let key = Key::dataset(id);
    let stored = state.store.put_bytes(&key, Bytes::from_static(TITANIC)).await?;
    let dataset = Dataset {
        id,
        name,
        version: 1,
        rows: i64::try_from(profile.rows).unwrap_or(i64::MAX),
        bytes: i64::try_from(stored.size).unwrap_or(i64::MAX),
        columns: profile.columns,
        sha256: stored.sha256,
        storage_key: key.as_str().to_owned(),
        warnings: profile.warnings,
        created_by: None,
        created_at,
    };
    let mut tx = state.db.begin().await?;
    match tx.datasets().insert(&dataset).await {
        Err(StorageError::Conflict) => {
            // Another replica was first; its object is the one that counts.
            drop(tx);
            objects::remove(state, &[dataset.storage_key]).await;
            return Ok(());
        }
        inserted => inserted?,
    }
    tx.commit().await?;
    tracing::info!(dataset = DEFAULT_DATASET, rows = dataset.rows, "built-in data set stored");
    Ok(())
}

async fn restore(state: &ApiState, dataset: &Dataset) -> Result<(), SeedError> {
    if dataset.sha256 != hex::encode(Sha256::digest(TITANIC)) {
        // Of an older or newer Trainyard; jobs were submitted for those very rows.
        return Ok(());
    }
    let key = Key::parse(&dataset.storage_key).map_err(|_| StorageError::Corrupt("storage_key".into()))?;
    match state.store.get_bytes(&key, &dataset.sha256, TITANIC.len() as u64).await {
        Ok(_) => Ok(()),
        Err(ArtifactError::NotFound | ArtifactError::DigestMismatch { .. } | ArtifactError::TooLarge { .. }) => {
            tracing::warn!(object = %key, "the built-in data set was not in the object store as it should be; stored again");
            state.store.put_bytes(&key, Bytes::from_static(TITANIC)).await?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_built_in_file_has_its_passengers() {
        assert_eq!(super::TITANIC.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), 1310);
    }
}
