//! A job's event stream: an incremental parser that resumes after a lost connection.

use std::time::Duration;

use serde_json::Value;

use crate::client::error::ClientError;
use crate::client::server::Server;

/// Timeout without data. The server sends heartbeats more often.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// `status`, `progress`, `log` or `metric`.
    pub(crate) kind: String,
    /// The data fields.
    pub(crate) data: Value,
}

/// The event stream of one job, with the id of the last event that was read.
#[derive(Debug, Default)]
pub(crate) struct Events {
    last_id: Option<String>,
}

impl Events {
    /// Reads the events after the last one that was read. With `follow` the stream ends with the job.
    ///
    /// # Errors
    /// If the server refuses the request, or the connection is lost.
    pub(crate) async fn read(
        &mut self,
        server: &Server,
        job_id: &str,
        follow: bool,
        mut each: impl FnMut(Event),
    ) -> Result<(), ClientError> {
        let mut url = server.at(&["training", job_id, "events"]);
        if !follow {
            url.query_pairs_mut().append_pair("follow", "false");
        }
        let mut response = server.open(url, self.last_id.as_deref()).await?;
        let broken =
            |cause: &str| ClientError::Unreachable { url: server.address().to_owned(), cause: cause.to_owned() };
        let mut parser = Parser::default();
        loop {
            let chunk = tokio::time::timeout(IDLE_TIMEOUT, response.chunk())
                .await
                .map_err(|_| broken("no data within the timeout"))?;
            let Some(chunk) = chunk.map_err(|_| broken("the connection was lost"))? else { return Ok(()) };
            for (id, event) in parser.push(&chunk) {
                self.last_id = id.or(self.last_id.take());
                each(event);
            }
        }
    }
}

/// A parser for server-sent events as Trainyard writes them: no byte order mark, and lines end with LF.
#[derive(Debug, Default)]
struct Parser {
    /// An incomplete line.
    line: Vec<u8>,
    id: Option<String>,
    kind: String,
    data: String,
}

impl Parser {
    /// Returns the events that `bytes` completes, each with its id.
    fn push(&mut self, bytes: &[u8]) -> Vec<(Option<String>, Event)> {
        let mut events = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            if line.is_empty() {
                events.extend(self.dispatch());
            } else {
                self.field(&line);
            }
        }
        events
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.kind),
            "data" => self.data.push_str(value),
            // Comments are heartbeats; `retry` is not used.
            _ => {}
        }
    }

    /// Completes an event at an empty line. Without data there is no event.
    fn dispatch(&mut self) -> Option<(Option<String>, Event)> {
        let (id, kind, data) = (self.id.take(), std::mem::take(&mut self.kind), std::mem::take(&mut self.data));
        let data = serde_json::from_str(&data).ok()?;
        Some((id, Event { kind, data }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_parsed_from_chunks_of_any_size() {
        let stream = ":\n\nid: r2-l0\nevent: status\ndata: {\"status\":\"running\"}\n\nretry: 1000\n\n\
                      id: r2-l1\nevent: log\ndata: {\"message\":\"größer: a\"}\n\n";
        for size in [1, 7, 1_000] {
            let mut parser = Parser::default();
            let events: Vec<_> = stream.as_bytes().chunks(size).flat_map(|chunk| parser.push(chunk)).collect();
            let event = |kind: &str, data: Value| Event { kind: kind.into(), data };
            let expected = [
                (Some("r2-l0".to_owned()), event("status", json!({"status": "running"}))),
                (Some("r2-l1".to_owned()), event("log", json!({"message": "größer: a"}))),
            ];
            assert_eq!(events, expected);
        }
    }
}
