//! How the bytes of a stored table become rows, fields and typed values.
//!
//! An upload decides the format and the type of every column once, from the whole file. Preview, training and batch
//! prediction read the file by the same decisions.

use serde::{Deserialize, Serialize};

use crate::dataset::Dtype;

/// The character between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Delimiter {
    /// A comma.
    #[default]
    #[serde(rename = ",")]
    Comma,
    /// A semicolon.
    #[serde(rename = ";")]
    Semicolon,
    /// A tab.
    #[serde(rename = "tab")]
    Tab,
    /// A vertical bar.
    #[serde(rename = "|")]
    Pipe,
}

impl Delimiter {
    /// Every delimiter, in the order in which ties are decided.
    pub const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Pipe];

    /// The delimiter as a byte.
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }
}

/// The decimal mark of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DecimalMark {
    /// `1.5`
    #[default]
    #[serde(rename = ".")]
    Point,
    /// `1,5`
    #[serde(rename = ",")]
    Comma,
}

/// Whether the first row holds the column names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    /// The first row holds the names.
    #[default]
    Present,
    /// The first row is data. The columns are named `column_1`, `column_2` and so on.
    Absent,
}

/// How the bytes of a table become rows and fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFormat {
    /// The character between two fields.
    pub delimiter: Delimiter,
    /// The decimal mark of the table. A column can differ: see [`NumberStyle`].
    pub decimal: DecimalMark,
    /// The encoding by its lower-case name in the WHATWG encoding standard: `utf-8`, `utf-16le`, `windows-1252`.
    pub encoding: String,
    /// Whether the first row holds the column names.
    pub header: Header,
    /// Texts that mean a missing value, besides the empty cell: the common ones and those of the caller.
    pub missing: Vec<String>,
    /// Lines before the header that are not part of the table: `sep=;`, a title, comments.
    pub skipped_lines: u64,
}

/// UTF-8 with commas and a header. Only the empty cell is a missing value.
impl Default for TableFormat {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::default(),
            decimal: DecimalMark::default(),
            encoding: "utf-8".to_owned(),
            header: Header::default(),
            missing: Vec::new(),
            skipped_lines: 0,
        }
    }
}

/// How the text of a number column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NumberStyle {
    /// The decimal mark of the column.
    pub decimal: DecimalMark,
    /// Whether the other mark, an apostrophe or a space separates groups of three digits: `1,234.5` or `1.234,5`.
    pub grouped: bool,
    /// Whether currency signs, percent signs, unit suffixes and accounting parentheses occur: `$5`, `12 %`, `3 kg`, `(7)`.
    pub decorated: bool,
}

/// The two words of a boolean column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BooleanForm {
    /// `0` and `1`, also `0.0` and `1.0`. Trained and served as a number.
    Digit,
    /// `true` and `false`, in any case.
    TrueFalse,
    /// `yes` and `no`, in any case. Trained and served as a category.
    YesNo,
}

/// The order of day, month and year in the dates of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `2024-03-31`, ISO 8601.
    #[default]
    YearFirst,
    /// `31.3.2024`, `31/03/2024`
    DayFirst,
    /// `3/31/2024`
    MonthFirst,
}

/// How the text of a column's cells is read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CellReading {
    /// For numbers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<NumberStyle>,
    /// For dates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub date: Option<DateOrder>,
    /// For booleans.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub boolean: Option<BooleanForm>,
    /// Whether the text `NA` is a value in this column and not a missing one.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub keeps_na: bool,
}

/// A column: its name, its type and how its cells are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSchema {
    /// The unique name, after repairs of the header.
    pub name: String,
    /// The type of the values.
    pub dtype: Dtype,
    /// How the cells are read.
    pub reading: CellReading,
}

/// Everything that is needed to read a stored table again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TableSchema {
    /// How bytes become rows and fields.
    pub format: TableFormat,
    /// The columns, in file order. Further fields of a row are empty ones that were dropped.
    pub columns: Vec<ColumnSchema>,
}

/// What a target is predicted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// A class.
    Classification,
    /// A number.
    Regression,
}

impl TaskKind {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::Regression => "regression",
        }
    }

    /// Parses a name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Classification, Self::Regression].into_iter().find(|task| task.as_str() == text)
    }
}
