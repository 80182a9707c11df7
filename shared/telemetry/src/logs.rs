//! Log setup: format, filter, and panics as log lines.
//!
//! Logs go to standard error only, because standard output belongs to the result of a command.

use std::io::IsTerminal;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::TelemetryError;
use crate::json::JsonLines;
use crate::log_writer::LogWriter;

/// One writer per process, as there is one subscriber per process.
static WRITER: OnceLock<LogWriter> = OnceLock::new();

/// The format of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty if standard error is a terminal, else JSON.
    #[default]
    Auto,
    /// One JSON object per line.
    Json,
    /// Coloured text.
    Pretty,
}

impl LogFormat {
    fn is_json(self, terminal: bool) -> bool {
        match self {
            Self::Auto => !terminal,
            Self::Json => true,
            Self::Pretty => false,
        }
    }
}

/// Starts logging to standard error. `filter` has the format of `RUST_LOG`, such as `info,sqlx=warn`. From now on
/// panics are log lines with the fields of their spans.
///
/// In JSON, a background thread writes the lines of the access log. Call [`flush_logs`] before the process ends.
///
/// # Errors
/// If the filter is invalid, the thread can't be started, or logging has already been set up.
pub fn init_logs(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let filter =
        EnvFilter::try_new(filter).map_err(|source| TelemetryError::BadFilter { filter: filter.to_owned(), source })?;
    let terminal = std::io::stderr().is_terminal();
    let lines = if format.is_json(terminal) {
        let writer = LogWriter::start(std::io::stderr()).map_err(TelemetryError::NoLogThread)?;
        JsonLines::new(WRITER.get_or_init(|| writer).clone()).boxed()
    } else {
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(terminal).boxed()
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init().map_err(TelemetryError::LogsTaken)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Writes the log lines that are still in memory.
pub fn flush_logs() {
    if let Some(writer) = WRITER.get() {
        writer.flush();
    }
}

fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref().map(String::as_str));
    let message = text.unwrap_or("the panic payload is not a string");
    tracing::error!(location, reason = message, "panicked");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_is_pretty_only_on_a_terminal() {
        assert!(LogFormat::Auto.is_json(false));
        assert!(!LogFormat::Auto.is_json(true));
        assert!(LogFormat::Json.is_json(true));
        assert!(!LogFormat::Pretty.is_json(false));
    }

    #[test]
    fn the_error_of_an_invalid_filter_quotes_the_filter() {
        let error = init_logs(LogFormat::Json, "info,=,loud").unwrap_err();
        assert!(error.to_string().contains("info,=,loud"), "{error}");
    }
}
