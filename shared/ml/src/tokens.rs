//! How a cell of text reads: missing, boolean or number. The profiler, the training frame and the predictors all ask
//! here, so a value can't mean one thing at upload and another at serving. Pure functions.

/// Texts that stand for "no value", compared without regard to case and surrounding blanks.
const MISSING: [&str; 6] = ["", "na", "n/a", "null", "nan", "?"];

/// The cell without surrounding blanks, or `None` where it stands for a missing value
/// (empty, `NA`, `N/A`, `null`, `NaN`, `?`, in any case).
pub fn present(text: &str) -> Option<&str> {
    let text = text.trim();
    // The longest token has four bytes; most cells are told apart by their length alone.
    let missing = text.len() <= 4 && MISSING.iter().any(|token| text.eq_ignore_ascii_case(token));
    (!missing).then_some(text)
}

/// The spelling a boolean column keeps to. A column that mixes them is not boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BooleanForm {
    /// `0` and `1`, also written `0.0` and `1.0`.
    Digit,
    /// `true` and `false`, in any case.
    TrueFalse,
    /// `yes` and `no`, in any case.
    YesNo,
}

/// Reads a boolean and the way it was spelled. `text` is a present value, without surrounding blanks.
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

/// Reads a finite number; minus zero becomes zero. `text` is a present value, without surrounding blanks.
pub fn number(text: &str) -> Option<f64> {
    // Rust also reads "inf" and "nan"; both fail the test for finiteness.
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value + 0.0)
}

/// The one spelling of a number, so that `1`, `1.0` and `1e0` are the same class.
pub fn number_text(value: f64) -> String {
    format!("{}", value + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_tokens_are_seen_in_any_case_and_nothing_else_is() {
        for missing in ["", "  ", "NA", "n/a", "Null", "NaN", "nan", "?", " na "] {
            assert_eq!(present(missing), None, "{missing:?}");
        }
        for value in ["0", "none", "-", "nano", "NAA", "??", "no"] {
            assert_eq!(present(value), Some(value));
        }
        assert_eq!(present(" x y "), Some("x y"));
    }

    #[test]
    fn booleans_have_three_spellings() {
        assert_eq!(boolean("1"), Some((true, BooleanForm::Digit)));
        assert_eq!(boolean("0.0"), Some((false, BooleanForm::Digit)));
        assert_eq!(boolean("TRUE"), Some((true, BooleanForm::TrueFalse)));
        assert_eq!(boolean("No"), Some((false, BooleanForm::YesNo)));
        for other in ["2", "t", "on", "truely", ""] {
            assert_eq!(boolean(other), None, "{other:?}");
        }
    }

    #[test]
    fn numbers_are_finite_and_have_one_spelling() {
        for (text, spelled) in [("1", "1"), ("1.0", "1"), ("1e0", "1"), ("-0", "0"), ("-2.50", "-2.5")] {
            assert_eq!(number(text).map(number_text).as_deref(), Some(spelled));
        }
        for bad in ["inf", "-Infinity", "NaN", "1e400", "1,5", "0x10", ""] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }
}
