//! Why a table is refused.

/// Why a table is refused.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CsvError {
    /// The data row, counted from 1; `None` for the header or the whole file.
    pub row: Option<u64>,
    /// The column's name in quotes, or `#<position>` counted from 1 if it has no name.
    pub column: Option<String>,
    /// The option of [`crate::ReadOptions`] that does not match the file.
    pub setting: Option<&'static str>,
    /// The message for the user, with row and column.
    pub message: String,
    /// The read error, if the source failed.
    #[source]
    pub source: Option<std::io::Error>,
}

impl CsvError {
    pub(crate) fn new(row: Option<u64>, column: Option<String>, reason: impl std::fmt::Display) -> Self {
        let location = match (row, &column) {
            (None, None) => String::new(),
            (None, Some(column)) => format!("header, column {column}: "),
            (Some(row), None) => format!("row {row}: "),
            (Some(row), Some(column)) => format!("row {row}, column {column}: "),
        };
        Self { row, column, setting: None, message: format!("{location}{reason}"), source: None }
    }

    pub(crate) fn file(reason: impl std::fmt::Display) -> Self {
        Self::new(None, None, reason)
    }

    /// The option `setting` does not match the file.
    pub(crate) fn setting(setting: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { setting: Some(setting), ..Self::file(reason) }
    }
}
