//! Tests of preprocessing.

use super::*;
use crate::frame::TargetOptions;
use crate::model::{ColumnEncoder, Input, RawRow, Status};
use crate::train::tests::schema;

const CSV: &str = "\
n,b,c,y
1,true,x,0
3,false,x,0
,false,z,1
5,false,x,0
100,true,y,1
9,false,,1
";

fn frame(csv: &str, features: &[&str]) -> Frame {
    let features: Vec<String> = features.iter().map(|feature| (*feature).to_owned()).collect();
    let target = TargetOptions { name: "y", task: None, positive: None };
    Frame::read(csv.as_bytes(), &schema(csv), &features, &target).unwrap()
}

fn fitted(frame: &mut Frame, training: &[usize], family: ModelFamily) -> Vec<Feature> {
    fit(frame, training, &[], family, 1).unwrap().features
}

#[test]
fn only_training_rows_are_used() {
    let mut frame = frame(CSV, &["n", "b", "c"]);
    let features = fitted(&mut frame, &[0, 1, 2, 3], ModelFamily::Tree);
    let FeatureKind::Number { median, min, max, scaling } = features[0].kind else { panic!("a number") };
    assert_eq!((median, min, max, features[0].missing_in_training), (3.0, 1.0, 5.0, 1));
    assert_eq!(features[1].kind, FeatureKind::Boolean { mode: false });
    let FeatureKind::Category { categories, mode, .. } = &features[2].kind else { panic!("a category") };
    assert_eq!((categories.to_vec(), *mode), (vec!["x".to_owned(), "z".to_owned()], 0));
    let held_out = Part::new(&frame, &features, &[4, 5]).unwrap();
    assert_eq!(held_out.raw[0], [scaling.apply(100.0), scaling.apply(9.0)]);
    assert!(held_out.raw[2].iter().all(|code| code.is_nan()));
    assert_eq!((held_out.is_unseen(2, 0), held_out.is_unseen(2, 1)), (true, false));
}

#[test]
fn categories_are_ordered_by_the_share_of_positives() {
    let mut csv = "c,y\n".to_owned();
    for (category, rows, positives) in [("often", 10, 9), ("never", 10, 0), ("half", 10, 5), ("once", 1, 1)] {
        for row in 0..rows {
            csv += &format!("{category},{}\n", u8::from(row < positives));
        }
    }
    let mut frame = frame(&csv, &["c"]);
    let features = fitted(&mut frame, &(0..31).collect::<Vec<_>>(), ModelFamily::Tree);
    let FeatureKind::Category { categories, orders, .. } = &features[0].kind else { panic!("a category") };
    assert_eq!(categories.to_vec(), ["half", "never", "often", "once"]);
    // The share of a category with one row is shrunk towards the overall share, 15 of 31.
    assert_eq!((orders[0].ranks.as_slice(), orders[0].missing), (&[Some(1), Some(0), Some(3), Some(2)][..], None));
}

#[test]
fn an_order_of_a_forest_does_not_depend_on_its_fold() {
    let csv = |flipped: &[usize]| {
        (0..400).fold("c,y\n".to_owned(), |csv, row| {
            let positive = (row * 31 % 100 < row % 40 * 2) ^ flipped.contains(&row);
            format!("{csv}c{},{}\n", row % 40, u8::from(positive))
        })
    };
    let rows: Vec<usize> = (0..400).collect();
    let orders = |csv: &str| {
        let mut fitted = fit(&mut frame(csv, &["c"]), &rows, &[], ModelFamily::Forest, 7).unwrap();
        let FeatureKind::Category { orders, .. } = fitted.features.remove(0).kind else { panic!("a category") };
        (orders, fitted.folds)
    };
    let (before, folds) = orders(&csv(&[]));
    assert_eq!(before.len(), FOLDS);
    let of_fold: Vec<usize> = rows.iter().copied().filter(|row| folds[*row] == 2).collect();
    let (after, _) = orders(&csv(&of_fold));
    assert_eq!(before[2], after[2]);
    assert!(before[1] != after[1]);
}

#[test]
fn missing_values_have_a_rank_and_unseen_categories_have_none() {
    let csv = (0..90).fold("c,y\n".to_owned(), |csv, row| {
        let (category, positive) = [("a", row % 9 < 3), ("b", true), ("", row % 9 < 6)][row % 3];
        format!("{csv}{category},{}\n", u8::from(positive))
    });
    let csv = csv + "once,1\n";
    let rows: Vec<usize> = (0..91).collect();
    for family in [ModelFamily::Tree, ModelFamily::Forest] {
        let fitted = fit(&mut frame(&csv, &["c"]), &rows, &[], family, 1).unwrap();
        let kind = &fitted.features[0].kind;
        let encode = |input| {
            let mut row = RawRow::new(kind.width());
            kind.encode(input, &mut row.raw, &mut row.unseen);
            (row.raw.clone(), kind.status(&row.raw, &row.unseen))
        };
        let [(missing, is_missing), (unseen, is_unseen), (once, is_present)] =
            [Input::Missing, Input::Unseen, Input::Code(2)].map(encode);
        assert!(missing.iter().all(|raw| !raw.is_nan()) && unseen.iter().all(|raw| raw.is_nan()));
        assert_eq!([is_missing, is_unseen, is_present], [Status::Missing, Status::Unseen, Status::Present]);
        // The order of a forest that is fitted without its row does not know a category.
        let without = if family == ModelFamily::Forest { 1 } else { 0 };
        assert_eq!(once.iter().filter(|raw| raw.is_nan()).count(), without);
    }
}

#[test]
fn rare_categories_are_grouped() {
    let csv = (0..2_600).fold("c,n,y\n".to_owned(), |csv, row| {
        let name = if row < 1_300 { row } else { row % 100 };
        format!("{csv}c{name},{row},{}\n", ["a", "b"][row % 2])
    });
    let mut schema = schema(&csv);
    schema.columns[0].dtype = trainyard_domain::Dtype::Category;
    let target = TargetOptions { name: "y", task: None, positive: None };
    let mut frame = Frame::read(csv.as_bytes(), &schema, &["c".into(), "n".into()], &target).unwrap();
    let rows: Vec<usize> = (0..2_600).collect();
    for family in [ModelFamily::Tree, ModelFamily::Dense] {
        let fitted = fit(&mut frame, &rows, &[], family, 1).unwrap();
        assert_eq!(
            fitted.warnings,
            ["'c' has more than 1000 categories: the 999 most frequent are used, and the others are grouped"]
        );
        let kind = &fitted.features[0].kind;
        assert_eq!(kind.codes(), 1_000);
        let FeatureKind::Category { categories, .. } = kind else { panic!("a category") };
        assert!((0..100).all(|name| categories.code(&format!("c{name}")).is_some()), "frequent categories are kept");
        let mut row = RawRow::new(kind.width());
        kind.encode(Input::Unseen, &mut row.raw, &mut row.unseen);
        let FeatureKind::Category { orders, .. } = kind else { panic!("a category") };
        let rank = orders.first().map_or(999.0, |order| order.ranks[999].unwrap() as f32);
        assert_eq!(row.raw, [rank], "an unknown category belongs to the group");
    }
}

#[test]
fn the_design_matrix_is_standardised_and_imputed() {
    let mut frame = frame(CSV, &["n", "b", "c"]);
    let training: Vec<usize> = (0..6).collect();
    let features = fitted(&mut frame, &training, ModelFamily::Dense);
    let part = Part::new(&frame, &features, &training).unwrap();
    let design_matrix = design_matrix(&features, &part, false).unwrap();
    assert_eq!(design_matrix.matrix.dim(), (6, 2 + 1 + 3));
    let numbers = design_matrix.matrix.column(0);
    assert!(numbers.sum().abs() < 1e-9 && (numbers.dot(&numbers) / 6.0 - 1.0).abs() < 1e-9);
    assert_eq!(design_matrix.matrix.column(1).to_vec(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    // The last row has no category, so the most frequent category replaces it.
    assert_eq!(design_matrix.matrix.row(5).to_vec()[3..], design_matrix.matrix.row(0).to_vec()[3..]);
    // The median is the centre of the raw values.
    assert!(matches!(design_matrix.encoder.columns[0], ColumnEncoder::Scaled { impute: 0.0, .. }));
}

#[test]
fn columns_without_training_values_are_dropped() {
    let mut frame = frame("n,b,c,y\n,true,x,1\n,false,x,0\n1,false,x,0\n", &["n", "b", "c"]);
    let fitted = fit(&mut frame, &[0, 1], &[], ModelFamily::Tree, 1).unwrap();
    assert_eq!((fitted.dropped.as_slice(), fitted.features.len(), frame.columns.len()), (&["n".to_owned()][..], 2, 2));
    assert_eq!(fitted.warnings, ["'n' has no values in the training rows and was dropped"]);
}

#[test]
fn a_table_without_any_value_is_refused() {
    let mut frame = frame("n,y\n,1\n,0\n1,0\n", &["n"]);
    let error = fit(&mut frame, &[0, 1], &[], ModelFamily::Tree, 1).unwrap_err();
    assert!(error.to_string().contains("no feature has a value"), "{error}");
}
