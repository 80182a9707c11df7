//! A job's event stream.

use serde_json::Value;

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The id, for `Last-Event-ID`.
    pub id: String,
    /// `status`, `progress`, `log` or `metric`.
    pub event: String,
    /// The data fields.
    pub data: Value,
}

/// An open stream.
#[derive(Debug)]
pub struct EventStream {
    response: reqwest::Response,
    text: String,
    /// Whether the server sent a `retry` field, so that clients reconnect.
    pub has_retry: bool,
}

impl EventStream {
    pub(crate) fn new(response: reqwest::Response) -> Self {
        Self { response, text: String::new(), has_retry: false }
    }

    /// The value of a response header; empty if absent.
    pub fn header(&self, name: &str) -> &str {
        self.response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The next event; `None` at the end of the stream or after a connection error.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                self.has_retry |= block.starts_with("retry: ");
                if let Some(event) = parse(&block) {
                    return Some(event);
                }
            }
            let chunk = self.response.chunk().await.ok().flatten()?;
            // Every chunk ends with a complete event, so it is valid UTF-8.
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// All remaining events.
    pub async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let data = serde_json::from_str(field("data")?).unwrap_or_else(|error| panic!("{error} in {block}"));
    Some(Event { id: field("id").unwrap_or_default().into(), event: field("event").unwrap_or_default().into(), data })
}
