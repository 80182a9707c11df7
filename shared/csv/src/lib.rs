//! The content of a table file: format, columns, types and warnings.
//!
//! An upload is read once ([`profile`]): the first rows decide the format (`sniff`), all cells of a column decide its type.
//! Later reads of the stored file apply these decisions ([`Rows`], [`cell::Reader`]).
//!
//! Memory is bounded: every field, row, header and list of distinct values has a limit. The caller handles decompression and
//! the maximum file size.
//!
//! | module | content |
//! |---|---|
//! | [`cell`] | the value of a text: missing markers, numbers, dates, booleans |
//! | `encoding`, `file_type` | bytes to text; files that are no table |
//! | `split`, `records` | text to rows and fields, in batches |
//! | `sniff`, `header` | delimiter, start of the table, names of the columns |
//! | `column`, `duplicates`, `target` | the profile of a column, duplicate rows, the suggested target |
//! | `profile`, `rows`, `preview` | the entry points |

pub mod cell;
mod column;
mod duplicates;
mod encoding;
mod error;
mod file_type;
mod hash;
mod header;
mod options;
mod preview;
mod profile;
mod records;
mod rows;
mod sniff;
mod split;
mod target;
#[cfg(test)]
mod tests;
pub mod tokens;

pub use self::error::CsvError;
pub use self::options::{Limits, ReadOptions};
pub use self::preview::{PreviewRow, preview};
pub use self::profile::{Profile, profile};
pub use self::rows::{Record, Rows};
