//! `GET /predictions/{job_id}/result`: downloads the result of a prediction job.

use std::io;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::Value;
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use trainyard_artifacts::Key;
use trainyard_domain::{Job, JobId, JobStatus, Prediction};
use trainyard_http::{Path, Principal, Problem, Query};
use trainyard_storage::PredictionPart;

use crate::response;
use crate::routes::training::{check_may_read, missing};
use crate::state::ApiState;

const CHUNK: usize = 64 << 10;

/// No parameters. A request for another format is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// Download a result.
///
/// Downloads the result of a succeeded prediction job: one line for each row of the dataset, in the same order, below a line
/// with the names of the columns. Each part of the result is verified before it is sent.
#[utoipa::path(
    get, path = "/predictions/{job_id}/result", operation_id = "download_result", tag = "predictions",
    params(("job_id" = Uuid, Path, description = "The job.")),
    responses(
        (status = 200, description = "The result: comma-separated values (RFC 4180) in UTF-8.", body = String,
            content_type = "text/csv",
            headers(("ETag" = String, description = "The SHA-256 of the result in quotes."))),
        (status = 304, description = "The client has the result already."),
        (status = 404, description = "The job does not exist, has expired, or is not a prediction."),
        (status = 409, description = "The job has no result: it has not succeeded."),
        (status = 422, description = "The request has a query parameter; none is supported."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    principal: Principal,
    Path(id): Path<JobId>,
    Query(NoParams {}): Query<NoParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    check_may_read(&state, &principal, id).await?;
    let mut tx = state.db.read().await?;
    let job = tx.jobs().get(id).await?.ok_or_else(missing)?;
    let prediction = job.spec.prediction().ok_or_else(|| Problem::not_found("this job is not a prediction"))?;
    check_succeeded(&job)?;
    let etag = format!("\"{}\"", sha256(&job));
    if response::client_has(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let parts = tx.predictions().parts(id).await?;
    tx.commit().await?;
    let size: i64 = parts.iter().map(|part| part.bytes).sum();
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file_name(&job, prediction))),
        (header::ETAG, etag),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    Ok((head, body(state, parts).await?).into_response())
}

/// 409 unless the job has a result.
fn check_succeeded(job: &Job) -> Result<(), Problem> {
    Err(Problem::conflict(match job.status {
        JobStatus::Succeeded => return Ok(()),
        JobStatus::Queued => "the job is queued; its result can be downloaded when it has succeeded",
        JobStatus::Running => "the job is running; its result can be downloaded when it has succeeded",
        JobStatus::Failed => "the job failed and has no result; retry it, or submit another one",
        JobStatus::Cancelled => "the job was cancelled and has no result; retry it, or submit another one",
    }))
}

fn sha256(job: &Job) -> &str {
    job.metrics.as_ref().and_then(|metrics| metrics.get("sha256")).and_then(Value::as_str).unwrap_or_default()
}

fn file_name(job: &Job, prediction: &Prediction) -> String {
    let spec = &job.spec;
    format!("{}-v{}-{}-v{}.csv", spec.dataset.as_str(), spec.dataset_version, spec.name, prediction.version)
}

/// The parts, one after the other. Each one is downloaded and verified before it is sent, the first one before the response
/// begins: a damaged part ends the response early, so that its length is wrong.
async fn body(state: ApiState, parts: Vec<PredictionPart>) -> Result<Body, Problem> {
    let mut parts = parts.into_iter();
    let first = match parts.next() {
        Some(part) => fetch(&state, &part).await?,
        None => return Err(Problem::internal("a result without parts")),
    };
    let others = stream::iter(parts).then(move |part| {
        let state = state.clone();
        async move { fetch(&state, &part).await.map_err(|problem| io::Error::other(problem.code().as_str())) }
    });
    let files = stream::iter([Ok::<_, io::Error>(first)]).chain(others);
    Ok(Body::from_stream(files.map_ok(|file| ReaderStream::with_capacity(file, CHUNK)).try_flatten()))
}

/// A verified copy of a part.
async fn fetch(state: &ApiState, part: &PredictionPart) -> Result<File, Problem> {
    let key = Key::parse(&part.key).map_err(Problem::internal)?;
    let path =
        tempfile::Builder::new().tempfile_in(&state.config.upload_dir).map_err(disk_unavailable)?.into_temp_path();
    state.store.get_to_file(&key, &part.sha256, &path, part.bytes.unsigned_abs()).await?;
    // The path is removed here. The open file keeps its bytes until they are sent.
    File::open(&path).await.map_err(disk_unavailable)
}

fn disk_unavailable(error: io::Error) -> Problem {
    Problem::unavailable("the work folder", error)
}
