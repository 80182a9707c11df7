//! Downloads to a file or to standard output.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use url::Url;

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::server::{Server, unreachable};

/// The file name that means standard output.
pub(crate) const STDOUT: &str = "-";

/// Downloads to a file, or to standard output. The file appears when it is complete.
pub(crate) async fn save(server: &Server, output: Output, url: Url, file: &Path) -> Result<(), ClientError> {
    if file == Path::new(STDOUT) {
        return copy(server, url, &mut io::stdout().lock()).await.map(drop);
    }
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
async fn copy(server: &Server, url: Url, target: &mut impl Write) -> Result<usize, ClientError> {
    let local = |error| ClientError::Local("the download can't be written".into(), error);
    let mut response = server.download(url.clone()).await?;
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&url, &error))? {
        target.write_all(&chunk).map_err(local)?;
        bytes += chunk.len();
    }
    target.flush().map_err(local)?;
    Ok(bytes)
}
