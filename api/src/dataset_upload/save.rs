//! Stores a received file as the next version of a dataset: first the object, then the row that refers to the object.

use chrono::{DateTime, Utc};
use serde_json::json;
use trainyard_artifacts::Key;
use trainyard_csv::Profile;
use trainyard_domain::{Dataset, DatasetId, DatasetName, UserId};
use trainyard_http::Problem;
use trainyard_storage::StorageError;

use super::ReceivedFile;
use crate::audit::Actor;
use crate::objects;
use crate::state::ApiState;

/// How often an insert is tried when concurrent uploads take the same version number.
const MAX_TRIES: usize = 8;

/// What identifies a version, besides its profile.
pub(crate) struct Upload {
    pub(crate) id: DatasetId,
    pub(crate) name: DatasetName,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) created_by: Option<UserId>,
    pub(crate) created_at: DateTime<Utc>,
}

impl Upload {
    /// The dataset with this profile. [`save`] sets the version.
    pub(crate) fn dataset(self, profile: Profile) -> Dataset {
        Dataset {
            id: self.id,
            name: self.name,
            version: 1,
            rows: signed(profile.rows),
            bytes: signed(self.bytes),
            format: profile.format,
            columns: profile.columns,
            duplicate_rows: signed(profile.duplicate_rows),
            suggested_target: profile.suggested_target,
            suggested_task: profile.suggested_task,
            sha256: self.sha256,
            storage_key: Key::dataset(self.id).as_str().to_owned(),
            warnings: profile.warnings,
            created_by: self.created_by,
            created_at: self.created_at,
        }
    }
}

/// Stores `file` as the next version of `name`.
pub(crate) async fn save(
    state: &ApiState,
    created_by: Option<UserId>,
    name: DatasetName,
    file: &ReceivedFile,
    profile: Profile,
    actor: &Actor,
) -> Result<Dataset, Problem> {
    let created_at = state.db.read().await?.now().await?;
    let id = DatasetId::at(created_at);
    let key = Key::dataset(id);
    let stored = state.store.put_hashed_file(&key, &file.path, &file.sha256).await?;
    if stored.size != file.bytes {
        objects::remove(state, &[key.as_str().to_owned()]).await;
        return Err(Problem::internal("the uploaded file changed on the local disk"));
    }
    let upload = Upload { id, name, bytes: file.bytes, sha256: stored.sha256, created_by, created_at };
    let mut dataset = upload.dataset(profile);
    let inserted = insert(state, &mut dataset, actor).await;
    if let Err(InsertError::BeforeCommit(_)) = &inserted {
        objects::remove(state, std::slice::from_ref(&dataset.storage_key)).await;
    }
    match inserted {
        Ok(()) => Ok(dataset),
        Err(InsertError::BeforeCommit(error) | InsertError::AtCommit(error)) => Err(error.into()),
    }
}

/// Where an insert failed. After a failed commit the row may exist, so the object must be kept.
enum InsertError {
    BeforeCommit(StorageError),
    AtCommit(StorageError),
}

async fn insert(state: &ApiState, dataset: &mut Dataset, actor: &Actor) -> Result<(), InsertError> {
    for _ in 1..MAX_TRIES {
        match insert_once(state, dataset, actor).await {
            Err(InsertError::BeforeCommit(StorageError::Conflict)) => {}
            result => return result,
        }
    }
    insert_once(state, dataset, actor).await
}

async fn insert_once(state: &ApiState, dataset: &mut Dataset, actor: &Actor) -> Result<(), InsertError> {
    let staged = async {
        let mut tx = state.db.begin().await?;
        dataset.version = tx.datasets().next_version(&dataset.name).await?;
        tx.datasets().insert(dataset).await?;
        let subject = format!("dataset:{}", dataset.name.as_str());
        let detail = json!({"version": dataset.version, "rows": dataset.rows, "sha256": dataset.sha256});
        actor.record(&mut tx, "dataset.create", subject, detail).await?;
        Ok(tx)
    };
    let tx = staged.await.map_err(InsertError::BeforeCommit)?;
    tx.commit().await.map_err(InsertError::AtCommit)
}

/// The upload limits keep sizes far below `i64::MAX`.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
