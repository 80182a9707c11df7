//! The header line: column names, with limits on their number and on the length of the line.

use std::collections::HashSet;
use std::io::Read;

use super::fields::{Fields, Next};
use super::{CsvError, Limits};

/// Maximum length of a column name, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Reads the header line and trims the names.
pub(super) fn read<R: Read>(fields: &mut Fields<R>, limits: &Limits) -> Result<Vec<String>, CsvError> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    let mut length = 0_u64;
    loop {
        let position = Some(format!("#{}", names.len() + 1));
        let (name, last) = match fields.next() {
            Err(error) => return Err(error.at(None, position)),
            Ok(Next::End) => return Err(CsvError::file("the file is empty")),
            Ok(Next::Field { text, last }) => (text.trim(), last),
        };
        length += name.len() as u64 + 1;
        if names.len() == limits.max_columns {
            return Err(CsvError::file(format!("the header has more than {} columns", limits.max_columns)));
        }
        if length > limits.max_header_bytes {
            return Err(CsvError::file(format!("the header has more than {} bytes", limits.max_header_bytes)));
        }
        if name.is_empty() {
            return Err(CsvError::new(None, position, "the column has no name"));
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(CsvError::new(None, position, format!("the name has more than {MAX_NAME_BYTES} bytes")));
        }
        if !seen.insert(name.to_owned()) {
            return Err(CsvError::new(None, position, format!("the name '{name}' is used twice")));
        }
        names.push(name.to_owned());
        if last {
            return Ok(names);
        }
    }
}
