//! The query parameters of an upload.

use std::collections::BTreeMap;

use encoding_rs::Encoding;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use trainyard_csv::ReadOptions;
use trainyard_domain::{DecimalMark, Delimiter, Dtype, FieldError, Header, shown};
use trainyard_http::Problem;

/// The name of the dataset, and how the file is read. What is left out or `auto` is detected from the file.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// The name of the dataset. An existing dataset gets a new version.
    #[param(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", example = "passengers")]
    pub(super) name: String,
    /// The character between two fields: `auto`, `,`, `;`, `tab` or `|`.
    #[serde(default, deserialize_with = "choice::<Delimiters, _, _>")]
    #[param(value_type = Option<String>, pattern = "^(auto|,|;|tab|[|])$", example = ";")]
    delimiter: Option<Delimiter>,
    /// The decimal mark of numbers: `auto`, `.` or `,`.
    #[serde(default, deserialize_with = "choice::<Decimals, _, _>")]
    #[param(value_type = Option<String>, pattern = "^(auto|[.]|,)$", example = ",")]
    decimal: Option<DecimalMark>,
    /// The encoding: `auto`, or a label of the WHATWG encoding standard such as `utf-8`, `utf-16` or `windows-1252`. Wins
    /// over a `charset` in the content type.
    #[serde(default, deserialize_with = "encoding")]
    #[param(value_type = Option<String>, example = "windows-1252")]
    encoding: Option<String>,
    /// Whether the first row holds the column names: `auto`, `present` or `absent`. Wins over a `header` in the content type.
    #[serde(default, deserialize_with = "choice::<Headers, _, _>")]
    #[param(value_type = Option<String>, pattern = "^(auto|present|absent)$", example = "absent")]
    header: Option<Header>,
    /// Further texts that mean a missing value, separated by commas. They hold in every column.
    #[serde(default)]
    #[param(example = "unknown,-9")]
    missing: Option<String>,
    /// The types of some columns, as `column:type` separated by commas. A type is `number`, `category`, `boolean`,
    /// `datetime` or `text`.
    #[serde(default)]
    #[param(example = "zip:category,when:datetime")]
    types: Option<String>,
    /// Whether to answer what would be stored, without storing anything.
    #[serde(default)]
    pub(super) dry_run: bool,
}

impl UploadQuery {
    /// How the file is read. `max_markers` bounds the texts of `missing`.
    pub(super) fn read_options(self, max_markers: usize) -> Result<ReadOptions, Problem> {
        let mut errors = Vec::new();
        let missing = self.missing.map(|text| markers(&text, max_markers)).transpose();
        let types = self.types.map(|text| column_types(&text)).transpose();
        let options = ReadOptions {
            delimiter: self.delimiter,
            decimal: self.decimal,
            encoding: self.encoding,
            declared_charset: None,
            header: self.header,
            missing: missing.unwrap_or_else(|error| report(&mut errors, "missing", error)).unwrap_or_default(),
            types: types.unwrap_or_else(|error| report(&mut errors, "types", error)).unwrap_or_default(),
        };
        if errors.is_empty() { Ok(options) } else { Err(Problem::validation(errors)) }
    }
}

fn report<T>(errors: &mut Vec<FieldError>, field: &str, message: String) -> Option<T> {
    errors.push(FieldError::new(field, message));
    None
}

fn markers(text: &str, max: usize) -> Result<Vec<String>, String> {
    let mut markers: Vec<String> = Vec::new();
    for marker in text.split(',').map(str::trim).filter(|marker| !marker.is_empty()) {
        if !markers.iter().any(|known| known == marker) {
            markers.push(marker.to_owned());
        }
    }
    match markers.len() {
        count if count > max => {
            Err(format!("has {count} markers; at most {max} are allowed (api.max_missing_markers)"))
        }
        _ => Ok(markers),
    }
}

/// Reads `column:type,column:type`. The last colon of an entry separates. An entry without a colon is the beginning of a
/// column name with a comma.
fn column_types(text: &str) -> Result<BTreeMap<String, Dtype>, String> {
    let mut types = BTreeMap::new();
    let mut start = String::new();
    for part in text.split(',') {
        let entry = if start.is_empty() { part.to_owned() } else { format!("{start},{part}") };
        let Some((name, dtype)) = entry.rsplit_once(':') else {
            start = entry;
            continue;
        };
        start.clear();
        let (name, dtype) = (name.trim(), dtype.trim());
        let Some(dtype) = Dtype::parse(dtype) else {
            let (shown_type, name) = (shown(dtype), shown(name));
            return Err(format!("has the unknown type '{shown_type}' for '{name}'; use {}", dtypes()));
        };
        if types.insert(name.to_owned(), dtype).is_some() {
            return Err(format!("lists '{}' twice", shown(name)));
        }
    }
    match start.trim() {
        "" => Ok(types),
        rest => Err(format!(
            "has no type for '{}'; write column:type, separated by commas; a type is {}",
            shown(rest),
            dtypes()
        )),
    }
}

/// The names of all types, as a list for people.
fn dtypes() -> String {
    listed(&Dtype::ALL.map(|(_, name)| name))
}

/// `a, b or c`
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [all @ .., last] => format!("{} or {last}", all.join(", ")),
    }
}

/// The values of a parameter besides `auto`.
trait Choices {
    type Value: Copy + 'static;
    /// Each value as it is written in the query, and as a message shows it.
    const ALL: &'static [(&'static str, &'static str, Self::Value)];
}

struct Delimiters;

impl Choices for Delimiters {
    type Value = Delimiter;
    const ALL: &'static [(&'static str, &'static str, Delimiter)] = &[
        (",", "','", Delimiter::Comma),
        (";", "';'", Delimiter::Semicolon),
        ("tab", "tab", Delimiter::Tab),
        ("|", "'|'", Delimiter::Pipe),
    ];
}

struct Decimals;

impl Choices for Decimals {
    type Value = DecimalMark;
    const ALL: &'static [(&'static str, &'static str, DecimalMark)] =
        &[(".", "'.'", DecimalMark::Point), (",", "','", DecimalMark::Comma)];
}

struct Headers;

impl Choices for Headers {
    type Value = Header;
    const ALL: &'static [(&'static str, &'static str, Header)] =
        &[("present", "present", Header::Present), ("absent", "absent", Header::Absent)];
}

/// Reads one of the choices, or `auto` as `None`.
fn choice<'de, C, D, V>(deserializer: D) -> Result<Option<V>, D::Error>
where
    C: Choices<Value = V>,
    D: Deserializer<'de>,
    V: Copy + 'static,
{
    let text = String::deserialize(deserializer)?;
    if text == "auto" {
        return Ok(None);
    }
    if let Some((_, _, value)) = C::ALL.iter().find(|(written, ..)| *written == text) {
        return Ok(Some(*value));
    }
    let mut allowed = vec!["auto"];
    allowed.extend(C::ALL.iter().map(|(_, shown, _)| *shown));
    Err(D::Error::custom(format!("must be {}, not '{}'", listed(&allowed), shown(&text))))
}

/// Reads the label of an encoding, or `auto` as `None`.
fn encoding<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "auto" {
        return Ok(None);
    }
    match Encoding::for_label_no_replacement(text.as_bytes()) {
        Some(_) => Ok(Some(text)),
        None => Err(D::Error::custom(format!(
            "must be auto, utf-8, utf-16, windows-1252 or another label of the WHATWG encoding standard, not '{}'",
            shown(&text)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_colon_of_an_entry_separates_name_and_type() {
        let types = column_types("zip:category, when : datetime,a:b:number,x,y:text").unwrap();
        let expected =
            [("zip", Dtype::Category), ("when", Dtype::Datetime), ("a:b", Dtype::Number), ("x,y", Dtype::Text)];
        assert_eq!(types, expected.map(|(name, dtype)| (name.to_owned(), dtype)).into());
        assert_eq!(column_types("").unwrap(), BTreeMap::new());
        for (wrong, hint) in [("zip:string", "'string'"), ("zip", "'zip'"), ("a:text,a:number", "'a' twice")] {
            let message = column_types(wrong).unwrap_err();
            assert!(message.contains(hint), "{hint} is not in {message}");
        }
    }

    #[test]
    fn markers_are_trimmed_distinct_and_limited() {
        assert_eq!(markers("unknown, -9,,-9", 2).unwrap(), ["unknown", "-9"]);
        assert!(markers("a,b,c", 2).unwrap_err().contains("3 markers; at most 2"));
    }
}
