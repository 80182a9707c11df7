//! Values of requests have the meaning of the training table.

use serde_json::json;
use trainyard_domain::table::CellReading;

use super::*;
use crate::artifact::samples;
use crate::model::{Categories, Input};

fn feature(kind: FeatureKind, boolean: Option<BooleanForm>) -> Feature {
    Feature { reading: CellReading { boolean, ..CellReading::default() }, ..samples::feature("x", kind) }
}

fn category(names: &[&str]) -> FeatureKind {
    let categories = Categories::new(names.iter().map(|name| (*name).to_owned()).collect()).unwrap();
    FeatureKind::Category { categories, mode: 0, grouped: false, orders: vec![], statistics: vec![] }
}

fn read(feature: &Feature, value: &Value) -> Result<Input, Mismatch> {
    let signature = Signature { features: vec![feature.clone()], ..samples::signature(samples::binary()) };
    feature.read(value, &signature.text_readers().0[0])
}

#[test]
fn missing_values_have_many_spellings_in_every_type() {
    for feature in &samples::signature(samples::binary()).features {
        for value in [json!(null), json!(""), json!("NA"), json!(" "), json!("?")] {
            assert_eq!(read(feature, &value).unwrap(), Input::Missing, "{value} for {}", feature.name);
        }
    }
}

#[test]
fn numbers_can_be_texts() {
    let age = &samples::signature(samples::binary()).features[0];
    for (value, expected) in [(json!(29), 29.0), (json!("29"), 29.0), (json!(" 0.5 "), 0.5), (json!("1e3"), 1e3)] {
        assert_eq!(read(age, &value).unwrap(), Input::Number(expected), "{value}");
    }
    assert_eq!(read(age, &json!("old")).unwrap_err().to_string(), "must be a number, not 'old'");
    assert!(read(age, &json!([1])).is_err() && read(age, &json!(true)).is_err());
}

#[test]
fn a_column_of_zero_and_one_is_a_number() {
    let children = feature(samples::signature(samples::binary()).features[0].kind.clone(), Some(BooleanForm::Digit));
    for (value, expected) in [(json!(2), 2.0), (json!("2"), 2.0), (json!(true), 1.0), (json!(0), 0.0)] {
        assert_eq!(read(&children, &value).unwrap(), Input::Number(expected), "{value}");
    }
}

#[test]
fn a_column_of_yes_and_no_is_a_category() {
    let default = feature(category(&["no", "yes"]), Some(BooleanForm::YesNo));
    for (value, expected) in [
        (json!("yes"), Input::Code(1)),
        (json!("YES"), Input::Code(1)),
        (json!(false), Input::Code(0)),
        (json!("unknown"), Input::Unseen),
    ] {
        assert_eq!(read(&default, &value).unwrap(), expected, "{value}");
    }
}

#[test]
fn a_category_is_found_in_every_spelling_of_its_number() {
    let size = feature(category(&["1.50", "2.00", "XL", "True"]), None);
    for (value, code) in [
        (json!(2), 1),
        (json!(2.0), 1),
        (json!("2.00"), 1),
        (json!("2"), 1),
        (json!(1.5), 0),
        (json!(" XL"), 2),
        (json!(true), 3),
    ] {
        assert_eq!(read(&size, &value).unwrap(), Input::Code(code), "{value}");
    }
    for value in [json!(3), json!("xl"), json!(false)] {
        assert_eq!(read(&size, &value).unwrap(), Input::Unseen, "{value}");
    }
}
