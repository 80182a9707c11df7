//! `trainyard predict --dataset`: submits a job that predicts a dataset of the server, and downloads its result.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value};

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::predict::JobOptions;
use crate::client::server::{Server, unreachable};
use crate::client::{report, show, train, watch};

/// The file name that means standard output.
const STDOUT: &str = "-";

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

/// Downloads the result of a job to a file, or to standard output. The file appears when it is complete.
pub(crate) async fn download(
    server: &Server,
    output: Output,
    job_id: &str,
    file: Option<&Path>,
) -> Result<(), ClientError> {
    let url = server.at(&["predictions", job_id, "result"]);
    let Some(file) = file.filter(|file| *file != Path::new(STDOUT)) else {
        return copy(server, url, &mut io::stdout().lock()).await.map(drop);
    };
    let mut partial = file.as_os_str().to_owned();
    partial.push(".part");
    let local = |error| ClientError::Local(format!("{} can't be written", file.display()), error);
    let mut target = File::create(&partial).map_err(local)?;
    let written = copy(server, url, &mut target).await;
    let renamed = match &written {
        Ok(_) => std::fs::rename(&partial, file).map_err(local),
        Err(_) => std::fs::remove_file(&partial).map_err(local),
    };
    let bytes = written?;
    renamed?;
    output.message(format!("{} bytes written to {}", bytes, file.display()));
    Ok(())
}

/// Writes a download; returns its size.
async fn copy(server: &Server, url: url::Url, target: &mut impl Write) -> Result<usize, ClientError> {
    let mut response = server.download(url.clone()).await?;
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&url, &error))? {
        target.write_all(&chunk).map_err(|error| ClientError::Local("the result can't be written".into(), error))?;
        bytes += chunk.len();
    }
    target.flush().map_err(|error| ClientError::Local("the result can't be written".into(), error))?;
    Ok(bytes)
}
