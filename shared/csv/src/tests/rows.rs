//! Rows are split as the csv crate splits them.

use proptest::prelude::*;
use trainyard_domain::{ColumnSchema, Dtype, TableFormat, TableSchema};

use super::read;
use crate::{Limits, ReadOptions, Rows, profile};

fn schema(width: usize) -> TableSchema {
    let column = |at: usize| ColumnSchema { name: format!("c{at}"), dtype: Dtype::Text, reading: Default::default() };
    let format = TableFormat {
        delimiter: Default::default(),
        decimal: Default::default(),
        encoding: "utf-8".into(),
        header: Default::default(),
        missing: vec![],
        skipped_lines: 0,
    };
    TableSchema { format, columns: (0..width).map(column).collect() }
}

fn ours(text: &str, width: usize) -> Vec<Vec<String>> {
    let mut rows = Rows::open(text.as_bytes(), &schema(width)).unwrap();
    let mut found = Vec::new();
    while let Some(record) = rows.next().unwrap() {
        found.push((0..width).map(|at| record.get(at).to_owned()).collect());
    }
    found
}

fn theirs(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// A field as it can be written in a file.
fn field() -> impl Strategy<Value = String> {
    let quoted = proptest::collection::vec(prop_oneof!["[a-z0-9 ;é,\n\r]{0,6}", Just("\"\"".to_owned())], 0..4)
        .prop_map(|parts| format!("\"{}\"", parts.concat()));
    prop_oneof![4 => "[a-z0-9 ;é.-]{0,9}", 3 => quoted, 1 => "[a-z]{1,3}\"[a-z\"]{0,4}", 1 => "\"[a-z,]{0,4}\"[a-z ][a-z \"]{0,3}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_those_of_the_csv_crate(
        rows in proptest::collection::vec(proptest::collection::vec(field(), 3), 0..12),
        end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        ends_with_line in any::<bool>(),
    ) {
        let lines: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
        let text = format!("a,b,c{end}{}{}", lines.join(end), if ends_with_line { end } else { "" });
        prop_assert_eq!(ours(&text, 3), theirs(&text));
    }
}

#[test]
fn batches_do_not_change_the_rows() {
    let rows: Vec<String> =
        (0..60_000).map(|i| format!("{i},\"a\"\"{i}\n{}\",{}", "é".repeat(i % 7), i % 13)).collect();
    let text = format!("a,b,c\r\n{}", rows.join("\r\n"));
    assert_eq!(ours(&text, 3), theirs(&text));
    let profile = read(&text).unwrap();
    assert_eq!((profile.rows, profile.columns[2].distinct), (60_000, 13));
}

#[test]
fn the_profile_does_not_depend_on_the_number_of_threads() {
    let rows: String = (0..50_000)
        .map(|i| format!("{},{}.{},c{},2024-01-{:02}\n", i * 7_919 % 50_000, i % 100, i % 1_000, i % 40, i % 28 + 1))
        .collect();
    let text = format!("a,b,c,d\n{rows}");
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| profile(text.as_bytes(), &ReadOptions::default(), &Limits::default()).unwrap())
    };
    assert_eq!(with_threads(1), with_threads(4));
}
