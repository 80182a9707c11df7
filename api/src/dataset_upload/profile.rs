//! Profiles an upload while it is received.

use std::io::Read;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use trainyard_csv::{CsvError, Limits, Profile, ReadOptions};
use trainyard_http::Problem;

use super::content_type::Declared;
use crate::config::ApiConfig;

/// The profile of a file that is being read.
pub(super) struct Profiling(oneshot::Receiver<Result<Profile, CsvError>>);

impl Profiling {
    /// Begins to read a file, on a thread of its own: it waits for the thread that writes the file, which may be the last one of
    /// the pool. An option wins over the file's content type.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(super) fn start(
        file: impl Read + Send + 'static,
        declared: &Declared,
        mut options: ReadOptions,
        config: &ApiConfig,
        permit: Arc<OwnedSemaphorePermit>,
    ) -> Result<Self, Problem> {
        options.declared_charset.clone_from(&declared.charset);
        options.header = options.header.or(declared.header);
        let limits = limits(config);
        let (result, profile) = oneshot::channel();
        let work = move || {
            let _permit = permit;
            // Nobody waits for the profile of an upload that has failed.
            let _ = result.send(trainyard_csv::profile(file, &options, &limits));
        };
        std::thread::Builder::new().name("profile".into()).spawn(work).map_err(Problem::internal)?;
        Ok(Self(profile))
    }

    /// Waits for the profile. A malformed file is refused with its row and column.
    pub(super) async fn finish(self) -> Result<Profile, Problem> {
        self.0.await.map_err(Problem::internal)?.map_err(refuse)
    }
}

fn limits(config: &ApiConfig) -> Limits {
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
