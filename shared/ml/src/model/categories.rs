//! The categories of a feature, with their codes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use trainyard_csv::tokens;

/// Unique category names in code order, with an index. Serialized as a list of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Categories {
    names: Vec<String>,
    /// The names, and the canonical spellings of names that are numbers.
    codes: HashMap<String, u32>,
}

/// A duplicate category.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("duplicate category '{0}'")]
pub struct RepeatedCategory(pub String);

impl Categories {
    /// Creates categories; the position of a name is its code.
    ///
    /// # Errors
    /// If a name is a duplicate.
    pub fn new(names: Vec<String>) -> Result<Self, RepeatedCategory> {
        let mut codes = HashMap::with_capacity(names.len());
        for (code, name) in (0_u32..).zip(&names) {
            if codes.insert(name.clone(), code).is_some() {
                return Err(RepeatedCategory(name.clone()));
            }
        }
        for (code, name) in (0_u32..).zip(&names) {
            if let Cow::Owned(canonical) = canonical(name) {
                codes.entry(canonical).or_insert(code);
            }
        }
        Ok(Self { names, codes })
    }

    /// The code of `name`, if the category exists. `2`, `2.0` and `2.00` are the same category.
    pub fn code(&self, name: &str) -> Option<u32> {
        if let Some(code) = self.codes.get(name) {
            return Some(*code);
        }
        match canonical(name) {
            Cow::Owned(canonical) => self.codes.get(&canonical).copied(),
            Cow::Borrowed(_) => None,
        }
    }
}

/// The spelling under which a category is found: a decimal number without trailing zeros, or the text itself. Texts with
/// a leading zero, an exponent or more digits than `f64` has can be codes, so they keep their spelling.
pub fn canonical(name: &str) -> Cow<'_, str> {
    match tokens::number(name).filter(|_| is_plain_number(name)).map(tokens::number_text) {
        Some(number) if number != name => Cow::Owned(number),
        _ => Cow::Borrowed(name),
    }
}

fn is_plain_number(text: &str) -> bool {
    const MAX_DIGITS: usize = 15;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole)
        && all_digits(fraction)
        && (whole == "0" || !whole.starts_with('0'))
        && whole.len() + fraction.len() <= MAX_DIGITS + 1
}

impl Deref for Categories {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.names
    }
}

impl TryFrom<Vec<String>> for Categories {
    type Error = RepeatedCategory;

    fn try_from(names: Vec<String>) -> Result<Self, RepeatedCategory> {
        Self::new(names)
    }
}

impl From<Categories> for Vec<String> {
    fn from(categories: Categories) -> Self {
        categories.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_every_spelling_and_codes_only_in_their_own() {
        let names = ["1.50", "2.00", "XL", "007", "1E3", "9007199254740993"].map(str::to_owned).to_vec();
        let categories = Categories::new(names).unwrap();
        for (text, code) in [("2", Some(1)), ("2.0", Some(1)), ("2.00", Some(1)), ("1.5", Some(0)), ("XL", Some(2))] {
            assert_eq!(categories.code(text), code, "{text}");
        }
        for text in ["7", "1000", "9007199254740992", "02", "2.5", "xl"] {
            assert_eq!(categories.code(text), None, "{text}");
        }
        assert_eq!(categories.code("007"), Some(3));
    }
}
