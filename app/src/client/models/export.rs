//! `trainyard models export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::client::download;
use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::server::Server;

/// What to export, and where to.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The model's name.
    pub name: String,
    /// The version.
    #[arg(long)]
    pub version: i64,
    /// The format of the file.
    #[arg(long, value_enum, default_value_t = ExportFormat::Onnx)]
    pub format: ExportFormat,
    /// Write to this file, `-` for standard output [default: NAME-vVERSION.onnx].
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A format of an exported model.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ExportFormat {
    /// ONNX, with the preprocessing.
    Onnx,
    /// The unchanged artifact of Trainyard.
    Tym,
}

/// Downloads a version in the requested format.
pub(super) async fn run(args: ExportArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let ExportArgs { name, version, format, output: file } = args;
    let format = match format {
        ExportFormat::Onnx => "onnx",
        ExportFormat::Tym => "tym",
    };
    let mut url = server.at(&["models", &name, "versions", &version.to_string(), "artifact"]);
    url.query_pairs_mut().append_pair("format", format);
    // The name of a model has no characters that a path could confuse, or the server refuses the request.
    let file = file.unwrap_or_else(|| format!("{name}-v{version}.{format}").into());
    download::save(server, output, url, &file).await
}
