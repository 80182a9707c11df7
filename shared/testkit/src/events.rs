//! A job's event stream, read as it comes.

use serde_json::Value;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What a client sends back as `Last-Event-ID`.
    pub id: String,
    /// `status`, `progress`, `log`, `metric`.
    pub event: String,
    /// Its fields.
    pub data: Value,
}

/// An open stream.
#[derive(Debug)]
pub struct EventStream {
    response: reqwest::Response,
    text: String,
    /// Whether the server asked for the client to come back.
    pub asked_to_return: bool,
}

impl EventStream {
    pub(crate) fn new(response: reqwest::Response) -> Self {
        Self { response, text: String::new(), asked_to_return: false }
    }

    /// A header of the answer; empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The next event; `None` when the stream has ended or broken off.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                self.asked_to_return |= block.starts_with("retry: ");
                if let Some(event) = parse(&block) {
                    return Some(event);
                }
            }
            let chunk = self.response.chunk().await.ok().flatten()?;
            // What the server sends is cut at events, so no character is cut either.
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Every event up to the end.
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
