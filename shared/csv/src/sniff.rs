//! Decides the delimiter and where the table starts, from the first rows of a file.
//!
//! 1. The first line `sep=;`, which Excel understands, names the delimiter.
//! 2. Otherwise the sample is split with each delimiter, respecting quotes. A delimiter fits if most rows have the same
//!    number of fields, two or more, and the header has as many. The best fit wins; a comma wins a tie. If none fits, the
//!    table has one column and the delimiter is a comma.
//! 3. Lines before the header are skipped only if they cannot be the header: comments with `#`, or a title that has fewer
//!    fields than the table, followed by a row of names above values of another kind.
//! 4. The first row of the table is the header. A warning says so if the row could be data.
//!
//! A setting of the caller replaces the decision.

mod table;

use trainyard_domain::{Delimiter, Header};

use self::table::{Start, Table};
use crate::ReadOptions;

/// What the sample shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sniffed {
    pub(crate) delimiter: Delimiter,
    pub(crate) skipped_lines: u64,
    /// The number of columns if the file has no header.
    pub(crate) width: usize,
    /// Whether the header has one name less than the rows have fields, because the row names have none.
    pub(crate) is_header_short: bool,
    /// Warnings about what was skipped and about the header.
    pub(crate) warnings: Vec<String>,
}

/// Decides how to read the text at the start of a file. `ended` says that the text is the whole file.
pub(crate) fn sniff(sample: &str, ended: bool, options: &ReadOptions) -> Sniffed {
    let (named, after) = separator_line(sample);
    let body = &sample[after..];
    let header = options.header.unwrap_or_default();
    let candidates: Vec<Delimiter> = match options.delimiter.or(named) {
        Some(delimiter) => vec![delimiter],
        None => Delimiter::ALL.to_vec(),
    };
    let mut best: Option<(f64, Table, Start)> = None;
    for delimiter in candidates {
        let table = Table::split(body, delimiter, ended);
        let start = table.start(header);
        let score = table.fit(&start, header);
        if best.as_ref().is_none_or(|(highest, ..)| score > *highest) {
            best = Some((score, table, start));
        }
    }
    // There is at least one candidate.
    let Some((_, table, start)) = best else { unreachable!("no candidate") };
    let mut skipped_lines = lines(&body[..table.row_start(start.row)]);
    let mut warnings = Vec::new();
    if start.row == 0 {
        // Blank lines are skipped anyway.
        skipped_lines = 0;
    } else {
        let first = crate::records::shortened(table.first_line(body));
        warnings.push(format!("{skipped_lines} lines before the header were skipped, from '{first}'"));
    }
    if options.header.is_none() {
        warnings.extend(table.header_warning(start.row));
    }
    Sniffed {
        delimiter: table.delimiter(),
        skipped_lines: skipped_lines + u64::from(after > 0),
        width: table.width(),
        is_header_short: header == Header::Present && table.is_header_short(start.row),
        warnings,
    }
}

/// The delimiter of a first line `sep=;`, and the length of that line.
fn separator_line(sample: &str) -> (Option<Delimiter>, usize) {
    let end = sample.find(['\n', '\r']).unwrap_or(sample.len());
    let line = sample[..end].trim_matches(|c| c == '"' || c == ' ');
    let named = line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &line[4..]);
    let Some(separator) = named.filter(|separator| separator.chars().count() <= 1) else { return (None, 0) };
    let length = if sample[end..].starts_with("\r\n") { 2 } else { 1 };
    let delimiter = Delimiter::ALL.into_iter().find(|delimiter| separator.as_bytes() == [delimiter.byte()]);
    (delimiter, (end + length).min(sample.len()))
}

fn lines(text: &str) -> u64 {
    let (mut count, mut previous) = (0, 0);
    for byte in text.bytes() {
        count += u64::from(byte == b'\r' || (byte == b'\n' && previous != b'\r'));
        previous = byte;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sample: &str) -> Sniffed {
        sniff(sample, true, &ReadOptions::default())
    }

    #[test]
    fn the_delimiter_is_found() {
        for (sample, delimiter) in [
            ("x;y\n1;a\n2;b\n", Delimiter::Semicolon),
            ("x;y\n1,5;a\n2,5;b\n", Delimiter::Semicolon),
            ("x;y;z\n1,5;2,5;3,5\n4,5;5,5;6,5\n", Delimiter::Semicolon),
            ("x\ty\n1\ta, b\n2\tb\n", Delimiter::Tab),
            ("x|y\n1|a\n2|b\n", Delimiter::Pipe),
            ("x;y\n1;\"a\nb\"\n2;\"c;d\"\n", Delimiter::Semicolon),
            ("a;b\n1;2\n3\n4;5\n6;7\n", Delimiter::Semicolon),
            ("a;b;c\n1;2\n3;4\n5;6;x\n", Delimiter::Semicolon),
            ("a;b\n1;2;\n3;4;\n", Delimiter::Semicolon),
            ("sep=|\nx|y\n1|a\n", Delimiter::Pipe),
        ] {
            assert_eq!(read(sample).delimiter, delimiter, "{sample:?}");
        }
    }

    #[test]
    fn a_comma_table_stays_a_comma_table() {
        for sample in [
            "x,y\n1,a\n2,b\n",
            "id,text\n1,hello; world\n2,a;b;c\n",
            "id,genres\n1,a;b\n2,c;d\n3,e;f\n",
            "text\nhello; world\nfoo; bar\n",
            "text\na;b\nc;d\n",
            "x\n1\n2\n",
            "note\n\"a, b\"\n\"c\nd\"\n",
            "id,path\n1,a|b\n2,c|d\n",
            "x\n",
            "",
            "a,b\n1,2\n3\n",
            "id,\"x;y\"\n1,\"2;3\"\n",
        ] {
            let sniffed = read(sample);
            assert_eq!((sniffed.delimiter, sniffed.skipped_lines), (Delimiter::Comma, 0), "{sample:?}");
        }
    }

    #[test]
    fn lines_before_the_header_are_skipped() {
        for (sample, skipped) in [
            ("sep=;\nx;y\n1;a\n", 1),
            ("\"sep=,\"\r\nx,y\r\n1,a\r\n", 1),
            ("# made by hand\n# in 2024\nx,y\n1,a\n2,b\n", 2),
            ("#,with,commas\n#\nx,y\n1,a\n2,b\n", 2),
            ("# one\nx\n1\n2\n", 1),
            ("Sales report\nx,y\n1,a\n2,b\n", 1),
            ("Sales report\n\nx,y,z\n1,a,b\n2,b,b\n", 2),
            ("Sales report,,\nx,y,z\n1,a,b\n2,b,b\n", 1),
            ("Bericht 2024\nx;y\n1,5;a\n2,5;b\n", 1),
            ("Title\nSource: me, 2024\n\nid,name,age\n1,Ann,30\n2,Bob,40\n", 3),
            ("#id,name\n1,a\n2,b\n", 0),
            ("#CHROM\tPOS\n1\t5\n2\t6\n", 0),
            ("#x\n1\n2\n", 0),
            ("x,\n1,\n2,\n", 0),
            ("\n\nx,y\n1,a\n", 0),
            ("name,city\nAnn,Rome\n", 0),
        ] {
            assert_eq!(read(sample).skipped_lines, skipped, "{sample:?}");
        }
    }

    #[test]
    fn a_first_row_that_could_be_data_causes_a_warning() {
        for sample in [
            "6,148,yes\n1,85,no\n8,183,yes\n",
            "Alice,30\nBob,40\n",
            "5.1,3.5,setosa\n4.9,3.0,virginica\n",
            "yes,no\nno,yes\nyes,no\n",
            "male,22,yes\nfemale,38,no\nmale,40,no\n",
            "2024-01-01,5.1\n2024-01-02,6.2\n",
        ] {
            assert!(read(sample).warnings.iter().any(|warning| warning.contains("header=absent")), "{sample:?}");
        }
        for sample in [
            "x,y\n1,a\n",
            "country,2019,2020\nDE,1,2\n",
            "0,1,2\n5,6,7\n",
            "name,city\nAnn,Rome\n",
            "a,b\n",
            "id,1st\n1,2\n",
        ] {
            assert_eq!(read(sample).warnings, Vec::<String>::new(), "{sample:?}");
        }
    }

    #[test]
    fn a_header_without_a_name_for_the_row_names_is_found() {
        assert!(read("x,y\na,1,2\nb,3,4\n").is_header_short);
        assert!(read("x y,z\nr1,1,2\nr2,3,4\n").is_header_short);
        for sample in ["x,y\n1,2,\n3,4,\n", "x,y\n1,2\n1,2\n", "x,y\n1,2,3\n4,5\n", "x,y\na,1,2\na,3,4\n"] {
            assert!(!read(sample).is_header_short, "{sample:?}");
        }
    }

    #[test]
    fn a_setting_wins() {
        let options = ReadOptions { delimiter: Some(Delimiter::Comma), ..ReadOptions::default() };
        assert_eq!(sniff("x;y\n1;a\n", true, &options).delimiter, Delimiter::Comma);
        let options = ReadOptions { header: Some(Header::Absent), ..ReadOptions::default() };
        let sniffed = sniff("6,148,yes\n1,85,no\n", true, &options);
        assert_eq!((sniffed.width, sniffed.warnings), (3, vec![]));
    }
}
