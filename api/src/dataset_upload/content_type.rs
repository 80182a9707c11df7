//! The content type of an upload, or of the file in a multipart form.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use trainyard_domain::{Header, shown};
use trainyard_http::{Code, Problem};

/// The types of a body that is the file itself. Browsers and operating systems send all of them for CSV files.
pub(crate) const FILE_TYPES: [&str; 11] = [
    "text/csv",
    "text/x-csv",
    "text/comma-separated-values",
    "text/tab-separated-values",
    "text/plain",
    "application/csv",
    "application/x-csv",
    "application/vnd.ms-excel",
    "application/octet-stream",
    "application/gzip",
    "application/x-gzip",
];

/// What a content type says about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The parameter `charset`.
    pub(crate) charset: Option<String>,
    /// The parameter `header` (RFC 4180).
    pub(crate) header: Option<Header>,
}

/// The kind of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// The body is the file.
    File(Declared),
    /// The body is a multipart form.
    Form,
}

impl BodyKind {
    /// Refuses other content types with a list of the supported ones.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media_type == "multipart/form-data" {
            return Ok(Self::Form);
        }
        if FILE_TYPES.contains(&media_type.as_str()) {
            return Ok(Self::File(Declared::in_content_type(value)));
        }
        let found = match media_type.as_str() {
            "" => "the request has no content type".to_owned(),
            other => format!("the content type {} is not supported", shown(other)),
        };
        let supported = FILE_TYPES.join(", ");
        Err(Problem::new(Code::UnsupportedMediaType, format!("{found}; send {supported} or multipart/form-data")))
    }
}

impl Declared {
    /// Reads the parameters of a content type. Unknown parameters and values are ignored.
    pub(crate) fn in_content_type(value: &str) -> Self {
        let mut declared = Self::default();
        for parameter in value.split(';').skip(1) {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let value = value.trim().trim_matches('"').to_ascii_lowercase();
            match (name.trim().to_ascii_lowercase().as_str(), value.as_str()) {
                ("charset", charset) if !charset.is_empty() => declared.charset = Some(value),
                ("header", "present") => declared.header = Some(Header::Present),
                ("header", "absent") => declared.header = Some(Header::Absent),
                _ => {}
            }
        }
        declared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_any_case_and_with_quotes() {
        let declared = Declared::in_content_type("text/csv; Charset=\"ISO-8859-1\" ;header=absent; x");
        assert_eq!(declared, Declared { charset: Some("iso-8859-1".into()), header: Some(Header::Absent) });
        assert_eq!(Declared::in_content_type("text/csv; charset=; header=perhaps"), Declared::default());
    }
}
