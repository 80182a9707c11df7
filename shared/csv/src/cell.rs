//! The one place where the text of a cell becomes a value: profiles, training, serving and batch prediction use it.

pub(crate) mod date;
pub(crate) mod missing;
pub(crate) mod number;
pub(crate) mod word;

use std::borrow::Cow;

use trainyard_domain::{CellReading, ColumnSchema, Dtype, TableFormat};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

pub use self::missing::MISSING_VALUE_TEXTS;
use self::missing::{Marker, Markers};
use crate::tokens;

/// The value of a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Missing,
    /// A finite number.
    Number(f64),
    /// A boolean.
    Boolean(bool),
    /// A category or a text: trimmed and in Unicode normalization form C. In a column of another type: a text that does
    /// not fit the type. Training counts it as missing, and serving refuses it.
    Text(Cow<'a, str>),
    /// A date and time, in seconds since 1970-01-01 00:00 UTC.
    Datetime(f64),
}

/// Reads the cells of one column.
#[derive(Debug, Clone)]
pub struct Reader {
    dtype: Dtype,
    reading: CellReading,
    markers: Markers,
}

impl Reader {
    /// A reader for the cells of `column` in a table of this format.
    pub fn new(format: &TableFormat, column: &ColumnSchema) -> Self {
        Self { dtype: column.dtype, reading: column.reading.clone(), markers: Markers::new(&format.missing) }
    }

    /// The value of a cell.
    pub fn read<'a>(&self, text: &'a str) -> Cell<'a> {
        let text = trimmed(text);
        if text.is_empty() {
            return Cell::Missing;
        }
        if self.dtype == Dtype::Number
            && self.markers.has_no_numbers()
            && let Some(value) = self.number(text)
        {
            return Cell::Number(value);
        }
        let is_text = matches!(self.dtype, Dtype::Category | Dtype::Text);
        match self.markers.marker(text) {
            Some(Marker::Missing) => return Cell::Missing,
            Some(Marker::Na) if !(is_text && self.reading.keeps_na) => return Cell::Missing,
            Some(Marker::Soft | Marker::Infinite) if !is_text => return Cell::Missing,
            _ => {}
        }
        let value = match self.dtype {
            Dtype::Number => self.number(text).map(Cell::Number),
            Dtype::Boolean => tokens::boolean(text).map(|(value, _)| Cell::Boolean(value)),
            Dtype::Datetime => self.date(text).map(Cell::Datetime),
            Dtype::Category | Dtype::Text => None,
        };
        value.unwrap_or_else(|| Cell::Text(normalized(text)))
    }

    fn number(&self, text: &str) -> Option<f64> {
        number::by_style(text, self.reading.number.unwrap_or_default())
    }

    fn date(&self, text: &str) -> Option<f64> {
        date::by_order(text, self.reading.date.unwrap_or_default()).or_else(|| date::from_digits(text))
    }
}

/// The text without spaces, control characters and invisible characters around, such as the end mark of DOS files.
#[inline]
pub(crate) fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [] => text,
        [first, .., last] | [first @ last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}')),
    }
}

/// The text in Unicode normalization form C.
pub(crate) fn normalized(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}
