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
        // JSON does not allow `.5` or `007`.
        _ => tokens::number(text).map_or_else(|| Value::from(text), Value::from),
    }
}

/// The value of a CSV cell, by the same rules as in training.
pub(crate) fn cell(text: &str) -> Value {
    match tokens::present(text) {
        None => Value::Null,
        Some(text) if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        Some(text) => tokens::number(text).map_or_else(|| Value::from(text), Value::from),
    }
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
    fn cells_are_parsed_as_in_training() {
        assert_eq!(["NA", "True", "29.0", " S "].map(cell), [json!(null), json!(true), json!(29.0), json!("S")]);
    }

    #[test]
    fn invalid_pairs_are_refused() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), json!("b=c"))));
        assert!(pair("a").is_err() && pair("=1").is_err());
        assert!(object(vec![pair("a=1").unwrap(), pair("a=2").unwrap()]).is_err());
    }
}
