//! Blocks of bytes are split as single bytes are.

use std::ops::Range;

use proptest::prelude::*;

use crate::split::{Progress, Sink, Span, split};

/// What a splitter gives: the text of every field, the places of the rows, and how far it came.
#[derive(Debug, Default, PartialEq)]
struct Found {
    fields: Vec<String>,
    rows: Vec<(Range<usize>, usize)>,
    consumed: usize,
    field_start: usize,
    in_quotes: bool,
}

#[derive(Default)]
struct Collected {
    spans: Vec<Span>,
    rows: Vec<(Range<usize>, usize)>,
    max_rows: usize,
}

impl Sink for Collected {
    fn field(&mut self, span: Span) {
        self.spans.push(span);
    }

    fn row(&mut self, row: Range<usize>, _: &str, _: &str) -> bool {
        self.rows.push((row, self.spans.len()));
        self.rows.len() < self.max_rows
    }
}

fn in_blocks(text: &str, ended: bool, max_rows: usize) -> Found {
    let (mut unquoted, mut sink) = (String::new(), Collected { max_rows, ..Collected::default() });
    let Progress { consumed, field_start, in_quotes } = split(text, b';', ended, &mut unquoted, &mut sink);
    let fields = sink.spans.iter().map(|span| span.of(text, &unquoted).to_owned()).collect();
    Found { fields, rows: sink.rows, consumed, field_start, in_quotes }
}

/// Goes from byte to byte.
fn in_bytes(text: &str, ended: bool, max_rows: usize) -> Found {
    let bytes = text.as_bytes();
    let mut found = Found::default();
    let (mut start, mut row_start, mut at) = (0, 0, 0);
    // The place of the closing quote, and whether the field is open.
    let (mut closed, mut open) = (None, false);
    let field = |start: usize, end: usize, closed: Option<usize>| match closed {
        Some(quote) => format!("{}{}", text[start + 1..quote].replace("\"\"", "\""), &text[quote + 1..end]),
        None => text[start..end].to_owned(),
    };
    while at < bytes.len() {
        let next = at + 1;
        match bytes[at] {
            b'"' if open && bytes.get(next) == Some(&b'"') => at += 1,
            b'"' if open && (ended || next < bytes.len()) => (open, closed) = (false, Some(at)),
            b'"' if !open && at == start => open = true,
            b'\n' | b'\r' if !open && at == row_start => (start, row_start, found.consumed) = (next, next, next),
            b';' | b'\n' | b'\r' if !open => {
                found.fields.push(field(start, at, closed));
                (start, closed) = (next, None);
                if bytes[at] != b';' {
                    found.rows.push((row_start..at, found.fields.len()));
                    (row_start, found.consumed) = (next, next);
                    if found.rows.len() == max_rows {
                        return Found { field_start: next, ..found };
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    let rest = &text[row_start..];
    if ended && rest == "\u{1a}" {
        found.consumed = bytes.len();
    } else if ended && !open && !rest.is_empty() {
        found.fields.push(field(start, bytes.len(), closed));
        found.rows.push((row_start..bytes.len(), found.fields.len()));
        (found.consumed, start) = (bytes.len(), bytes.len());
    }
    Found { field_start: start, in_quotes: open, ..found }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn blocks_are_split_as_bytes_are(
        parts in proptest::collection::vec(prop_oneof![
            9 => "[a-z0-9é .,]{0,12}",
            9 => Just(";".to_owned()),
            3 => prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("\n\n")].prop_map(str::to_owned),
            2 => "\"[a-z;\n\r]{0,70}(\"\"){0,2}\"",
            1 => "\"{1,3}",
            1 => "[a-z]{60,130}|\u{1a}",
        ], 0..80),
        ended in any::<bool>(),
        max_rows in 1_usize..60,
    ) {
        let text = parts.concat();
        prop_assert_eq!(in_blocks(&text, ended, max_rows), in_bytes(&text, ended, max_rows));
    }
}
