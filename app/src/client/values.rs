//! Values typed on a command line or found in a CSV, as JSON.

use serde_json::{Map, Value};
use trainyard_ml::tokens;

/// Reads `name=value`.
///
/// # Errors
/// A sentence when there is no `=` or no name.
pub(crate) fn pair(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), typed(value))),
        _ => Err(format!("'{text}' must look like name=value")),
    }
}

/// Pairs as an object.
///
/// # Errors
/// A sentence that names a repeated one.
pub(crate) fn object(pairs: Vec<(String, Value)>) -> Result<Map<String, Value>, String> {
    let mut object = Map::new();
    for (name, value) in pairs {
        if object.insert(name.clone(), value).is_some() {
            return Err(format!("{name} is given twice"));
        }
    }
    Ok(object)
}

/// What a person means by `text`: numbers, `true`, `false` and `null` are themselves, `"29"` in quotes is text, nothing
/// is `null`, and everything else is text.
pub(crate) fn typed(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    match serde_json::from_str(text) {
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))) => value,
        // JSON has no `.5` and no `007`.
        _ => tokens::number(text).map_or_else(|| Value::from(text), Value::from),
    }
}

/// A CSV cell, by the rules that training reads cells by.
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
    fn values_are_typed_as_a_person_means_them() {
        let read = ["29", ".5", "-1e3", "true", "\"29\"", "female", "", "null", "[1]", "C22 C26"].map(typed);
        let meant = [
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
        assert_eq!(read, meant);
    }

    #[test]
    fn cells_follow_the_rules_of_training() {
        assert_eq!(["NA", "True", "29.0", " S "].map(cell), [json!(null), json!(true), json!(29.0), json!("S")]);
    }

    #[test]
    fn pairs_are_checked() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), json!("b=c"))));
        assert!(pair("a").is_err() && pair("=1").is_err());
        assert!(object(vec![pair("a=1").unwrap(), pair("a=2").unwrap()]).is_err());
    }
}
