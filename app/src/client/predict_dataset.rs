//! `trainyard predict --dataset`: submits a job that predicts a dataset of the server, and downloads its result.

use std::path::Path;

use serde_json::{Map, Value};

use crate::client::download::{self, STDOUT};
use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::predict::JobOptions;
use crate::client::server::Server;
use crate::client::{report, show, train, watch};

/// Submits the job of `request`. Watches it and downloads the result if requested.
pub(crate) async fn run(
    mut request: Map<String, Value>,
    options: JobOptions,
    server: &Server,
    output: Output,
) -> Result<(), ClientError> {
    let (key, file, watched) = (options.idempotency_key, options.output, options.watch);
    let given = [
        ("columns", options.columns.map(Value::from)),
        ("priority", options.priority.map(Value::from)),
        ("timeout_s", options.timeout_s.map(Value::from)),
        ("max_attempts", options.max_attempts.map(Value::from)),
    ];
    request.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    let accepted = train::submit(server, &server.at(&["predictions"]), &Value::Object(request), key.as_deref()).await?;
    let job_id = show::text(&accepted.body["job_id"]);
    output.message(format!("job {job_id} is {}", show::text(&accepted.body["status"])));
    match file {
        Some(file) => {
            let last = watch::until_final(server, output, &job_id).await?;
            if file != Path::new(STDOUT) {
                output.result(&last.raw, || report::job(&last.body));
            }
            watch::check_outcome(&last.body)?;
            download(server, output, &job_id, Some(&file)).await
        }
        None if watched => train::follow(server, output, &job_id).await,
        None => {
            output.result(&accepted.raw, || format!("{job_id}\n"));
            output.message(format!("follow it with: trainyard jobs show {job_id} --watch"));
            Ok(())
        }
    }
}

/// Downloads the result of a job to a file, or to standard output.
pub(crate) async fn download(
    server: &Server,
    output: Output,
    job_id: &str,
    file: Option<&Path>,
) -> Result<(), ClientError> {
    let url = server.at(&["predictions", job_id, "result"]);
    download::save(server, output, url, file.unwrap_or(Path::new(STDOUT))).await
}
