//! Validation errors of request fields.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A validation error of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// JSON path of the field in the request, such as `params.n_trees` or `jobs[3].features`.
    pub field: String,
    /// What is expected of the field; continues a sentence that begins with the field's name.
    pub message: String,
}

impl FieldError {
    /// A validation error of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// Maximum number of characters of a client's text in a message.
const SHOWN_CHARS: usize = 100;

/// A client's text, truncated to 100 characters for an error message.
pub fn shown(text: &str) -> Cow<'_, str> {
    cut(text, SHOWN_CHARS)
}

/// Truncates `text` to `chars` characters, followed by `…`.
pub fn cut(text: &str, chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(shown("sex"), "sex");
        let exact = "é".repeat(100);
        assert_eq!(shown(&exact), exact);
        assert_eq!(shown(&format!("{exact}x")), format!("{exact}…"));
    }
}
