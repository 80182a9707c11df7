//! Answers of the inference role.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Value,
}

/// Any HTTP response.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl RawAnswer {
    /// The value of a header; empty if absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The status and the message of a V2 error, after checking its form.
    pub(crate) fn v2_error(&self) -> (u16, String) {
        let body = self.json();
        let error = body["error"].as_str().unwrap_or_else(|| panic!("no V2 error: {} {body}", self.status));
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        assert_eq!(self.header("content-type"), "application/json");
        (self.status, error.to_owned())
    }
}

impl Answer {
    /// The status and the invalid fields.
    pub(crate) fn refused(&self) -> (u16, Vec<&str>) {
        let errors = self.body["errors"].as_array().into_iter().flatten();
        (self.status, errors.map(|error| error["field"].as_str().unwrap()).collect())
    }
}
