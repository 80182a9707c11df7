//! Where words go: results to standard output, messages to standard error. With `--json` standard output gets the
//! server's JSON as it came, once, and nothing else.

use std::io::{self, Write};

use comfy_table::{Table, presets};

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Raw JSON instead of text for people.
    pub(crate) json: bool,
}

impl Output {
    /// Shows a result: the server's `raw` JSON, or what `people` makes of it.
    pub(crate) fn result(self, raw: &str, people: impl FnOnce() -> String) {
        let text = if self.json { raw.to_owned() } else { people() };
        if !text.is_empty() {
            write(io::stdout().lock(), &text);
        }
    }

    /// Says something that is not the result.
    pub(crate) fn say(self, message: impl AsRef<str>) {
        write(io::stderr().lock(), message.as_ref());
    }
}

/// Writes a line. A reader that has gone away (`| head`) is no reason to fail.
fn write(mut to: impl Write, text: &str) {
    let _ = writeln!(to, "{}", text.trim_end()).and_then(|()| to.flush());
}

/// A table without lines, for lists that people also grep: a row is a line, however narrow the terminal.
pub(crate) fn list(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().map(|title| title.to_uppercase()));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// A [`list`] as text: columns two blanks apart, and no blanks at the end of a line.
pub(crate) fn plain(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A table with lines, for a few figures.
pub(crate) fn figures(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    if !header.is_empty() {
        table.set_header(header);
    }
    table
}

/// `name: value` lines with the values in one column.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let shown = pairs.iter().filter(|(_, value)| !value.is_empty());
    shown.map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
}
