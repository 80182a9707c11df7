//! The first rows of a file, split with one delimiter.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use trainyard_domain::{DecimalMark, Delimiter, Header};

use crate::cell::missing::Markers;
use crate::cell::{date, number};
use crate::split::{Sink, Span, split};

/// Maximum number of rows in the sample.
const MAX_ROWS: usize = 200;
/// A title has at most this many lines.
const MAX_TITLE_ROWS: usize = 20;
/// The share of rows that must have the common number of fields.
const MIN_SHARE: f64 = 0.5;
/// A table without a title whose header has as many fields as the rows is preferred.
const PENALTY: f64 = 0.3;

/// The rows of the sample.
#[derive(Debug)]
pub(super) struct Table {
    delimiter: Delimiter,
    rows: Vec<Vec<String>>,
    starts: Vec<usize>,
    width: usize,
}

/// Where a table starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    /// The row of the header.
    pub(super) row: usize,
}

impl Table {
    pub(super) fn split(sample: &str, delimiter: Delimiter, ended: bool) -> Self {
        let mut rows = Rows::default();
        split(sample, delimiter.byte(), ended, &mut String::new(), &mut rows);
        let mut table = Self { delimiter, rows: rows.rows, starts: rows.starts, width: 1 };
        table.width = table.common_width();
        table
    }

    pub(super) fn delimiter(&self) -> Delimiter {
        self.delimiter
    }

    /// The number of columns without a header: the largest number of fields.
    pub(super) fn width(&self) -> usize {
        self.rows.iter().map(Vec::len).max().unwrap_or(1)
    }

    /// Where a row starts in the sample.
    pub(super) fn row_start(&self, row: usize) -> usize {
        self.starts.get(row).copied().unwrap_or_default()
    }

    /// The line of the first row.
    pub(super) fn first_line<'a>(&self, sample: &'a str) -> &'a str {
        sample[self.row_start(0)..].lines().next().unwrap_or_default()
    }

    fn common_width(&self) -> usize {
        let mut counts: HashMap<usize, usize> = HashMap::new();
        // The header does not count if there are other rows: it may be a title.
        for row in self.rows.iter().skip(usize::from(self.rows.len() > 1)) {
            *counts.entry(row.len()).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(width, count)| (*count, *width)).map_or(1, |(width, _)| width)
    }

    /// How well the delimiter fits: 0 for a table with one column, up to 1.
    pub(super) fn fit(&self, start: &Start, header: Header) -> f64 {
        let table = &self.rows[start.row.min(self.rows.len())..];
        let Some(first) = table.first().filter(|_| self.width > 1) else { return 0.0 };
        let is_short = header == Header::Present && self.is_header_short(start.row);
        // Rows can end early, or with delimiters that the header does not have.
        let has_more_names = first.len() > self.width;
        let has_empty_ends = first.len() < self.width && self.is_empty_behind(start.row, first.len());
        let fits =
            header == Header::Absent || first.len() == self.width || is_short || has_more_names || has_empty_ends;
        let even = table.iter().filter(|row| row.len() == self.width).count()
            + usize::from(is_short || has_more_names || has_empty_ends);
        #[allow(clippy::cast_precision_loss, reason = "a few hundred rows")]
        let share = even as f64 / table.len() as f64;
        // A header of one name above rows of two fields is rather a text that contains the delimiter.
        let is_text = is_short && self.width == 2 && self.delimiter != Delimiter::Comma;
        if share < MIN_SHARE || !fits || is_text {
            return 0.0;
        }
        let has_title = start.row > 0 && self.comments() == 0;
        let penalties = [has_title, is_short, has_more_names].into_iter().filter(|applies| *applies).count();
        #[allow(clippy::cast_precision_loss, reason = "at most three")]
        let penalty = penalties as f64 * PENALTY;
        (share - penalty).max(0.01)
    }

    /// Whether all fields from column `from` on are empty.
    fn is_empty_behind(&self, header: usize, from: usize) -> bool {
        self.rows.iter().skip(header + 1).all(|row| row.iter().skip(from).all(|cell| cell.trim().is_empty()))
    }

    /// The first row of the table, behind comments and titles.
    pub(super) fn start(&self, header: Header) -> Start {
        let comments = self.comments();
        if comments > 0 && self.rows.len() > comments {
            let last_comment_is_header = header == Header::Present && self.is_commented_header(comments - 1);
            return Start { row: comments - usize::from(last_comment_is_header) };
        }
        let title = if header == Header::Present { self.title_rows() } else { 0 };
        Start { row: title }
    }

    /// Number of rows at the start that begin with `#`.
    fn comments(&self) -> usize {
        let is_comment = |row: &&Vec<String>| row.first().is_some_and(|cell| cell.trim_start().starts_with('#'));
        self.rows.iter().take_while(is_comment).count()
    }

    /// Whether a row that begins with `#` holds the names: it has as many fields as the table, and the next row is data.
    fn is_commented_header(&self, row: usize) -> bool {
        let names = &self.rows[row];
        let is_spaced = names[0].trim_start().starts_with("# ") || names[0].trim() == "#" && self.width == 1;
        let next_is_header = self.is_header(row + 1);
        names.len() == self.width
            && !(next_is_header && (is_spaced || row > 0 || self.has_contrast(row + 1)))
            && !(is_spaced && self.width == 1)
    }

    /// Number of rows at the start that are a title: they have fewer values than the table, and a header follows.
    fn title_rows(&self) -> usize {
        let values =
            |row: &Vec<String>| row.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
        let title = self
            .rows
            .iter()
            .take(MAX_TITLE_ROWS)
            .take_while(|row| values(row) < self.width && (row.len() < self.width || values(row) <= 1))
            .count();
        if title == 0
            || self.width < 2
            || self.rows.len() < title + 2
            || self.rows[title].len() != self.width
            || !self.is_header(title)
        {
            return 0;
        }
        if self.has_contrast(title) {
            // A header with one name less than fields is no title.
            let is_short_header =
                title == 1 && self.rows[0].len() + 1 == self.width && self.width > 2 && self.is_header(0);
            return if is_short_header && self.delimiter == Delimiter::Comma && self.is_numbered(title) {
                0
            } else {
                title
            };
        }
        let is_sentence = self.rows[0][0].trim().contains(char::is_whitespace)
            && self.rows[0].len() + 1 < self.width + usize::from(self.width == 2);
        let blank = self.rows[title].len() == self.width && self.delimiter == Delimiter::Comma;
        if is_sentence && blank { title } else { 0 }
    }

    /// Whether the first values below a row are row numbers, as R writes them.
    fn is_numbered(&self, row: usize) -> bool {
        self.rows[row][0].parse::<u64>().is_ok()
    }

    /// Whether a row can hold names: different texts, and no numbers or dates.
    fn is_header(&self, row: usize) -> bool {
        let Some(cells) = self.rows.get(row) else { return false };
        let mut seen = HashSet::new();
        let is_name = |cell: &String| !cell.trim().is_empty() && !is_typed(cell) && seen.insert(cell.trim().to_owned());
        cells.iter().all(is_name)
    }

    /// Whether a column below the row has numbers or dates only.
    fn has_contrast(&self, row: usize) -> bool {
        (0..self.width).any(|column| self.is_typed_column(row, column))
    }

    fn is_typed_column(&self, header: usize, column: usize) -> bool {
        let below = self.rows.iter().skip(header + 1).filter_map(|row| row.get(column));
        let mut values =
            below.filter(|cell| !cell.trim().is_empty() && Markers::default().marker(cell.trim()).is_none()).peekable();
        values.peek().is_some() && values.all(|cell| is_typed(cell))
    }

    /// Whether the row names have no name in the header: all rows have one field more, and the first ones differ.
    pub(super) fn is_header_short(&self, header: usize) -> bool {
        let rows = &self.rows[(header + 1).min(self.rows.len())..];
        let Some(names) = self.rows.get(header) else { return false };
        let mut seen = HashSet::new();
        let has_last_value = rows.iter().any(|row| row.last().is_some_and(|cell| !cell.trim().is_empty()));
        // One name above numbers is rather a column of numbers with decimal commas.
        let is_number = names.len() == 1 && rows.iter().all(|row| is_typed(&row[0]));
        let is_complete = !is_number && !names.iter().any(|name| name.trim().is_empty());
        rows.len() > 1
            && is_complete
            && has_last_value
            && rows.iter().all(|row| row.len() == names.len() + 1 && seen.insert(row[0].as_str()))
    }

    /// A warning if the header could be data: it has numbers above numbers, or the same texts as the rows.
    pub(super) fn header_warning(&self, header: usize) -> Option<String> {
        let cells = self.rows.get(header)?;
        let rows = &self.rows[header + 1..];
        if rows.is_empty() {
            return None;
        }
        let is_typed_cell = |column: usize, cell: &str| is_typed(cell) && self.is_typed_column(header, column);
        let is_repeated = |column: usize, cell: &str| {
            !cell.trim().is_empty()
                && rows.iter().any(|row| row.get(column).is_some_and(|below| below.trim() == cell.trim()))
        };
        let columns = || cells.iter().enumerate();
        let typed: Vec<&str> =
            columns().filter(|(at, cell)| is_typed_cell(*at, cell)).map(|(_, cell)| cell.as_str()).collect();
        let all_repeated = columns().all(|(at, cell)| is_repeated(at, cell) || is_typed_cell(at, cell));
        let is_data = (all_repeated || !typed.is_empty()) && !is_sequence(&typed);
        is_data.then(|| {
            let first = crate::records::shortened(&cells.iter().map(|cell| cell.trim()).collect::<Vec<_>>().join(", "));
            format!("the first row '{first}' was read as the header but could be data; if the file has no header, set header=absent")
        })
    }
}

/// Whether names are years, or consecutive numbers from 0 or 1.
fn is_sequence(names: &[&str]) -> bool {
    let numbers: Option<Vec<i64>> = names.iter().map(|name| name.trim().parse().ok()).collect();
    let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else { return false };
    let consecutive = numbers[0] <= 1 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let years = numbers.iter().all(|number| (1800..=2200).contains(number)) && numbers.is_sorted();
    consecutive || years
}

/// Whether a cell is a number or a date.
fn is_typed(cell: &str) -> bool {
    let cell = cell.trim();
    let is_number = || {
        cell.starts_with(|c: char| !c.is_alphabetic())
            && (number::parse(cell, DecimalMark::Point).is_some() || number::parse(cell, DecimalMark::Comma).is_some())
    };
    is_number() || date::parse(cell) != date::Dates::default()
}

/// Takes the first rows as texts.
#[derive(Default)]
struct Rows {
    spans: Vec<Span>,
    rows: Vec<Vec<String>>,
    starts: Vec<usize>,
}

impl Sink for Rows {
    fn field(&mut self, span: Span) {
        self.spans.push(span);
    }

    fn row(&mut self, row: Range<usize>, text: &str, unquoted: &str) -> bool {
        self.rows.push(self.spans.drain(..).map(|span| span.of(text, unquoted).to_owned()).collect());
        self.starts.push(row.start);
        self.rows.len() < MAX_ROWS
    }
}
