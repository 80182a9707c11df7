//! Errors of the client commands: messages and exit statuses.

use serde_json::Value;

/// Why a client command failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The arguments, or a file that they name, are invalid.
    #[error("{0}")]
    Usage(String),
    /// No session, or a session that has expired.
    #[error("{0}")]
    NotSignedIn(String),
    /// The server answered with a problem document.
    #[error("{}", .0.detail)]
    Refused(Box<Refusal>),
    /// The server did not answer.
    #[error("no answer from {url}: {cause}")]
    Unreachable {
        /// The URL of the server.
        url: String,
        /// The cause in one sentence.
        cause: String,
    },
    /// The watched job failed.
    #[error("the job failed: {0}")]
    JobFailed(String),
    /// The watched job was cancelled.
    #[error("the job was cancelled")]
    JobCancelled,
    /// Ctrl-C while a job was watched.
    #[error("stopped watching; the job continues. Cancel it with: trainyard jobs cancel {0}")]
    StoppedWatching(String),
    /// A local file operation failed.
    #[error("{0}: {1}")]
    Local(String, #[source] std::io::Error),
    /// The response is invalid.
    #[error("invalid response from the server: {0}")]
    Protocol(String),
}

/// A problem document, or a replacement for the error page of a proxy.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The `code`; empty without a problem document.
    pub code: String,
    /// The `detail`.
    pub detail: String,
    /// The refused fields with their messages.
    pub fields: Vec<(String, String)>,
    /// The request id, as in the server's log.
    pub request_id: Option<String>,
    /// The problem document as it was received.
    pub document: Option<String>,
}

impl Refusal {
    /// Parses an error response.
    pub(crate) fn read(status: u16, body: &str) -> Self {
        let document: Option<Value> = serde_json::from_str(body).ok();
        let text = |key: &str| document.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let errors = document.as_ref().and_then(|document| document["errors"].as_array()).into_iter().flatten();
        let field = |error: &Value| Some((error["field"].as_str()?.to_owned(), error["message"].as_str()?.to_owned()));
        Self {
            status,
            code: text("code").unwrap_or_default(),
            detail: text("detail").unwrap_or_else(|| format!("the server answered {status}")),
            fields: errors.filter_map(field).collect(),
            request_id: text("request_id"),
            document: document.is_some_and(|document| document.is_object()).then(|| body.to_owned()),
        }
    }
}

/// The exit statuses for `--help`.
pub const EXIT_CODES: &str = "Exit status:
  0  success
  1  the server refused the request, or the job failed
  2  wrong usage
  3  not signed in, or not allowed
  4  not found
  5  the server can't be reached, or is unavailable
  6  the job was cancelled
  130  interrupted (a watched job continues)";

impl ClientError {
    /// The exit status of the process; see [`EXIT_CODES`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NotSignedIn(_) => 3,
            Self::Refused(refusal) => match refusal.status {
                401 | 403 => 3,
                404 => 4,
                429 | 502..=504 => 5,
                _ => 1,
            },
            Self::Unreachable { .. } => 5,
            Self::JobFailed(_) | Self::Local(..) | Self::Protocol(_) => 1,
            Self::JobCancelled => 6,
            Self::StoppedWatching(_) => 130,
        }
    }

    /// The lines to print: the message, then one line per refused field.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Self::Refused(refusal) = self else { return vec![format!("error: {self}")] };
        let mut lines = Vec::new();
        // With one refused field the detail repeats the message of the field.
        if refusal.fields.len() != 1 {
            lines.push(format!("error: {}", refusal.detail));
        }
        let lead = if refusal.fields.len() == 1 { "error: " } else { "  " };
        lines.extend(refusal.fields.iter().map(|(field, message)| format!("{lead}{field}: {message}")));
        if let Some(id) = refusal.request_id.as_ref().filter(|_| refusal.status >= 500) {
            lines.push(format!("  request id: {id}"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> ClientError {
        ClientError::Refused(Box::new(Refusal::read(status, body)))
    }

    #[test]
    fn each_kind_of_error_has_an_exit_status() {
        let codes = [422, 401, 403, 404, 409, 429, 500, 503].map(|status| refused(status, "").exit_code());
        assert_eq!(codes, [1, 3, 3, 4, 1, 5, 1, 5]);
    }

    #[test]
    fn every_refused_field_has_a_line() {
        let two = r#"{"detail": "2 fields are not valid", "code": "validation_failed", "errors": [
            {"field": "name", "message": "is required"}, {"field": "seed", "message": "must be a whole number"}]}"#;
        assert_eq!(
            refused(422, two).lines(),
            ["error: 2 fields are not valid", "  name: is required", "  seed: must be a whole number"]
        );
        let one = r#"{"detail": "name is required", "errors": [{"field": "name", "message": "is required"}]}"#;
        assert_eq!(refused(422, one).lines(), ["error: name: is required"]);
        assert_eq!(refused(502, "<html>").lines(), ["error: the server answered 502"]);
    }
}
