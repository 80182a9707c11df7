//! Temporary files of downloads.

use tempfile::TempPath;
use trainyard_artifacts::Key;
use trainyard_domain::ModelVersion;
use trainyard_http::Problem;

use crate::state::ApiState;

/// Downloads an artifact to a temporary file. The digest is verified.
pub(crate) async fn fetch(state: &ApiState, version: &ModelVersion) -> Result<TempPath, Problem> {
    let key = Key::parse(&version.artifact_key).map_err(Problem::internal)?;
    let path = create(state)?;
    state.store.get_to_file(&key, &version.sha256, &path, state.config.max_artifact_bytes).await?;
    Ok(path)
}

/// Creates an empty temporary file, which is removed on drop.
pub(crate) fn create(state: &ApiState) -> Result<TempPath, Problem> {
    let file = tempfile::Builder::new().tempfile_in(&state.config.upload_dir).map_err(disk_unavailable)?;
    Ok(file.into_temp_path())
}

pub(crate) fn disk_unavailable(error: std::io::Error) -> Problem {
    Problem::unavailable("the work folder", error)
}
