//! JSON values as text.

use chrono::{DateTime, Local, Utc};
use serde_json::Value;

/// A value in a table or after a label; `null` is an empty string.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number
            .as_f64()
            .filter(|_| !number.is_i64() && !number.is_u64())
            .map_or_else(|| number.to_string(), |number| format!("{number:.4}")),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A timestamp in the local time zone.
pub(crate) fn moment(value: &Value) -> String {
    let parsed = value.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    parsed.map_or_else(|| text(value), |at| at.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string())
}

/// A bound of a range, without trailing zeros.
pub(crate) fn bound(value: &Value) -> String {
    let text = text(value);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A duration in seconds, such as `48 ms`, `3.1 s`, `2 min 5 s` or `1 h 3 min`.
pub(crate) fn seconds(value: f64) -> String {
    let whole = value.round().max(0.0) as u64;
    match whole {
        _ if value < 0.95 => format!("{:.0} ms", value.max(0.0) * 1_000.0),
        0..60 => format!("{:.1} s", value.max(0.0)),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// A size in bytes, such as `183.2 kB`.
pub(crate) fn bytes(value: &Value) -> String {
    let Some(mut amount) = value.as_f64() else { return String::new() };
    for unit in ["B", "kB", "MB", "GB"] {
        if amount < 1_000.0 || unit == "GB" {
            return if unit == "B" { format!("{amount} B") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1_000.0;
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_rounded_for_display() {
        assert_eq!(text(&json!(0.812_345)), "0.8123");
        assert_eq!(text(&json!(["sex", "age"])), "sex, age");
        assert_eq!([0.048, 3.12, 125.0, 3_780.0].map(seconds), ["48 ms", "3.1 s", "2 min 5 s", "1 h 3 min"]);
        assert_eq!(
            [json!(1.0), json!(0.1667), json!(10), json!(100.0)].map(|n| bound(&n)),
            ["1", "0.1667", "10", "100"]
        );
        assert_eq!([json!(12), json!(183_204)].map(|size| bytes(&size)), ["12 B", "183.2 kB"]);
    }
}
