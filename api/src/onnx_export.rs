//! Converts an artifact to ONNX: on a blocking thread, a few at a time, and through files, so that slow downloads need no
//! memory.

use std::sync::Arc;

use tempfile::TempPath;
use trainyard_domain::ModelVersion;
use trainyard_http::{Code, Problem};
use trainyard_ml::onnx::{self, ExportError, ModelIdentity};

use crate::artifact_file;
use crate::state::ApiState;

/// Writes a version as ONNX to a temporary file. Returns the file with its size.
pub(crate) async fn export(state: &ApiState, version: &ModelVersion) -> Result<(TempPath, u64), Problem> {
    let max = state.config.max_onnx_bytes;
    // The same trees are larger in ONNX, so a larger artifact is refused before its download.
    if version.size.unsigned_abs() > max {
        return Err(too_large(max));
    }
    let busy = |_| {
        let detail = "too many concurrent exports (api.max_concurrent_exports); try again later";
        Problem::new(Code::Unavailable, detail).retry_after(5)
    };
    let permit = Arc::clone(state.exports()).try_acquire_owned().map_err(busy)?;
    let source = artifact_file::fetch(state, version).await?;
    let target = artifact_file::create(state)?;
    let version = version.clone();
    let convert = move || {
        // The permit is returned when the thread ends, also if the request has ended earlier.
        let _permit = permit;
        let identity =
            ModelIdentity { name: version.name.as_str(), version: version.version, artifact_sha256: &version.sha256 };
        let artifact = std::fs::read(&source).map_err(artifact_file::disk_unavailable)?;
        let bytes = onnx::export(&artifact, &identity, usize::try_from(max).unwrap_or(usize::MAX)).map_err(
            |error| match error {
                ExportError::TooLarge { .. } => too_large(max),
                ExportError::Artifact(error) => Problem::internal(error),
            },
        )?;
        std::fs::write(&target, &bytes).map_err(artifact_file::disk_unavailable)?;
        Ok((target, bytes.len() as u64))
    };
    tokio::task::spawn_blocking(convert).await.map_err(Problem::internal)?
}

fn too_large(max: u64) -> Problem {
    let message = format!(
        "can't be onnx for this version: the file would have more than {max} bytes (api.max_onnx_bytes); train fewer or \
         shallower trees, or raise the limit"
    );
    Problem::field("format", message)
}
