//! `GET /datasets/{name}/preview`: the first rows, read from the object store only as far as they reach.

use axum::extract::State;
use bytes::Bytes;
use trainyard_artifacts::Key;
use trainyard_domain::Dataset;
use trainyard_http::page::PageSize;
use trainyard_http::{Json, Path, Problem, Query};
use trainyard_ml::csv_profile;

use super::{VersionQuery, find};
use crate::state::ApiState;
use crate::views::dataset::PreviewView;

const ROWS: usize = 50;
/// Bytes read at first; eight times more each time they don't hold enough rows.
const FIRST_READ: u64 = 512 << 10;
/// A file whose first rows don't fit into this has rows too long to look at.
const LAST_READ: u64 = 32 << 20;

/// Preview a data set.
///
/// The first 50 rows, fewer where they are very long; overlong values are shortened.
#[utoipa::path(
    get, path = "/datasets/{name}/preview", operation_id = "preview_dataset", tag = "datasets",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The data set.", example = "titanic"), VersionQuery),
    responses(
        (status = 200, description = "Up to 50 rows.", body = PreviewView),
        (status = 404, description = "There is no such data set, or no such version of it."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<PreviewView>, Problem> {
    let dataset = find(&mut state.db.read().await?, &name, &query).await?;
    let (columns, mut rows) = first_rows(&state, &dataset).await?;
    let mut size = PageSize::default();
    rows.retain(|row| size.has_room_for(row));
    Ok(Json(PreviewView { name: dataset.name.as_str().to_owned(), version: dataset.version, columns, rows }))
}

type Rows = (Vec<String>, Vec<Vec<Option<String>>>);

async fn first_rows(state: &ApiState, dataset: &Dataset) -> Result<Rows, Problem> {
    let key = Key::parse(&dataset.storage_key).map_err(Problem::internal)?;
    let size = u64::try_from(dataset.bytes).unwrap_or(0);
    let mut reach = FIRST_READ;
    loop {
        let head = state.store.head(&key, reach).await?;
        let whole = reach >= size;
        match parse(head).await? {
            // The last row of a cut-off text may be cut off as well: one row more proves that the others are whole.
            Ok((columns, mut rows)) if whole || rows.len() > ROWS => {
                rows.truncate(ROWS);
                return Ok((columns, rows));
            }
            Err(error) if whole => return Err(Problem::internal(error)),
            Ok((columns, mut rows)) if reach >= LAST_READ => {
                rows.pop();
                return Ok((columns, rows));
            }
            Err(_) if reach >= LAST_READ => {
                return Ok((dataset.columns.iter().map(|column| column.name.clone()).collect(), Vec::new()));
            }
            _ => reach *= 8,
        }
    }
}

async fn parse(head: Bytes) -> Result<Result<Rows, csv_profile::CsvError>, Problem> {
    let parse = move || csv_profile::preview(head.as_ref(), ROWS + 1);
    tokio::task::spawn_blocking(parse).await.map_err(Problem::internal)
}
