//! Output of the client: results to standard output, messages to standard error. With `--json` standard output gets
//! only the server's JSON, unchanged.

use std::io::{self, Write};

use comfy_table::{Table, presets};

/// The output format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Prints JSON instead of text.
    pub(crate) json: bool,
}

impl Output {
    /// Prints a result: the JSON `raw`, or the text of `render`.
    pub(crate) fn result(self, raw: &str, render: impl FnOnce() -> String) {
        let text = if self.json { raw.to_owned() } else { render() };
        if !text.is_empty() {
            write(io::stdout().lock(), &text);
        }
    }

    /// Prints a message that is not a result.
    pub(crate) fn message(self, message: impl AsRef<str>) {
        write(io::stderr().lock(), message.as_ref());
    }
}

/// Writes a line. Errors are ignored, because a reader such as `| head` may close the pipe.
fn write(mut to: impl Write, text: &str) {
    let _ = writeln!(to, "{}", text.trim_end()).and_then(|()| to.flush());
}

/// A table without borders for lists, which scripts may search: each row is one line at every terminal width.
pub(crate) fn list(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().map(|title| title.to_uppercase()));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// The text of a [`list`]: two spaces between columns, no spaces at the end of a line.
pub(crate) fn plain(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A table with borders for a few numbers.
pub(crate) fn bordered(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    if !header.is_empty() {
        table.set_header(header);
    }
    table
}

/// Lines of `name: value` with aligned values.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let shown = pairs.iter().filter(|(_, value)| !value.is_empty());
    shown.map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
}
