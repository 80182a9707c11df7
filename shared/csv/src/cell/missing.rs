//! Texts that mean a missing value.

/// Texts that mean a missing value in every column: the default set of pandas without `None`, and `?`.
pub const MISSING_VALUE_TEXTS: [&str; 17] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "n/a", "null", "?",
];

/// What a trimmed text means before the type of its column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// A missing value in every column.
    Missing,
    /// `NA`: a missing value, except in a column of texts.
    Na,
    /// `-`, `.`, `--` or `None`: a missing value in a column of numbers, booleans or dates.
    Soft,
    /// Infinity: a missing value in a column of numbers.
    Infinite,
}

/// The markers of one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Markers {
    /// The markers of the caller.
    texts: Vec<String>,
    /// Those of the caller that are numbers: `-999` also means `-999.0`.
    numbers: Vec<f64>,
}

impl Markers {
    /// The markers of a table whose format lists `missing`.
    pub(crate) fn new(missing: &[String]) -> Self {
        let own = missing
            .iter()
            .map(|text| text.trim())
            .filter(|text| !MISSING_VALUE_TEXTS.contains(text) && !text.is_empty());
        let texts: Vec<String> = own.map(str::to_owned).collect();
        let numbers =
            texts.iter().filter_map(|text| text.parse().ok()).filter(|value: &f64| value.is_finite()).collect();
        Self { texts, numbers }
    }

    /// Whether the caller named no further markers that are numbers.
    pub(crate) fn has_no_numbers(&self) -> bool {
        self.numbers.is_empty()
    }

    /// What a trimmed text means; `None` for a value.
    pub(crate) fn marker(&self, text: &str) -> Option<Marker> {
        let marker = common(text);
        if matches!(marker, Some(Marker::Missing | Marker::Na)) {
            return marker;
        }
        let named = self.texts.iter().any(|marker| marker == text)
            || (!self.numbers.is_empty() && text.parse().is_ok_and(|value: f64| self.numbers.contains(&value)));
        if named { Some(Marker::Missing) } else { marker }
    }
}

fn common(text: &str) -> Option<Marker> {
    // The longest marker is `-Infinity`. The first byte excludes most values.
    let first = *text.as_bytes().first()?;
    if text.len() > 9
        || !matches!(first, b'#' | b'-' | b'+' | b'1' | b'<' | b'N' | b'n' | b'?' | b'.' | b'I' | b'i' | 0xe2)
    {
        return None;
    }
    if text == "NA" {
        return Some(Marker::Na);
    }
    let any_case = ["na", "n/a", "null", "nan"].iter().any(|marker| text.eq_ignore_ascii_case(marker));
    if any_case || MISSING_VALUE_TEXTS.contains(&text) {
        return Some(Marker::Missing);
    }
    if matches!(text, "-" | "." | "--" | "None") {
        return Some(Marker::Soft);
    }
    let magnitude = text.strip_prefix(['-', '+']).unwrap_or(text);
    let infinite = magnitude.eq_ignore_ascii_case("inf")
        || magnitude.eq_ignore_ascii_case("infinity")
        || matches!(magnitude, "∞" | "1.#INF");
    infinite.then_some(Marker::Infinite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_recognized() {
        let markers = Markers::new(&["-999".to_owned(), "unknown".to_owned()]);
        for text in
            ["#N/A", "<NA>", "N/A", "n/a", "null", "NULL", "NaN", "nan", "-nan", "?", "na", "-999", "-999.0", "unknown"]
        {
            assert_eq!(markers.marker(text), Some(Marker::Missing), "{text}");
        }
        for (text, marker) in [
            ("NA", Marker::Na),
            ("-", Marker::Soft),
            ("None", Marker::Soft),
            ("-inf", Marker::Infinite),
            ("∞", Marker::Infinite),
        ] {
            assert_eq!(markers.marker(text), Some(marker), "{text}");
        }
        for value in ["none", "0", "nano", "NAA", "??", "no", "1", "info", "999", "Unknown"] {
            assert_eq!(markers.marker(value), None, "{value}");
        }
    }
}
