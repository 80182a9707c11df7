//! Files in other formats than a comma-separated UTF-8 file with a header.

use trainyard_domain::{DecimalMark, Delimiter, Dtype, Header};

use super::{column, read, read_with, refused};
use crate::{Profile, ReadOptions, Rows};

/// Names and types of the columns.
fn columns(profile: &Profile) -> Vec<(&str, Dtype)> {
    profile.columns.iter().map(|column| (column.name.as_str(), column.dtype)).collect()
}

fn cells(text: impl AsRef<[u8]>, options: &ReadOptions) -> Vec<Vec<String>> {
    let profile = read_with(&text, options).unwrap();
    let schema = profile.schema();
    let mut rows = Rows::open(text.as_ref(), &schema).unwrap();
    let mut cells = Vec::new();
    while let Some(record) = rows.next().unwrap() {
        cells.push((0..schema.columns.len()).map(|at| record.get(at).to_owned()).collect());
    }
    assert_eq!(cells.len() as u64, profile.rows);
    cells
}

fn has_warning(profile: &Profile, part: &str) -> bool {
    profile.warnings.iter().any(|warning| warning.contains(part))
}

#[test]
fn other_delimiters_are_found_and_reported() {
    for (text, delimiter) in [
        ("x;y\n1;a\n2;b\n", Delimiter::Semicolon),
        ("x\ty\n1\ta\n2\tb\n", Delimiter::Tab),
        ("x|y\n1|a\n2|b\n", Delimiter::Pipe),
        ("sep=;\nx;y\n1;a\n2;b\n", Delimiter::Semicolon),
        ("sep=\t\r\nx\ty\r\n1\ta\r\n2\tb\r\n", Delimiter::Tab),
    ] {
        let profile = read(text).unwrap();
        assert_eq!(profile.format.delimiter, delimiter, "{text:?}");
        assert_eq!(columns(&profile), [("x", Dtype::Number), ("y", Dtype::Category)], "{text:?}");
        assert_eq!(cells(text, &ReadOptions::default()), [["1", "a"], ["2", "b"]]);
        assert!(profile.warnings.is_empty(), "{:?}", profile.warnings);
    }
    assert_eq!(read("sep=;\nx;y\n1;a\n").unwrap().format.skipped_lines, 1);
}

#[test]
fn decimal_commas_are_numbers() {
    let profile = read("x;y;z\n1,5;a;1.234,50\n2,5;b;20,25\n").unwrap();
    assert_eq!(columns(&profile), [("x", Dtype::Number), ("y", Dtype::Category), ("z", Dtype::Number)]);
    assert_eq!(profile.format.decimal, DecimalMark::Comma);
    assert_eq!((profile.columns[0].min, profile.columns[0].max), (Some(1.5), Some(2.5)));
    assert_eq!((profile.columns[2].min, profile.columns[2].max), (Some(20.25), Some(1234.5)));
    // The other columns decide what a single comma means.
    let votes = read("x;y\n1,5;1,234\n2,5;2,345\n").unwrap();
    assert_eq!(column(&votes, "y").min, Some(1.234));
    let votes = read("x;y\n1.5;1,234\n2.5;2,345\n").unwrap();
    assert_eq!((column(&votes, "y").min, votes.format.decimal), (Some(1234.0), DecimalMark::Point));
    let alone = read("x;y\n1,234;a\n2,345;b\n").unwrap();
    assert_eq!(column(&alone, "x").min, Some(1.234));
    let tabs = read("x\ty\n1,234\ta\n2,345\tb\n").unwrap();
    assert_eq!(column(&tabs, "x").min, Some(1234.0));
    let quoted = read("x,y\n\"1,5\",a\n\"2,25\",b\n").unwrap();
    assert_eq!(column(&quoted, "x").min, Some(1.5));
    let set = ReadOptions { decimal: Some(DecimalMark::Comma), ..ReadOptions::default() };
    assert_eq!(column(&read_with("x\ty\n1,234\ta\n2,345\tb\n", &set).unwrap(), "x").min, Some(1.234));
}

#[test]
fn encodings_are_found() {
    let text = "größe,y\n1,a\n2,b\n";
    let utf16 = |bytes: fn(u16) -> [u8; 2], mark: bool| {
        let marked = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
        marked.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
    };
    let cp1252 = b"gr\xf6\xdfe,y\n1,a\n2,b\n".to_vec();
    for (bytes, encoding, warned) in [
        (text.as_bytes().to_vec(), "utf-8", false),
        (format!("\u{feff}{text}").into_bytes(), "utf-8", false),
        (utf16(u16::to_le_bytes, true), "utf-16le", false),
        (utf16(u16::to_be_bytes, true), "utf-16be", false),
        (utf16(u16::to_le_bytes, false), "utf-16le", false),
        (utf16(u16::to_be_bytes, false), "utf-16be", false),
        (cp1252.clone(), "windows-1252", true),
    ] {
        let profile = read(&bytes).unwrap();
        assert_eq!(profile.format.encoding, encoding);
        assert_eq!(columns(&profile), [("größe", Dtype::Number), ("y", Dtype::Category)], "{encoding}");
        assert_eq!(has_warning(&profile, "not UTF-8"), warned, "{encoding}");
        assert_eq!(profile.bytes, bytes.len() as u64);
        assert_eq!(cells(&bytes, &ReadOptions::default()), [["1", "a"], ["2", "b"]]);
    }
    let declared = ReadOptions { declared_charset: Some("ISO-8859-1".into()), ..ReadOptions::default() };
    let profile = read_with(&cp1252, &declared).unwrap();
    assert_eq!((profile.format.encoding.as_str(), profile.warnings.len()), ("windows-1252", 0));
    let set = ReadOptions { encoding: Some("utf-8".into()), ..ReadOptions::default() };
    assert!(read_with(&cp1252, &set).unwrap_err().message.contains("not UTF-8"));
    let unknown = ReadOptions { encoding: Some("klingon".into()), ..ReadOptions::default() };
    assert!(read_with(&cp1252, &unknown).unwrap_err().message.contains("'klingon' is not known"));
    let set = ReadOptions { encoding: Some("shift_jis".into()), ..ReadOptions::default() };
    assert_eq!(read_with(b"\x93\xfa\x96\x7b,y\n1,a\n", &set).unwrap().columns[0].name, "日本");
    let set = ReadOptions { encoding: Some("utf-16".into()), ..ReadOptions::default() };
    assert_eq!(read_with(utf16(u16::to_be_bytes, true), &set).unwrap().columns[0].name, "größe");
}

#[test]
fn a_byte_that_is_not_utf8_far_behind_changes_the_encoding() {
    let rows = "1,abc\n".repeat(100_000);
    let bytes = [b"x,name\n", rows.as_bytes(), b"2,M\xfcller\n3,Ren\xe9"].concat();
    let profile = read(&bytes).unwrap();
    assert_eq!((profile.format.encoding.as_str(), profile.rows), ("windows-1252", 100_002));
    let top = column(&profile, "name").top.clone().unwrap();
    assert_eq!(top[1..], [("Müller".to_owned(), 1), ("René".to_owned(), 1)]);
    assert_eq!(cells(&bytes, &ReadOptions::default())[100_001], ["3", "René"]);
    // Text that is certainly UTF-8 before the byte makes it a fault.
    let bytes = ["x,name\n1,größe\n".as_bytes(), b"2,M\xfcller\n"].concat();
    assert!(refused(bytes).starts_with("row 2, column 'name': the text is not UTF-8"));
}

#[test]
fn headers_are_repaired() {
    let r = read("\"\",\"x\",\"y\"\n\"1\",1,\"a\"\n\"2\",2,\"b\"\n").unwrap();
    assert_eq!(columns(&r)[1..], [("x", Dtype::Number), ("y", Dtype::Category)]);
    assert!(r.columns[0].name == "row_name" && r.columns[0].row_names && has_warning(&r, "'row_name' holds row names"));
    assert!(!r.columns[1].row_names);
    let short = read("mpg,cyl\nMazda,21,6\nFiat,30,4\n").unwrap();
    assert_eq!(short.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["row_name", "mpg", "cyl"]);
    assert!(short.columns[0].row_names && has_warning(&short, "row_name"));
    assert_eq!(cells("mpg,cyl\nMazda,21,6\nFiat,30,4\n", &ReadOptions::default())[1], ["Fiat", "30", "4"]);
    let pandas = read("Unnamed: 0,x\n0,5\n1,6\n2,5\n").unwrap();
    assert!(pandas.columns[0].row_names);
    // A first column without a name that repeats values is no row name.
    let index = read(",x\na,5\na,6\nb,5\n").unwrap();
    assert!(index.columns[0].name == "row_name" && !index.columns[0].row_names);

    let trailing = read("x,y,\n1,a,\n2,b,\n").unwrap();
    assert_eq!(columns(&trailing), [("x", Dtype::Number), ("y", Dtype::Category)]);
    assert!(has_warning(&trailing, "1 empty column was dropped"));
    assert_eq!(cells("x,y,\n1,a,\n2,b,\n", &ReadOptions::default()), [["1", "a"], ["2", "b"]]);
    let trailing = read("x;y;;\n1;a;;\n2;b;;\n").unwrap();
    assert_eq!(columns(&trailing), [("x", Dtype::Number), ("y", Dtype::Category)]);
    let rows_only = read("x,y\n1,a,\n2,b,\n").unwrap();
    assert_eq!(columns(&rows_only), [("x", Dtype::Number), ("y", Dtype::Category)]);
    assert!(has_warning(&rows_only, "2 rows with additional empty fields"));
    let used = read("x,y,\n1,a,\n2,b,q\n").unwrap();
    assert_eq!((used.columns[2].name.as_str(), used.columns[2].missing), ("column_3", 1));
    assert!(has_warning(&used, "column 3 has no name"));

    let twice = read("x,x,y\n1,2,a\n2,3,b\n").unwrap();
    assert_eq!(twice.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["x", "x_2", "y"]);
    assert!(has_warning(&twice, "'x_2'"));
}

#[test]
fn a_header_can_be_absent() {
    let text = "6,148,yes\n1,85,no\n8,183,yes\n";
    let sniffed = read(text).unwrap();
    assert_eq!((sniffed.rows, sniffed.columns[0].name.as_str()), (2, "6"));
    assert!(has_warning(&sniffed, "header=absent"));
    let absent = ReadOptions { header: Some(Header::Absent), ..ReadOptions::default() };
    let profile = read_with(text, &absent).unwrap();
    let names = [("column_1", Dtype::Number), ("column_2", Dtype::Number), ("column_3", Dtype::Boolean)];
    assert_eq!((profile.rows, profile.format.header, columns(&profile)), (3, Header::Absent, names.to_vec()));
    assert_eq!(cells(text, &absent)[0], ["6", "148", "yes"]);
    assert!(profile.warnings.is_empty());
}

#[test]
fn titles_and_comments_are_skipped() {
    for text in ["# source: me\nx,y\n1,a\n2,b\n", "Report 2024\n\nx,y\n1,a\n2,b\n", "Report 2024,\nx,y\n1,a\n2,b\n"] {
        let profile = read(text).unwrap();
        assert_eq!(columns(&profile), [("x", Dtype::Number), ("y", Dtype::Category)], "{text:?}");
        assert!(
            profile.format.skipped_lines > 0 && has_warning(&profile, "before the header were skipped"),
            "{text:?}"
        );
        assert_eq!(cells(text, &ReadOptions::default()), [["1", "a"], ["2", "b"]]);
    }
}

#[test]
fn short_rows_are_filled_and_blank_lines_skipped() {
    let profile = read("x,y,note\n1,a,ok\n2,b\n\n3\n").unwrap();
    assert_eq!((profile.rows, profile.columns[2].missing), (3, 2));
    assert!(has_warning(
        &profile,
        "2 rows with fewer fields than the header; the missing cells have no value; the first such row is 2"
    ));
    assert_eq!(cells("x,y,note\n1,a,ok\n2,b\n", &ReadOptions::default())[1], ["2", "b", ""]);
}

#[test]
fn settings_that_do_not_match_the_file_are_refused() {
    let options = ReadOptions { types: [("zipp".to_owned(), Dtype::Category)].into(), ..ReadOptions::default() };
    let message = read_with("zip,y\n1,2\n", &options).unwrap_err().message;
    assert_eq!(message, "names the column 'zipp', but the columns are 'zip', 'y'");
}

#[test]
fn duplicate_rows_are_counted() {
    let profile = read("a,b\n1,2\n1,2\n3,4\n1,2\n").unwrap();
    assert_eq!(profile.duplicate_rows, 2);
    assert!(has_warning(&profile, "2 rows repeat an earlier row"));
    assert_eq!(read("a,b\n1,2\n3,4\n").unwrap().duplicate_rows, 0);
}

#[test]
fn a_target_and_a_task_are_suggested() {
    use trainyard_domain::TaskKind::{Classification, Regression};
    let suggested = |text: &str| {
        let profile = read(text).unwrap();
        profile.suggested_target.zip(profile.suggested_task)
    };
    let rows: String = (0..40).map(|i| format!("{i},{}.5,{},t{i}\n", i * 7 % 40, i % 2)).collect();
    assert_eq!(suggested(&format!("id,price,sold,note\n{rows}")), Some(("sold".into(), Classification)));
    assert_eq!(suggested(&format!("id,y,sold,note\n{rows}")), Some(("y".into(), Regression)));
    assert_eq!(suggested(&format!("id,Target,sold,note\n{rows}")), Some(("Target".into(), Regression)));
    assert_eq!(suggested("a\nx\n"), None);
    assert_eq!(read(super::TITANIC).unwrap().suggested_target.as_deref(), Some("survived"));
}

#[test]
fn rows_longer_than_a_batch_are_read() {
    let row = vec!["x".repeat(50_000); 20].join(",");
    let names: Vec<String> = (0..20).map(|at| format!("c{at}")).collect();
    let text = format!("{}\n{row}\n{row}\n{row}\n", names.join(","));
    let profile = read(&text).unwrap();
    assert_eq!((profile.rows, profile.columns.len(), profile.duplicate_rows), (3, 20, 2));
    let limits = crate::Limits { max_row_bytes: 600_000, ..crate::Limits::default() };
    let message = crate::profile(text.as_bytes(), &ReadOptions::default(), &limits).unwrap_err().message;
    assert_eq!(message, "row 1: the row has more than 600000 bytes");
}

#[test]
fn signs_of_other_encodings_keep_their_meaning() {
    let rows: Vec<u8> =
        (0..40).flat_map(|i| format!("{i},\u{a3}{}\n", i * 3).chars().map(|c| c as u8).collect::<Vec<_>>()).collect();
    let profile = read([b"x,price\n".as_slice(), &rows].concat()).unwrap();
    assert_eq!((profile.format.encoding.as_str(), column(&profile, "price").dtype), ("windows-1252", Dtype::Number));
    let (cyrillic, _, _) =
        encoding_rs::WINDOWS_1251.encode("имя,город\nИван,Москва\nМария,Санкт-Петербург\nОльга,Новосибирск\n");
    let profile = read(&cyrillic).unwrap();
    assert_eq!((profile.format.encoding.as_str(), profile.columns[1].name.as_str()), ("windows-1251", "город"));
}
