//! Tests of preprocessing.

use super::*;
use crate::model::FeatureEncoder;

const CSV: &str = "\
n,b,c,y
1,yes,x,0
3,no,x,0
,no,z,1
5,no,x,0
100,yes,y,1
9,no,,1
";

fn frame(csv: &str) -> Frame {
    let names = ["n", "b", "c"].map(str::to_owned);
    Frame::read(csv.as_bytes(), &names, "y").unwrap()
}

fn fit(frame: &Frame, training: &[usize]) -> Vec<Feature> {
    features(frame, &["n", "b", "c"].map(str::to_owned), training).unwrap()
}

#[test]
fn only_training_rows_are_used() {
    let frame = frame(CSV);
    let features = fit(&frame, &[0, 1, 2, 3]);
    assert_eq!(features[0].kind, FeatureKind::Number { median: 3.0, min: 1.0, max: 5.0 });
    assert_eq!(features[0].missing_in_training, 1);
    assert_eq!(features[1].kind, FeatureKind::Boolean { mode: false });
    let FeatureKind::Category { categories, mode } = &features[2].kind else { panic!("a category") };
    assert_eq!((categories.to_vec(), *mode), (vec!["x".to_owned(), "z".to_owned()], 0));
    let held_out = Part::new(&frame, &features, &[4, 5]).unwrap();
    assert_eq!(held_out.raw[0], [100.0, 9.0]);
    assert!(held_out.raw[2].iter().all(|code| code.is_nan()));
    assert_eq!((held_out.is_unseen(2, 0), held_out.is_unseen(2, 1)), (true, false));
}

#[test]
fn categories_are_ordered_by_the_share_of_positives() {
    let mut csv = "n,b,c,y\n".to_owned();
    for (category, rows, positives) in [("often", 10, 9), ("never", 10, 0), ("half", 10, 5), ("once", 1, 1)] {
        for row in 0..rows {
            csv += &format!("{row},no,{category},{}\n", u8::from(row < positives));
        }
    }
    let frame = frame(&csv);
    let features = fit(&frame, &(0..31).collect::<Vec<_>>());
    let FeatureKind::Category { categories, .. } = &features[2].kind else { panic!("a category") };
    // A category with one row has the overall share, 15 of 31.
    assert_eq!(categories.to_vec(), ["never", "once", "half", "often"]);
}

#[test]
fn the_design_matrix_is_standardised_and_imputed() {
    let frame = frame(CSV);
    let training: Vec<usize> = (0..6).collect();
    let features = fit(&frame, &training);
    let part = Part::new(&frame, &features, &training).unwrap();
    let design_matrix = design_matrix(&features, &part).unwrap();
    assert_eq!(design_matrix.matrix.dim(), (6, 2 + 1 + 3));
    let numbers = design_matrix.matrix.column(0);
    assert!(numbers.sum().abs() < 1e-9 && (numbers.dot(&numbers) / 6.0 - 1.0).abs() < 1e-9);
    assert_eq!(design_matrix.matrix.column(1).to_vec(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    // The last row has no category, so the most frequent category replaces it.
    assert_eq!(design_matrix.matrix.row(5).to_vec()[3..], design_matrix.matrix.row(0).to_vec()[3..]);
    assert!(matches!(design_matrix.encoder.features[0], FeatureEncoder::Scaled { impute: 5.0, .. }));
}

#[test]
fn the_error_names_a_column_without_training_values() {
    let frame = frame("n,b,c,y\n,yes,x,1\n,no,x,0\n1,no,x,0\n");
    let names = ["n", "b", "c"].map(str::to_owned);
    let error = features(&frame, &names, &[0, 1]).unwrap_err();
    assert!(error.to_string().contains("'n' has no values"), "{error}");
}
