//! Profiles a received file on a blocking thread.

use std::fs::File;

use trainyard_csv::{CsvError, Limits, Profile, ReadOptions};
use trainyard_http::Problem;

use super::ReceivedFile;
use crate::config::ApiConfig;
use crate::state::ApiState;

/// Reads the file once. An option wins over the file's content type. A malformed file is refused with its row and column.
pub(crate) async fn profile(
    state: &ApiState,
    file: &ReceivedFile,
    mut options: ReadOptions,
) -> Result<Profile, Problem> {
    options.declared_charset.clone_from(&file.declared.charset);
    options.header = options.header.or(file.declared.header);
    let limits = limits(&state.config);
    // Opened before the thread starts: the file is removed when the client disconnects.
    let opened = File::open(&file.path).map_err(|error| Problem::unavailable("the work folder", error))?;
    let profile = move || trainyard_csv::profile(opened, &options, &limits);
    tokio::task::spawn_blocking(profile).await.map_err(Problem::internal)?.map_err(refuse)
}

pub(crate) fn limits(config: &ApiConfig) -> Limits {
    Limits {
        max_columns: config.max_dataset_columns,
        max_rows: config.max_dataset_rows,
        max_row_bytes: config.max_dataset_row_bytes,
        ..Limits::default()
    }
}

fn refuse(error: CsvError) -> Problem {
    match error.source {
        Some(source) => Problem::unavailable("the work folder", source),
        None => Problem::field(error.setting.unwrap_or("file"), error.message),
    }
}
