//! Converts command-line arguments and CSV cells to JSON values.

use serde_json::{Map, Value};
use trainyard_csv::tokens;

/// Parses `name=value`.
///
/// # Errors
/// If there is no `=` or no name.
pub(crate) fn pair(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), typed(value))),
        _ => Err(format!("'{text}' is not of the form name=value")),
    }
}

/// Parses `name=text`. The name can contain `=`.
///
/// # Errors
/// If there is no `=` or no name.
pub(crate) fn text_pair(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("'{text}' is not of the form name=value")),
    }
}

/// A label: a JSON number, boolean or string, or any other text as it is.
pub(crate) fn label(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => value,
        _ => Value::from(text),
    }
}

/// Converts pairs to an object.
///
/// # Errors
/// If a name occurs twice.
pub(crate) fn object(pairs: Vec<(String, Value)>) -> Result<Map<String, Value>, String> {
    let mut object = Map::new();
    for (name, value) in pairs {
        if object.insert(name.clone(), value).is_some() {
            return Err(format!("{name} is given twice"));
        }
    }
    Ok(object)
}

/// The value of `text`: numbers, `true`, `false` and `null` are JSON values, `"29"` in quotes is a string, an empty
/// text is `null`, and all other text is a string.
pub(crate) fn typed(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    match serde_json::from_str(text) {
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))) => value,
        // JSON does not allow `.5`. A text such as `007` is a code.
        _ if text.starts_with('0') => Value::from(text),
        _ => tokens::number(text).map_or_else(|| Value::from(text), Value::from),
    }
}

/// The value of a CSV cell. The server reads texts by the rules of the training table.
pub(crate) fn cell(text: &str) -> Value {
    if text.trim().is_empty() { Value::Null } else { Value::from(text) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_have_the_expected_types() {
        let read = ["29", ".5", "-1e3", "true", "\"29\"", "female", "", "null", "[1]", "C22 C26"].map(typed);
        let expected = [
            json!(29),
            json!(0.5),
            json!(-1000.0),
            json!(true),
            json!("29"),
            json!("female"),
            json!(null),
            json!(null),
            json!("[1]"),
            json!("C22 C26"),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn cells_are_sent_as_they_are() {
        assert_eq!(["NA", "007", "29.0", " "].map(cell), [json!("NA"), json!("007"), json!("29.0"), json!(null)]);
    }

    #[test]
    fn labels_and_codes_keep_their_spelling() {
        let labels = ["1", "007", "true", "ill", "null"].map(label);
        assert_eq!(labels, [json!(1), json!("007"), json!(true), json!("ill"), json!("null")]);
        assert_eq!(typed("007"), json!("007"));
        assert_eq!(text_pair("a=b=number"), Ok(("a=b".into(), "number".into())));
        assert!(text_pair("zip").is_err());
    }

    #[test]
    fn invalid_pairs_are_refused() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), json!("b=c"))));
        assert!(pair("a").is_err() && pair("=1").is_err());
        assert!(object(vec![pair("a=1").unwrap(), pair("a=2").unwrap()]).is_err());
    }
}
