//! `GET /datasets/{name}/preview`: the first rows. Only the beginning of the object is read.

use std::sync::Arc;

use axum::extract::State;
use bytes::Bytes;
use trainyard_artifacts::Key;
use trainyard_csv::{CsvError, PreviewRow};
use trainyard_domain::{Dataset, TableSchema};
use trainyard_http::page::PageSize;
use trainyard_http::{Json, Path, Problem, Query};

use super::{VersionQuery, find};
use crate::schemas::dataset::PreviewView;
use crate::state::ApiState;

const ROWS: usize = 50;
/// Bytes of the first read. Each further read is eight times larger, until there are enough rows.
const FIRST_READ: u64 = 512 << 10;
/// Bytes of the largest read. A preview leaves out rows beyond it.
const LAST_READ: u64 = 32 << 20;

/// Preview a dataset.
///
/// Returns the first 50 rows, or fewer if they are very long. Long values are shortened.
#[utoipa::path(
    get, path = "/datasets/{name}/preview", operation_id = "preview_dataset", tag = "datasets",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The dataset.", example = "titanic"), VersionQuery),
    responses(
        (status = 200, description = "Up to 50 rows.", body = PreviewView),
        (status = 404, description = "The dataset or its version does not exist."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<PreviewView>, Problem> {
    let dataset = find(&mut state.db.read().await?, &name, &query).await?;
    let mut rows = first_rows(&state, &dataset).await?;
    let columns = dataset.columns.iter().map(|column| column.name.clone()).collect();
    let mut size = PageSize::default();
    rows.retain(|row| size.has_room_for(row));
    Ok(Json(PreviewView { name: dataset.name.as_str().to_owned(), version: dataset.version, columns, rows }))
}

async fn first_rows(state: &ApiState, dataset: &Dataset) -> Result<Vec<PreviewRow>, Problem> {
    let key = Key::parse(&dataset.storage_key).map_err(Problem::internal)?;
    let size = u64::try_from(dataset.bytes).unwrap_or(0);
    let schema = Arc::new(dataset.schema());
    let mut bytes = FIRST_READ;
    loop {
        let head = state.store.head(&key, bytes).await?;
        let is_complete = bytes >= size;
        match parse(head, schema.clone()).await? {
            // The last row of an incomplete read may be incomplete. One row more proves that the others are complete.
            Ok(mut rows) if is_complete || rows.len() > ROWS => {
                rows.truncate(ROWS);
                return Ok(rows);
            }
            Err(error) if is_complete => return Err(Problem::internal(error)),
            Ok(mut rows) if bytes >= LAST_READ => {
                rows.pop();
                return Ok(rows);
            }
            Err(_) if bytes >= LAST_READ => return Ok(Vec::new()),
            _ => bytes *= 8,
        }
    }
}

async fn parse(head: Bytes, schema: Arc<TableSchema>) -> Result<Result<Vec<PreviewRow>, CsvError>, Problem> {
    let parse = move || trainyard_csv::preview(head.as_ref(), &schema, ROWS + 1);
    tokio::task::spawn_blocking(parse).await.map_err(Problem::internal)
}
