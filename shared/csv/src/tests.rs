//! Profiles of the built-in datasets and of invalid files.

mod document;
mod formats;
mod rows;
mod split;
mod types;

use std::io::Read;

use trainyard_domain::{ColumnProfile, Dtype};

use super::{CsvError, Limits, Profile, ReadOptions, preview};

fn profile(reader: impl Read, limits: &Limits) -> Result<Profile, CsvError> {
    super::profile(reader, &ReadOptions::default(), limits)
}

const TITANIC: &[u8] = include_bytes!("../../../datasets/titanic.csv");
const BREAST_CANCER: &[u8] = include_bytes!("../../../datasets/breast_cancer.csv");
const DIABETES: &[u8] = include_bytes!("../../../datasets/diabetes.csv");

fn read(text: impl AsRef<[u8]>) -> Result<Profile, CsvError> {
    profile(text.as_ref(), &Limits::default())
}

fn read_with(text: impl AsRef<[u8]>, options: &ReadOptions) -> Result<Profile, CsvError> {
    super::profile(text.as_ref(), options, &Limits::default())
}

fn column<'a>(profile: &'a Profile, name: &str) -> &'a ColumnProfile {
    profile.columns.iter().find(|column| column.name == name).unwrap()
}

fn refused(text: impl AsRef<[u8]>) -> String {
    read(text).unwrap_err().message
}

#[test]
fn the_columns_of_titanic_have_the_expected_types() {
    let titanic = read(TITANIC).unwrap();
    assert_eq!((titanic.rows, titanic.bytes), (1_309, TITANIC.len() as u64));
    let found: Vec<_> = titanic.columns.iter().map(|c| (c.name.as_str(), c.dtype, c.missing, c.distinct)).collect();
    assert_eq!(
        found,
        [
            ("pclass", Dtype::Number, 0, 3),
            ("name", Dtype::Text, 0, 1_307),
            ("sex", Dtype::Category, 0, 2),
            ("age", Dtype::Number, 263, 98),
            ("sibsp", Dtype::Number, 0, 7),
            ("parch", Dtype::Number, 0, 8),
            ("ticket", Dtype::Text, 0, 929),
            ("fare", Dtype::Number, 1, 281),
            ("cabin", Dtype::Text, 1_014, 186),
            ("embarked", Dtype::Category, 2, 3),
            ("survived", Dtype::Boolean, 0, 2),
        ]
    );
    assert_eq!(column(&titanic, "sex").top, Some(vec![("male".into(), 843), ("female".into(), 466)]));
    let age = column(&titanic, "age");
    assert_eq!((age.min, age.max), (Some(0.1667), Some(80.0)));
}

#[test]
fn numeric_columns_are_numbers() {
    for (bytes, rows, target) in [(BREAST_CANCER, 569, Dtype::Boolean), (DIABETES, 442, Dtype::Number)] {
        let table = read(bytes).unwrap();
        assert_eq!((table.rows, column(&table, "target").dtype), (rows, target));
        assert!(table.columns.iter().all(|column| column.name == "target" || column.dtype == Dtype::Number));
        assert_eq!(table.warnings, Vec::<String>::new());
    }
}

#[test]
fn byte_order_marks_line_endings_and_quotes_are_supported() {
    let plain = read("a,b\n1,\"x, y\"\n2,z\n").unwrap();
    for other in ["\u{feff}a,b\r\n1,\"x, y\"\r\n2,z\r\n", "a,b\r1,\"x, y\"\r2,z", " a ,b\n\n1,\"x, y\"\n\n2,z\n\n"] {
        assert_eq!(read(other).unwrap().columns, plain.columns, "{other:?}");
    }
    assert_eq!(column(&plain, "b").top.as_ref().unwrap()[0].0, "x, y");
}

#[test]
fn the_type_of_a_column_depends_on_all_values() {
    let dtype = |values: &[&str]| {
        let text = format!("k,c\n{}", values.iter().map(|value| format!("1,{value}\n")).collect::<String>());
        column(&read(text).unwrap(), "c").dtype
    };
    assert_eq!(dtype(&["yes", "No", ""]), Dtype::Boolean);
    assert_eq!(dtype(&["TRUE", "false"]), Dtype::Boolean);
    assert_eq!(dtype(&["1.0", "0", "NA"]), Dtype::Boolean);
    assert_eq!(dtype(&["1", "true"]), Dtype::Category);
    assert_eq!(dtype(&["1", "2", "null"]), Dtype::Number);
    assert_eq!(dtype(&["1e3", "-2.5", "inf"]), Dtype::Number);
    assert_eq!(dtype(&["1e3", "-2.5", "x"]), Dtype::Category);
    assert_eq!(dtype(&["?", "", "N/A"]), Dtype::Text);
}

#[test]
fn suspicious_columns_cause_warnings() {
    let rows: String = (1..=40).map(|i| format!("{i},same,,t{i},{}\n", if i == 7 { "seven" } else { "7" })).collect();
    let warnings = read(format!("id,constant,void,words,stray\n{rows}")).unwrap().warnings;
    assert_eq!(
        warnings,
        [
            "'id' contains the row numbers, which do not help a model to predict new rows",
            "'constant' has only one distinct value",
            "'void' has no values",
            "'words' has a different text in every row and can't be a feature",
            "'stray' has numbers in 39 of 40 values but is text because of 'seven' in row 7; set types=stray:number to count such values as missing",
        ]
    );
}

#[test]
fn digests_find_equal_and_renamed_columns() {
    let text =
        "target,copy,word,renamed,other,moved\n1,1.0,yes,alive,b,0\n0,0,no,dead,b,1\n1,1,YES,alive,c,1\n,NA,,,,\n";
    let table = read(text).unwrap();
    let target = column(&table, "target");
    for same in ["copy", "word"] {
        assert_eq!(column(&table, same).values_digest, target.values_digest, "{same}");
    }
    let renamed = column(&table, "renamed");
    assert_ne!(renamed.values_digest, target.values_digest);
    assert_eq!(renamed.partition_digest, target.partition_digest);
    for other in ["other", "moved"] {
        assert_ne!(column(&table, other).values_digest, target.values_digest, "{other}");
        assert_ne!(column(&table, other).partition_digest, target.partition_digest, "{other}");
    }
}

#[test]
fn above_the_limit_distinct_is_a_lower_bound_and_equal_columns_stay_equal() {
    let limits = Limits { max_distinct: 5, ..Limits::default() };
    let rows: String = (0..50).map(|i| format!("{i},{i}.0,{},w{}\n", 50 - i, i % 3)).collect();
    let table = profile(format!("a,b,c,d\n{rows}").as_bytes(), &limits).unwrap();
    let [a, b, c, d] = &table.columns[..] else { panic!() };
    assert_eq!((a.distinct, a.dtype, d.distinct, d.dtype), (6, Dtype::Number, 3, Dtype::Category));
    assert_eq!((&a.values_digest, &a.partition_digest), (&b.values_digest, &b.partition_digest));
    assert_ne!(a.partition_digest, c.partition_digest);
}

#[test]
fn errors_name_row_and_column() {
    let error = read("a,b\n1,2\n3,4,5\n").unwrap_err();
    assert_eq!((error.row, error.column.as_deref()), (Some(2), Some("#3")));
    assert_eq!(
        error.message,
        "row 2, column #3: expected 2 fields, found 3; '5' has no column; quote values that contain the delimiter"
    );
    assert_eq!(refused("a,b\n1,\"2\n3,4\n"), "row 1, column 'b': a quoted field is not closed");
    let error = read("a,b\n1,2\n3,\0\n").unwrap_err();
    assert_eq!((error.row, error.column.as_deref()), (Some(2), Some("'b'")));
    assert!(error.message.contains("NUL"), "{error}");
    let rows = "1,a\n".repeat(50);
    assert_eq!(
        refused(format!("x,y\n{rows}\0,a\n2,b\n")),
        "row 51, column 'x': the cell contains a NUL byte; remove NUL bytes from the file"
    );
    let many = "1,a\n".repeat(300_000);
    assert!(refused(format!("x,y\n{many}1,a\0\n")).starts_with("row 300001, column 'y'"));
    assert!(refused(format!("x,y\n{many}1,a,b\n{many}")).starts_with("row 300001, column #3"));
    let long = "x".repeat(500);
    assert!(refused(format!("a,b\n1,2,{long}\n")).len() < 200);
}

#[test]
fn files_without_a_table_are_refused() {
    assert_eq!(refused(""), "the file is empty");
    assert_eq!(refused("\n\r\n"), "the file is empty");
    assert_eq!(refused("a,b\n"), "the file has a header but no data rows");
    assert_eq!(refused(",\n1,2\n"), "the header has no column names; set header=absent if the file has no header");
    assert!(refused("<!DOCTYPE html>\n<html><body>\n<p>404</p>\n</body></html>\n").contains("HTML"));
    assert!(refused(b"PK\x03\x04\x14\0[Content_Types].xml").contains("Excel"));
}

#[test]
fn errors_name_the_limit() {
    let limits = Limits { max_rows: 2, max_field_bytes: 10, ..Limits::default() };
    let refused = |text: &str| profile(text.as_bytes(), &limits).unwrap_err().message;
    assert_eq!(refused("a\n1\n2\n3\n"), "the file has more than 2 data rows");
    assert_eq!(refused("a\n1\n12345678901\n"), "row 2, column 'a': a field has more than 10 bytes");
    assert!(profile("a\n1\n1234567890\n".as_bytes(), &limits).is_ok());
}

/// An endless input that counts the bytes read.
struct Endless {
    pattern: &'static [u8],
    given: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for byte in buffer.iter_mut() {
            *byte = self.pattern[self.given % self.pattern.len()];
            self.given += 1;
        }
        Ok(buffer.len())
    }
}

/// An endless header `c0,c1,…` with unique names.
struct EndlessHeader {
    column: u64,
    pending: Vec<u8>,
    given: usize,
}

impl Read for EndlessHeader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.pending.len() < buffer.len() {
            self.pending.extend_from_slice(format!("c{},", self.column).as_bytes());
            self.column += 1;
        }
        let rest = self.pending.split_off(buffer.len());
        buffer.copy_from_slice(&self.pending);
        self.pending = rest;
        self.given += buffer.len();
        Ok(buffer.len())
    }
}

#[test]
fn reading_an_endless_header_stops_early() {
    let mut header = EndlessHeader { column: 0, pending: vec![], given: 0 };
    let error = profile(&mut header, &Limits::default()).unwrap_err();
    assert_eq!(error.message, "the header has more than 10000 columns");
    assert!(header.given < 512 << 10, "read {} bytes", header.given);
}

#[test]
fn reading_an_endless_field_stops_early() {
    for pattern in [b"\"aaaaaaa".as_slice(), b"a", b"\"", b"a\""] {
        let mut field = Endless { pattern, given: 0 };
        let message = profile((&b"x\n\""[..]).chain(&mut field), &Limits::default()).unwrap_err().message;
        assert!(!message.is_empty());
        assert!(field.given <= 4 << 20, "read {} bytes for {pattern:?}", field.given);
    }
}

/// Returns one byte per read, as a slow connection may.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn the_profile_does_not_depend_on_the_chunks_of_the_input() {
    for text in ["\u{feff}a,b\r\n1,\"x\n\"\"y\"\n2,z", "a,b\n1,\"2\n3,4\n", "a,b\n1,2\n3\n", "a\n1\n\n2\n", "a\n\"1\""]
    {
        let limits = Limits::default();
        let expected = read(text).map_err(|error| error.message);
        assert_eq!(profile(Trickle(text.as_bytes()), &limits).map_err(|error| error.message), expected, "{text:?}");
    }
}

#[test]
fn a_failed_read_differs_from_an_invalid_file() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    assert!(profile(Broken, &Limits::default()).unwrap_err().source.is_some());
    assert!(read("").unwrap_err().source.is_none());
}

#[test]
fn a_preview_shows_the_first_rows() {
    let rows = preview(TITANIC, &read(TITANIC).unwrap().schema(), 50).unwrap();
    assert_eq!((rows[0].len(), rows.len()), (11, 50));
    assert_eq!(rows[0][1].as_deref(), Some("Allen, Miss. Elisabeth Walton"));
    assert_eq!(rows[9][8], None, "an empty cabin is missing");
    let one = "a\n1\n";
    assert_eq!(preview(one.as_bytes(), &read(one).unwrap().schema(), 50).unwrap(), [[Some("1".to_owned())]]);
}
