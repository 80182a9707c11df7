//! The parsing of booleans and plain numbers. Profiles, training and prediction use these functions, so a
//! value has the same meaning everywhere.

pub use trainyard_domain::BooleanForm;

/// Parses a present, trimmed boolean and its form.
pub fn boolean(text: &str) -> Option<(bool, BooleanForm)> {
    const WORDS: [(&str, bool, BooleanForm); 4] = [
        ("true", true, BooleanForm::TrueFalse),
        ("false", false, BooleanForm::TrueFalse),
        ("yes", true, BooleanForm::YesNo),
        ("no", false, BooleanForm::YesNo),
    ];
    match text {
        "0" => return Some((false, BooleanForm::Digit)),
        "1" => return Some((true, BooleanForm::Digit)),
        _ => {}
    }
    if let Some((_, value, form)) = WORDS.iter().find(|(word, ..)| text.eq_ignore_ascii_case(word)) {
        return Some((*value, *form));
    }
    match number(text) {
        Some(0.0) => Some((false, BooleanForm::Digit)),
        Some(1.0) => Some((true, BooleanForm::Digit)),
        _ => None,
    }
}

/// Parses a present, trimmed, finite number. Minus zero becomes zero.
pub fn number(text: &str) -> Option<f64> {
    // Rust also parses "inf" and "nan", which are not finite.
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value + 0.0)
}

/// The canonical spelling of a number: `1`, `1.0` and `1e0` are the same class.
pub fn number_text(value: f64) -> String {
    format!("{}", value + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_have_three_forms() {
        assert_eq!(boolean("1"), Some((true, BooleanForm::Digit)));
        assert_eq!(boolean("0.0"), Some((false, BooleanForm::Digit)));
        assert_eq!(boolean("TRUE"), Some((true, BooleanForm::TrueFalse)));
        assert_eq!(boolean("No"), Some((false, BooleanForm::YesNo)));
        for other in ["2", "t", "on", "truely", ""] {
            assert_eq!(boolean(other), None, "{other:?}");
        }
    }

    #[test]
    fn numbers_are_finite_and_have_a_canonical_spelling() {
        for (text, spelled) in [("1", "1"), ("1.0", "1"), ("1e0", "1"), ("-0", "0"), ("-2.50", "-2.5")] {
            assert_eq!(number(text).map(number_text).as_deref(), Some(spelled));
        }
        for bad in ["inf", "-Infinity", "NaN", "1e400", "1,5", "0x10", ""] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }
}
