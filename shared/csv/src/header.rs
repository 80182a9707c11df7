//! The names of the columns: given, repaired or made.

use std::collections::{HashMap, HashSet};

use crate::cell::{normalized, trimmed};
use crate::records::position;
use crate::{CsvError, Limits};

/// Maximum length of a column name, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// The name of a column of row names that has none.
const ROW_NAME: &str = "row_name";
/// Maximum number of names in a warning.
const MAX_LISTED: usize = 5;

/// The names of the columns, in file order.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Unique names.
    pub(crate) names: Vec<String>,
    /// Whether the header has a name for the column.
    pub(crate) is_given: Vec<bool>,
    /// What was repaired.
    pub(crate) warnings: Vec<String>,
}

impl Names {
    /// `column_1`, `column_2` and so on, for a file without a header.
    pub(crate) fn numbered(width: usize) -> Self {
        let names = (1..=width).map(|number| format!("column_{number}")).collect();
        Self { names, is_given: vec![true; width], warnings: Vec::new() }
    }

    /// Repairs the names of a header. `is_short` says that the row names have no name.
    ///
    /// # Errors
    /// A name that is too long, or too many columns.
    pub(crate) fn repair(header: &[String], is_short: bool, limits: &Limits) -> Result<Self, CsvError> {
        let mut raw: Vec<String> = header.iter().map(|name| normalized(trimmed(name)).into_owned()).collect();
        if is_short {
            raw.insert(0, String::new());
        }
        if raw.len() > limits.max_columns {
            return Err(CsvError::file(format!("the header has more than {} columns", limits.max_columns)));
        }
        if let Some(at) = raw.iter().position(|name| name.len() > MAX_NAME_BYTES) {
            return Err(CsvError::new(None, position(at), format!("the name has more than {MAX_NAME_BYTES} bytes")));
        }
        if let Some(at) = raw.iter().position(|name| name.contains('\0')) {
            return Err(CsvError::new(None, position(at), "the name contains a NUL byte"));
        }
        let mut free =
            FreeNames { used: raw.iter().filter(|name| !name.is_empty()).cloned().collect(), next: HashMap::new() };
        let (mut names, mut seen, mut numbered) = (Vec::with_capacity(raw.len()), HashSet::new(), Vec::new());
        for (at, name) in raw.iter().enumerate() {
            let unique = match name.as_str() {
                "" if at == 0 => free.name(ROW_NAME),
                "" => free.name(&format!("column_{}", at + 1)),
                name if seen.insert(name.to_owned()) => name.to_owned(),
                name => {
                    let unique = free.numbered(name);
                    numbered.push(format!("'{unique}'"));
                    unique
                }
            };
            names.push(unique);
        }
        let mut warnings = Vec::new();
        if !numbered.is_empty() {
            warnings.push(format!("column names that occur more than once were numbered: {}", listed(&numbered)));
        }
        let is_given = raw.iter().map(|name| !name.is_empty()).collect();
        Ok(Self { names, is_given, warnings })
    }
}

/// Names that no column has.
struct FreeNames {
    used: HashSet<String>,
    /// The next number to try for each name.
    next: HashMap<String, usize>,
}

impl FreeNames {
    /// The name, or the next of `name_2`, `name_3` and so on that is not used.
    fn name(&mut self, name: &str) -> String {
        if self.used.insert(name.to_owned()) { name.to_owned() } else { self.numbered(name) }
    }

    fn numbered(&mut self, name: &str) -> String {
        let next = self.next.entry(name.to_owned()).or_insert(2);
        loop {
            let candidate = format!("{name}_{next}");
            *next += 1;
            if self.used.insert(candidate.clone()) {
                return candidate;
            }
        }
    }
}

/// The first of the texts.
pub(crate) fn listed(texts: &[String]) -> String {
    let more = if texts.len() > MAX_LISTED { format!(" and {} more", texts.len() - MAX_LISTED) } else { String::new() };
    format!("{}{more}", texts[..texts.len().min(MAX_LISTED)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(header: &[&str], is_short: bool) -> Vec<String> {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        Names::repair(&header, is_short, &Limits::default()).unwrap().names
    }

    #[test]
    fn names_are_unique() {
        assert_eq!(repaired(&["x", " x ", "y", "x"], false), ["x", "x_2", "y", "x_3"]);
        assert_eq!(repaired(&["x", "x", "x_2"], false), ["x", "x_3", "x_2"]);
        assert_eq!(repaired(&["", "x", "", "y", ""], false), ["row_name", "x", "column_3", "y", "column_5"]);
        assert_eq!(repaired(&["row_name", "x"], true), ["row_name_2", "row_name", "x"]);
        assert_eq!(Names::numbered(2).names, ["column_1", "column_2"]);
    }

    #[test]
    fn names_have_a_limit() {
        let long = ["x".repeat(257)];
        assert!(Names::repair(&long, false, &Limits::default()).is_err());
    }
}
