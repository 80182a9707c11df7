//! Everything that a text could be, before the type of its column is known.

use trainyard_domain::{BooleanForm, DecimalMark};

use crate::cell::date::{self, Dates};
use crate::cell::missing::{Marker, Markers};
use crate::cell::number::{self, Parsed};
use crate::tokens;

/// Integers from here on are not exact as numbers.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// What a trimmed text could be.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Facts<'a> {
    /// A marker for a missing value.
    pub(super) marker: Option<Marker>,
    /// The number with a decimal point.
    pub(super) point: Option<Parsed<'a>>,
    /// The number with a decimal comma.
    pub(super) comma: Option<Parsed<'a>>,
    /// The date in each order.
    pub(super) dates: Dates,
    /// The boolean with its form.
    pub(super) boolean: Option<(bool, BooleanForm)>,
    /// What suggests that a number is a code.
    pub(super) code: Code,
}

/// The form of a number that could be a code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Code {
    /// Not an integer without decoration.
    #[default]
    None,
    /// `42`
    Integer,
    /// `042`
    LeadingZero,
    /// `1E3`
    Exponent,
    /// An integer above 2^53.
    Inexact,
}

impl<'a> Facts<'a> {
    /// Reads a trimmed text that is not empty. `digits_are_dates` if the caller set the type of the column to a date.
    pub(super) fn read(text: &'a str, markers: &Markers, digits_are_dates: bool) -> Self {
        let marker = markers.marker(text);
        if marker.is_some() {
            return Self { marker, ..Self::default() };
        }
        if is_iso_date(text.as_bytes()) {
            return Self { dates: date::parse(text), ..Self::default() };
        }
        let point = number::parse(text, DecimalMark::Point);
        let comma = if memchr::memchr2(b'.', b',', text.as_bytes()).is_some() {
            number::parse(text, DecimalMark::Comma)
        } else {
            point
        };
        let code = point.map_or(Code::None, |point| code(text, point.value));
        let mut dates = date::parse(text);
        if digits_are_dates && dates.certain.is_none() {
            dates.certain = date::from_digits(text);
        }
        // The longest word is `false`; a number can have zeros behind the point.
        let may_be_boolean = code != Code::LeadingZero && (text.len() <= 5 || point.is_some());
        let boolean = if may_be_boolean { tokens::boolean(text) } else { None };
        Self { marker, point, comma, dates, boolean, code }
    }
}

/// Whether a text has the form `2024-03-31`, which is no number.
fn is_iso_date(bytes: &[u8]) -> bool {
    bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[..4].iter().all(u8::is_ascii_digit)
}

fn code(text: &str, value: f64) -> Code {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if digits(unsigned) {
        return match unsigned.as_bytes() {
            [b'0', _, ..] if unsigned.len() == text.len() => Code::LeadingZero,
            _ if value.abs() > MAX_EXACT => Code::Inexact,
            // 2^53 itself also stands for 2^53 + 1.
            _ if value.abs() == MAX_EXACT && unsigned != "9007199254740992" => Code::Inexact,
            _ => Code::Integer,
        };
    }
    match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) if digits(mantissa) && digits(exponent) => Code::Exponent,
        _ => Code::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_could_be_codes_are_found() {
        for (text, code) in [
            ("42", Code::Integer),
            ("-7", Code::Integer),
            ("0", Code::Integer),
            ("007", Code::LeadingZero),
            ("00", Code::LeadingZero),
            ("0.5", Code::None),
            ("1E3", Code::Exponent),
            ("1e+05", Code::None),
            ("1.5e3", Code::None),
            ("9007199254740991", Code::Integer),
            ("9007199254740993", Code::Inexact),
            ("12345678901234567890", Code::Inexact),
            ("$5", Code::None),
            ("x", Code::None),
        ] {
            assert_eq!(Facts::read(text, &Markers::default(), false).code, code, "{text}");
        }
    }
}
