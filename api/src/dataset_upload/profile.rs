//! Profiles a received CSV on a blocking thread.

use std::fs::File;
use std::io::BufReader;

use trainyard_csv::{CsvError, Profile, ProfileLimits};
use trainyard_http::Problem;

use super::ReceivedCsv;
use crate::config::ApiConfig;
use crate::state::ApiState;

/// Reads the file once. A malformed file is refused with its row and column.
pub(crate) async fn profile(state: &ApiState, file: &ReceivedCsv) -> Result<Profile, Problem> {
    let limits = limits(&state.config);
    // Opened before the thread starts: the file is removed when the client disconnects.
    let opened = File::open(&file.path).map_err(|error| Problem::unavailable("the work folder", error))?;
    let profile = move || trainyard_csv::profile(BufReader::new(opened), &limits);
    tokio::task::spawn_blocking(profile).await.map_err(Problem::internal)?.map_err(|error| refuse(&error))
}

pub(crate) fn limits(config: &ApiConfig) -> ProfileLimits {
    ProfileLimits {
        max_columns: config.max_dataset_columns,
        max_rows: config.max_dataset_rows,
        ..ProfileLimits::default()
    }
}

fn refuse(error: &CsvError) -> Problem {
    Problem::field("file", error.to_string())
}
