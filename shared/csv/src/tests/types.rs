//! The types of columns whose texts are not plain.

use trainyard_domain::{ColumnProfile, DateOrder, Dtype};

use super::{column, read_with};
use crate::cell::{Cell, Reader};
use crate::{Limits, Profile, ReadOptions, profile};

fn file(values: &[&str]) -> String {
    values.iter().fold("k,c\n".to_owned(), |file, value| format!("{file}1,\"{value}\"\n"))
}

fn types(dtype: Dtype) -> ReadOptions {
    ReadOptions { types: [("c".to_owned(), dtype)].into(), ..ReadOptions::default() }
}

/// The profile of a column, which must not depend on the limit of distinct values.
fn typed_with(values: &[&str], options: &ReadOptions) -> ColumnProfile {
    let exact = column(&read_with(file(values), options).unwrap(), "c").clone();
    let limits = Limits { max_distinct: 1, ..Limits::default() };
    let bounded = column(&profile(file(values).as_bytes(), options, &limits).unwrap(), "c").clone();
    if exact.distinct > 1 && exact.dtype != Dtype::Text {
        let facts =
            |column: &ColumnProfile| (column.dtype, column.reading.clone(), column.missing, column.min, column.max);
        assert_eq!(facts(&bounded), facts(&exact), "{values:?}");
        if exact.dtype != Dtype::Category {
            assert_eq!(bounded.values_digest, exact.values_digest, "{values:?}");
        }
    }
    exact
}

fn typed(values: &[&str]) -> ColumnProfile {
    typed_with(values, &ReadOptions::default())
}

fn has_warning(column: &ColumnProfile, part: &str) -> bool {
    column.warnings.iter().any(|warning| warning.contains(part))
}

#[test]
fn numbers_in_every_style() {
    for (values, min, max) in [
        (&["$20,000", "$21,007"][..], 20_000.0, 21_007.0),
        (&["€ 5", "€ 1,250.75"], 5.0, 1_250.75),
        (&["1.234,50 €", "20,00 €"], 20.0, 1_234.5),
        (&["(1,234)", "50"], -1_234.0, 50.0),
        (&["12.5%", "7 %"], 7.0, 12.5),
        (&["100,000", "101,001"], 100_000.0, 101_001.0),
        (&["1,234,567", "9"], 9.0, 1_234_567.0),
        (&["1 234", "12 345"], 1_234.0, 12_345.0),
        (&["1'234.5", "7"], 7.0, 1_234.5),
        (&["12 kg", "7 kg"], 7.0, 12.0),
        (&["1 year", "7 years"], 1.0, 7.0),
        (&["3.5GHz", "2GHz"], 2.0, 3.5),
        (&["USD 5", "USD 6"], 5.0, 6.0),
        (&["−5", "5"], -5.0, 5.0),
    ] {
        let column = typed(values);
        assert_eq!((column.dtype, column.min, column.max), (Dtype::Number, Some(min), Some(max)), "{values:?}");
        assert!(has_warning(&column, "was read as numbers without"), "{values:?} {:?}", column.warnings);
    }
    for values in [&["1.5", "-2"][..], &["1e-5", "2.5"], &["1e+05", "7"], &[".5", "+3"]] {
        let column = typed(values);
        assert!(column.dtype == Dtype::Number && column.warnings.is_empty(), "{values:?} {:?}", column.warnings);
    }
    for values in [&["$5", "€5"][..], &["12 kg", "13"], &["5 m", "6 km"], &["7X", "8X"], &["1-2", "3-4"]] {
        assert_eq!(typed(values).dtype, Dtype::Category, "{values:?}");
    }
}

#[test]
fn codes_stay_as_they_are_written() {
    for values in [
        &["001", "007", "010", "001"][..],
        &["1E3", "1000", "7X"],
        &["1E3", "1000", "5"],
        &["9007199254740992", "9007199254740993", "9007199254740996"],
        &["1.50", "2.00", "XL"],
        &["02134", "90210", "-"],
    ] {
        let column = typed(values);
        assert_eq!(
            (column.dtype, column.distinct),
            (Dtype::Category, values.iter().collect::<std::collections::HashSet<_>>().len() as u64),
            "{values:?}"
        );
        let top = column.top.unwrap();
        assert!(values.iter().all(|value| top.iter().any(|(text, _)| text == value)), "{top:?}");
    }
    assert!(has_warning(&typed(&["02134", "90210"]), "leading zeros; set types=c:number"));
    assert!(has_warning(&typed(&["12345678901234567890", "5"]), "too large"));
    assert_eq!(typed(&["0.5", "0", "10"]).dtype, Dtype::Number);
}

#[test]
fn missing_markers_depend_on_the_other_values() {
    for marker in ["-", ".", "--", "None", "#N/A", "NA", "n/a", "NULL", "<NA>", "?"] {
        let column = typed(&["27", marker, "34", "41"]);
        assert_eq!((column.dtype, column.missing), (Dtype::Number, 1), "{marker}");
        let column = typed(&["true", marker, "false"]);
        assert_eq!((column.dtype, column.missing), (Dtype::Boolean, 1), "{marker}");
        let column = typed(&["2024-01-01", marker, "2024-01-02"]);
        assert_eq!((column.dtype, column.missing), (Dtype::Datetime, 1), "{marker}");
    }
    for kept in ["-", ".", "None"] {
        assert_eq!(typed(&["EU", kept, "AS"]).missing, 0, "{kept}");
    }
    let continents = typed(&["EU", "NA", "AS", "NA"]);
    assert_eq!((continents.missing, continents.distinct, continents.reading.keeps_na), (0, 3, true));
    assert!(has_warning(&continents, "2 cells with the text 'NA', which is kept as a value; set missing=NA"));
    let named = ReadOptions { missing: vec!["NA".into(), "unknown".into(), "-999".into()], ..ReadOptions::default() };
    assert_eq!(typed_with(&["EU", "NA", "AS", "unknown"], &named).missing, 2);
    let numbers = typed_with(&["5", "-999", "7", "-999.0", "unknown"], &named);
    assert_eq!((numbers.dtype, numbers.missing, numbers.min), (Dtype::Number, 3, Some(5.0)));
    assert_eq!(typed(&["02134", "NA", "90210"]).missing, 1);
    let void = typed(&["", "NA", "?"]);
    assert_eq!((void.dtype, void.distinct, void.missing), (Dtype::Text, 0, 3));
    assert_eq!(void.warnings, ["'c' has no values"]);
}

#[test]
fn one_stray_text_does_not_change_the_type_of_many_numbers() {
    let numbers: Vec<String> = (0..199).map(|i| format!("{i}.5")).collect();
    let mut values: Vec<&str> = numbers.iter().map(String::as_str).collect();
    values.insert(120, "broken");
    let column = typed(&values);
    assert_eq!((column.dtype, column.missing, column.distinct), (Dtype::Number, 1, 199));
    assert!(
        has_warning(&column, "1 cell of another type than numbers, the first is 'broken' in row 121"),
        "{:?}",
        column.warnings
    );
    values.push("x");
    values.push("y");
    assert_eq!(typed(&values).dtype, Dtype::Text);
}

#[test]
fn invisible_characters_around_a_value_do_not_count() {
    let table = super::read("\u{feff}\u{feff}n,c\n5,a\n\u{a0}6 ,\u{200b}b\n7,c\x1a\n\x1a").unwrap();
    let [n, c] = &table.columns[..] else { panic!("two columns") };
    assert_eq!((table.rows, n.name.as_str(), n.dtype, n.max, c.distinct), (3, "n", Dtype::Number, Some(7.0), 3));
}

#[test]
fn the_reading_covers_the_types_that_a_job_can_choose() {
    let money = typed_with(&["$1,234", "$5"], &types(Dtype::Category));
    let schema = trainyard_domain::ColumnSchema { dtype: Dtype::Number, ..money.schema() };
    let table = super::read("a\n1\n").unwrap();
    assert_eq!(Reader::new(&table.format, &schema).read("$1,234"), Cell::Number(1_234.0));
}

#[test]
fn infinity_is_missing() {
    for infinite in ["inf", "-Infinity", "∞"] {
        let column = typed(&["0.0", "1.5", infinite, "3.0"]);
        assert_eq!((column.dtype, column.missing, column.max), (Dtype::Number, 1, Some(3.0)));
        assert!(has_warning(&column, "infinite"));
    }
}

#[test]
fn dates_have_one_order_per_column() {
    for (values, order, first) in [
        (&["2024-01-31", "2024-02-01"][..], DateOrder::YearFirst, 1_706_659_200.0),
        (&["2024-01-31T00:00:00Z", "2024-02-01 10:00"], DateOrder::YearFirst, 1_706_659_200.0),
        (&["31/01/2024", "01/02/2024"], DateOrder::DayFirst, 1_706_659_200.0),
        (&["01/31/2024", "02/01/2024"], DateOrder::MonthFirst, 1_706_659_200.0),
        (&["31.1.2024", "1.2.2024"], DateOrder::DayFirst, 1_706_659_200.0),
        (&["31 Jan 2024", "1 Feb 2024"], DateOrder::YearFirst, 1_706_659_200.0),
        (&["Jan 31, 2024", "Feb 1, 2024"], DateOrder::YearFirst, 1_706_659_200.0),
        (&["1/31/24 12:00 AM", "2/1/24 1:30 PM"], DateOrder::MonthFirst, 1_706_659_200.0),
    ] {
        let column = typed(values);
        assert_eq!(
            (column.dtype, column.reading.date, column.min),
            (Dtype::Datetime, Some(order), Some(first)),
            "{values:?}"
        );
        assert!(
            column.histogram.is_some() && column.top.is_none() && column.warnings.is_empty(),
            "{:?}",
            column.warnings
        );
    }
    let unclear = typed(&["01/02/2024", "03/04/2024"]);
    assert_eq!(unclear.reading.date, Some(DateOrder::MonthFirst));
    assert!(has_warning(&unclear, "read with the month first"));
    assert_eq!(typed(&["01.02.2024", "03.04.2024"]).reading.date, Some(DateOrder::DayFirst));
    for numbers in [&["20240131", "20240201"][..], &["1700000000", "1700000100"], &["1700000000000", "1700000100000"]] {
        assert_eq!(typed(numbers).dtype, Dtype::Number);
        assert_eq!(typed_with(numbers, &types(Dtype::Datetime)).dtype, Dtype::Datetime);
    }
}

#[test]
fn few_categories_in_few_rows_are_a_category() {
    let values: Vec<String> = (0..40).map(|i| format!("s{:02}", i % 22)).collect();
    let column = typed(&values.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((column.dtype, column.distinct, column.top.unwrap().len()), (Dtype::Category, 22, 5));
}

#[test]
fn many_categories_that_repeat_are_a_category() {
    let read = |rows: usize, distinct: usize| {
        let rows: String = (0..rows).map(|i| format!("1,c{}\n", i * 7_919 % distinct)).collect();
        column(&super::read(format!("k,c\n{rows}")).unwrap(), "c").dtype
    };
    assert_eq!(read(30_000, 2_000), Dtype::Category);
    assert_eq!(read(10_000, 2_000), Dtype::Text);
    assert_eq!(read(400_000, 15_000), Dtype::Category);
    assert_eq!(read(30_000, 15_000), Dtype::Text);
}

#[test]
fn texts_are_trimmed_and_normalized() {
    let column = typed(&["caf\u{e9}", " cafe\u{301} ", "x"]);
    assert_eq!((column.distinct, column.top.unwrap()[0].clone()), (2, ("caf\u{e9}".to_owned(), 2)));
}

#[test]
fn the_type_of_the_caller_wins() {
    let zip = typed_with(&["1234", "5678", "1234"], &types(Dtype::Category));
    assert_eq!((zip.dtype, zip.top.unwrap()[0].0.as_str()), (Dtype::Category, "1234"));
    let forced = typed_with(&["1", "2", "many"], &types(Dtype::Number));
    assert_eq!((forced.dtype, forced.missing), (Dtype::Number, 1));
    assert!(has_warning(&forced, "'many' in row 3"));
    assert_eq!(typed_with(&["007", "010"], &types(Dtype::Number)).min, Some(7.0));
    assert_eq!(typed_with(&["yes", "no", "maybe"], &types(Dtype::Boolean)).missing, 1);
    assert_eq!(typed_with(&["2024-01-01", "soon"], &types(Dtype::Datetime)).missing, 1);
    assert_eq!(typed_with(&["1", "2"], &types(Dtype::Text)).dtype, Dtype::Text);
}

#[test]
fn equal_columns_have_equal_digests_in_every_style() {
    let text = "plain,money,comma,other,date,iso\n1234.5,\"$1,234.50\",\"1.234,50\",1,31/01/2024,2024-01-31\n7,$7,\"7,00\",2,01/02/2024,2024-02-01 00:00\n";
    let table: Profile = super::read(text).unwrap();
    let digest = |name: &str| column(&table, name).values_digest.clone();
    assert!(
        digest("plain") == digest("money") && digest("plain") == digest("comma") && digest("date") == digest("iso")
    );
    assert_ne!(digest("plain"), digest("other"));
}

#[test]
fn a_reader_gives_the_values_of_the_profile() {
    let text = "n,d,b,c\n\"$1,234\",31/12/2024,yes,NA\n-,-,-,-\n$5,01/02/2024,no,caf\u{e9}\n";
    let table = super::read(text).unwrap();
    let reader = |at: usize| Reader::new(&table.format, &table.columns[at].schema());
    assert_eq!(reader(0).read(" $1,234 "), Cell::Number(1_234.0));
    assert_eq!(
        (reader(0).read("-"), reader(0).read("NA"), reader(0).read("")),
        (Cell::Missing, Cell::Missing, Cell::Missing)
    );
    assert_eq!(reader(0).read("abc"), Cell::Text("abc".into()));
    assert_eq!(reader(1).read("01/02/2024"), Cell::Datetime(1_706_745_600.0));
    assert_eq!(reader(1).read("2024-02-01"), Cell::Datetime(1_706_745_600.0));
    assert_eq!((reader(2).read("YES"), reader(2).read("maybe")), (Cell::Boolean(true), Cell::Text("maybe".into())));
    assert_eq!((reader(3).read("NA"), reader(3).read("n/a")), (Cell::Text("NA".into()), Cell::Missing));
    assert_eq!(reader(3).read("cafe\u{301}"), Cell::Text("caf\u{e9}".into()));
}

#[test]
fn a_histogram_has_ten_intervals() {
    let values: Vec<String> = (0..100).map(|i| i.to_string()).collect();
    let column = typed(&values.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(column.histogram, Some(vec![10; 10]));
    assert_eq!(typed(&["a", "b"]).histogram, None);
}
