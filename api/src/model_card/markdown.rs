//! Markdown (CommonMark, with the tables of GitHub) from texts that anybody may have chosen.

use std::fmt::Write as _;

use serde_json::Value;
use trainyard_domain::field::cut;
use trainyard_domain::shown;

/// Characters that have a meaning in Markdown or HTML.
const SPECIAL: &str = r"\`*_{}[]()<>#|~&!";

/// Maximum number of characters of a sentence.
const SENTENCE_CHARS: usize = 1_000;

/// A text that is shown as it is: shortened, without line breaks, and with all special characters escaped.
pub(super) fn escape(text: &str) -> String {
    escape_all(&shown(text))
}

/// As [`escape`], for a sentence.
pub(super) fn sentence(text: &str) -> String {
    escape_all(&cut(text, SENTENCE_CHARS))
}

fn escape_all(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if SPECIAL.contains(character) {
            escaped.push('\\');
        }
        escaped.push(if character.is_control() { ' ' } else { character });
    }
    escaped
}

/// A JSON value: numbers with at most four decimals, lists with commas.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if !number.is_i64() && !number.is_u64() => float_text(float),
            _ => number.to_string(),
        },
        Value::String(text) => escape(text),
        Value::Array(items) => items.iter().map(self::value).collect::<Vec<_>>().join(", "),
        Value::Object(_) => escape(&value.to_string()),
    }
}

/// At most four decimals, and more for small numbers.
fn float_text(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-3 {
        return format!("{number:.2e}");
    }
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A document that grows.
#[derive(Default)]
pub(super) struct Document(String);

impl Document {
    /// A heading of a level from 1 to 6.
    pub(super) fn heading(&mut self, level: usize, text: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.0, "{gap}{} {text}", "#".repeat(level));
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.0, "\n{text}");
    }

    /// A table; nothing without rows. Cells are Markdown.
    pub(super) fn table<const N: usize>(&mut self, header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return;
        }
        let _ = writeln!(self.0, "\n| {} |\n|{}", header.join(" | "), "---|".repeat(N));
        for row in rows {
            let _ = writeln!(self.0, "| {} |", row.join(" | "));
        }
    }

    /// A list of points.
    pub(super) fn points(&mut self, points: impl IntoIterator<Item = String>) {
        self.0.push('\n');
        for point in points {
            let _ = writeln!(self.0, "- {point}");
        }
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_can_neither_leave_their_cell_nor_contain_html() {
        assert_eq!(escape("a|b\n<img src=x>"), r"a\|b \<img src=x\>");
        assert_eq!(escape("[link](javascript:x) **b**"), r"\[link\]\(javascript:x\) \*\*b\*\*");
        assert!(escape(&"x".repeat(5_000)).chars().count() <= 101);
    }

    #[test]
    fn values_are_short() {
        let shown = [json!(0.812_345), json!(3.0), json!(12), json!(0.000_012_3), json!(null), json!([1, "a"])];
        assert_eq!(shown.each_ref().map(value), ["0.8123", "3", "12", "1.23e-5", "–", "1, a"]);
    }

    #[test]
    fn a_table_without_rows_is_left_out() {
        let mut document = Document::default();
        document.heading(1, "T");
        document.table(["a", "b"], [] as [[String; 2]; 0]);
        document.table(["a"], [["1".to_owned()]]);
        assert_eq!(document.finish(), "# T\n\n| a |\n|---|\n| 1 |\n");
    }
}
