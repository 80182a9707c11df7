//! How a job learns its table: the task, the positive class, the types of columns, and what happens to leaks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dataset::Dtype;
use crate::table::TaskKind;

/// How a job learns its table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LearningOptions {
    /// The task; by default the target decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskKind>,
    /// The label whose probability is `prob`: a string, a number or a boolean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive_class: Option<Value>,
    /// Types that replace those of the dataset.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub column_types: BTreeMap<String, Dtype>,
    /// What happens to features that contain the target.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_leak: OnLeak,
}

/// What happens to features that contain the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnLeak {
    /// They are used, with a warning.
    #[default]
    Warn,
    /// They are not used, with a warning.
    Drop,
    /// The job is refused or fails.
    Refuse,
}

fn is_default(on_leak: &OnLeak) -> bool {
    *on_leak == OnLeak::default()
}

/// Whether a target means regression by default: numbers with more than 20 distinct values.
pub fn is_regression(dtype: Dtype, distinct: u64) -> bool {
    dtype == Dtype::Number && distinct > 20
}

/// Whether `value` means the class `label`: its text, its number, or `true` and `false` for `1`, `true`, `yes` and `0`,
/// `false`, `no`.
pub fn is_label(value: &Value, label: &str) -> bool {
    let is_word = |words: [&str; 3]| words.iter().any(|word| label.eq_ignore_ascii_case(word));
    match value {
        Value::String(text) => text.trim() == label,
        Value::Bool(true) => is_word(["1", "true", "yes"]),
        Value::Bool(false) => is_word(["0", "false", "no"]),
        Value::Number(number) => {
            number.to_string() == label || number.as_f64().is_some_and(|number| format!("{}", number + 0.0) == label)
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_are_found_by_their_json_value() {
        for (value, label) in [
            (json!("ill"), "ill"),
            (json!(3), "3"),
            (json!(3.0), "3"),
            (json!("3"), "3"),
            (json!(true), "Yes"),
            (json!(false), "0"),
        ] {
            assert!(is_label(&value, label), "{value}");
        }
        for (value, label) in [(json!("Ill"), "ill"), (json!(1), "001"), (json!(true), "ill"), (json!(null), "null")] {
            assert!(!is_label(&value, label), "{value}");
        }
    }

    #[test]
    fn defaults_are_not_serialized() {
        assert_eq!(serde_json::to_value(LearningOptions::default()).unwrap(), json!({}));
        let parsed: LearningOptions = serde_json::from_value(json!({"on_leak": "drop", "task": "regression"})).unwrap();
        assert_eq!((parsed.on_leak, parsed.task), (OnLeak::Drop, Some(TaskKind::Regression)));
    }
}
