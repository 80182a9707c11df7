//! Limits the size of problem documents: text from the request is truncated.

use std::borrow::Cow;

use serde::Serialize;
use trainyard_domain::FieldError;
use trainyard_domain::field::{cut, shown};

pub(crate) const MAX_ERRORS: usize = 100;
/// Most bytes of all errors of a document, as JSON.
const MAX_ERROR_BYTES: usize = 24 * 1024;
/// Most characters of a sentence.
const MAX_SENTENCE_CHARS: usize = 500;

#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    field: Cow<'a, str>,
    message: Cow<'a, str>,
}

/// The path of a field, truncated.
pub(super) fn field(path: &str) -> Cow<'_, str> {
    shown(path)
}

/// A sentence for the client, truncated.
pub(super) fn text(sentence: &str) -> Cow<'_, str> {
    cut(sentence, MAX_SENTENCE_CHARS)
}

/// The errors that fit into a document, and the number of the other ones.
pub(super) fn errors(all: &[FieldError]) -> (Vec<Shown<'_>>, usize) {
    let mut errors = Vec::with_capacity(all.len().min(MAX_ERRORS));
    let mut bytes = 0;
    for error in all.iter().take(MAX_ERRORS) {
        let error = Shown { field: field(&error.field), message: text(&error.message) };
        bytes += serde_json::to_vec(&error).map_or(MAX_ERROR_BYTES, |json| json.len());
        if bytes > MAX_ERROR_BYTES {
            break;
        }
        errors.push(error);
    }
    let omitted = all.len() - errors.len();
    (errors, omitted)
}

#[cfg(test)]
mod tests {
    use super::super::Problem;
    use super::*;

    fn document(problem: &Problem) -> (usize, serde_json::Value) {
        let bytes = problem.render(Some("id"));
        (bytes.len(), serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn the_first_hundred_errors_are_shown_and_the_others_counted() {
        let errors = (0..250).map(|i| FieldError::new(format!("features.f{i}"), "is unknown")).collect();
        let (_, document) = document(&Problem::validation_of_more(errors, 7));
        assert_eq!(document["errors"].as_array().unwrap().len(), 100);
        assert_eq!(
            (document["errors_omitted"].as_u64(), document["detail"].as_str()),
            (Some(157), Some("257 fields are not valid"))
        );
    }

    #[test]
    fn a_document_is_small_however_long_names_and_messages_are() {
        // JSON escapes each of these characters with six bytes.
        let long = "\u{1}".repeat(500_000);
        let errors = vec![FieldError::new(long.clone(), long.clone()); 300];
        let (bytes, document) = document(&Problem::validation(errors));
        assert!(bytes < 32 * 1024, "{bytes}");
        let shown = document["errors"].as_array().unwrap().len();
        assert_eq!(document["errors_omitted"], 300 - shown);
        let (bytes, _) = self::document(&Problem::not_found(long));
        assert!(bytes < 32 * 1024, "{bytes}");
    }

    #[test]
    fn documents_without_omitted_errors_do_not_mention_them() {
        let (_, document) = document(&Problem::field("limit", "must be 1"));
        assert_eq!(document.get("errors_omitted"), None);
        assert_eq!(document["detail"], "limit must be 1");
    }
}
