//! Tables are read by their schema.

use serde_json::json;
use trainyard_domain::table::TaskKind;

use super::*;
use crate::train::tests::schema;

const CSV: &str = "age,sex,vip,y\n30,female,true,1\n,male,false,0\n41.5,,NA,1\n7,male,false,\n7,male,true,0\n";

fn options(task: Option<TaskKind>) -> TargetOptions<'static> {
    TargetOptions { name: "y", task, positive: None }
}

fn read(csv: &str, features: &[&str], options: &TargetOptions<'_>) -> Result<Frame, TrainError> {
    let features: Vec<String> = features.iter().map(|feature| (*feature).to_owned()).collect();
    Frame::read(csv.as_bytes(), &schema(csv), &features, options)
}

#[test]
fn columns_are_typed_and_rows_without_a_target_are_skipped() {
    let frame = read(CSV, &["vip", "age", "sex"], &options(None)).unwrap();
    assert_eq!(
        (frame.rows, frame.warnings.as_slice()),
        (4, &["1 rows have no value for 'y' and were skipped".into()][..])
    );
    assert_eq!(frame.columns[0].values, Column::Boolean(vec![Some(true), Some(false), None, Some(true)]));
    let Column::Number(ages) = &frame.columns[1].values else { panic!("ages are numbers") };
    assert!(ages[0] == 30.0 && ages[1].is_nan() && ages[2] == 41.5);
    let Column::Category { names, codes } = &frame.columns[2].values else { panic!("sexes are categories") };
    assert_eq!(
        (names.as_slice(), codes.as_slice()),
        (&["female".into(), "male".into()][..], &[0, 1, Column::MISSING, 1][..])
    );
    let Target::Classes { task, classes } = frame.target else { panic!("0 and 1 are classes") };
    assert_eq!((task.labels(), classes), (vec!["0", "1"], vec![1, 0, 1, 0]));
}

#[test]
fn zero_and_one_are_numbers_and_yes_and_no_are_categories() {
    let frame = read("n,b,y\n0,Yes,a\n1,no,b\n1,NO,a\n0,yes,b\n", &["n", "b"], &options(None)).unwrap();
    assert_eq!(frame.columns[0].values, Column::Number(vec![0.0, 1.0, 1.0, 0.0]));
    let Column::Category { names, codes } = &frame.columns[1].values else { panic!("a category") };
    assert_eq!((names.as_slice(), codes.as_slice()), (&["yes".into(), "no".into()][..], &[0, 1, 1, 0][..]));
}

#[test]
fn a_target_with_more_than_twenty_numbers_is_a_regression_by_default() {
    let csv = |distinct: u32| (0..100).fold("x,y\n".to_owned(), |csv, row| format!("{csv}{row},{}\n", row % distinct));
    let target = |distinct, task| read(&csv(distinct), &["x"], &options(task)).unwrap().target;
    assert!(matches!(target(21, None), Target::Numbers(_)));
    assert!(matches!(target(20, None), Target::Classes { .. }));
    assert!(matches!(target(20, Some(TaskKind::Regression)), Target::Numbers(_)));
    assert!(matches!(target(21, Some(TaskKind::Classification)), Target::Classes { .. }));
}

#[test]
fn spellings_of_a_number_are_one_category_and_codes_are_not() {
    let csv = "x,y\n1.50,a\n2.0,b\n2.00,a\nXL,b\n007,a\n7,b\n";
    let mut schema = schema(csv);
    schema.columns[0].dtype = trainyard_domain::Dtype::Category;
    let frame = Frame::read(csv.as_bytes(), &schema, &["x".into()], &options(None)).unwrap();
    let Column::Category { names, codes } = &frame.columns[0].values else { panic!("a category") };
    assert_eq!(names, &["1.50", "2.0", "XL", "007", "7"]);
    assert_eq!(codes, &[0, 1, 1, 2, 3, 4]);
}

#[test]
fn texts_that_do_not_fit_the_type_count_as_missing_with_a_warning() {
    let csv = "x,y\n1,a\nmany,b\n3,a\nfew,b\n";
    let mut schema = schema(csv);
    schema.columns[0].dtype = trainyard_domain::Dtype::Number;
    let frame = Frame::read(csv.as_bytes(), &schema, &["x".into()], &options(None)).unwrap();
    assert_eq!(
        frame.warnings,
        ["'x' has 2 values that are not numbers, the first is 'many' in row 2; they count as missing"]
    );
}

#[test]
fn errors_name_the_reason_why_a_table_is_unusable() {
    let message = |csv, features: &[&str], options: &TargetOptions<'_>| match read(csv, features, options) {
        Err(TrainError::Failed { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    let plain = options(None);
    assert!(message("x,y\n1,5\n2,5\n", &["x"], &plain).contains("only one distinct value"));
    assert!(message("x,y\n1,\n2,NA\n", &["x"], &plain).contains("has no values"));
    assert!(message("x,y\n1,1\n", &["z"], &plain).contains("no column 'z'"));
    assert!(message("x,y\n1,a\n2,b\n3,c\n", &["x"], &plain).contains("no class of 'y' has two rows"));
    let words = "x,y\n1,a\n2,b\n3,a\n";
    assert!(message(words, &["x"], &options(Some(TaskKind::Regression))).contains("needs numbers"));
    let unknown = TargetOptions { positive: Some(&json!("c")), ..plain };
    assert!(message(words, &["x"], &unknown).contains("\"c\" is not one of the classes"));
}
