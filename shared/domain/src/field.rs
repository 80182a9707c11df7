//! What was wrong with which field.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One refused field of a request: the JSON path a client sent and a sentence that says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Path of the field as the client wrote it, such as `params.n_trees` or `jobs[3].features`.
    pub field: String,
    /// What was expected, in a sentence fit for the person who sent it.
    pub message: String,
}

impl FieldError {
    /// A refusal of `field`, explained by `message`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// Most characters of a client's own text in a message.
const SHOWN_CHARS: usize = 100;

/// A client's own text as messages quote it: cut to 100 characters.
pub fn shown(text: &str) -> Cow<'_, str> {
    cut(text, SHOWN_CHARS)
}

/// `text` with at most `chars` characters; `…` stands for the rest.
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
