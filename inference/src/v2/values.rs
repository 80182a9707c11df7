//! Converts the elements of an input tensor to the values of a feature.

use std::borrow::Cow;

use trainyard_domain::shown;

use super::binary;
use super::contents;
use super::datatype::Datatype;
use super::tensor_data::{Scalar, TensorData};
use crate::proto::InferTensorContents;

/// The elements of a tensor. The caller has compared their number with the shape.
pub(crate) enum Elements<'a> {
    /// From JSON.
    Json(TensorData<'a>),
    /// Binary data of exactly the tensor's size; for BYTES of any size.
    Binary(&'a [u8]),
    /// From the field of the datatype in a gRPC request.
    Contents(InferTensorContents),
}

/// An element that is no value of its datatype.
#[derive(Debug, PartialEq)]
pub(crate) struct BadElement {
    /// Its index in row-major order.
    pub(crate) index: usize,
    /// What is wrong; continues a sentence that begins with the element.
    pub(crate) message: String,
}

/// The numbers of a tensor. JSON null and NaN are NaN, a missing value. Other numbers are finite.
pub(crate) fn numbers(elements: &Elements<'_>, datatype: Datatype) -> Result<Vec<f64>, BadElement> {
    let numbers = match elements {
        Elements::Json(data) => each(&data.values, |scalar| number(scalar, datatype))?,
        Elements::Binary(bytes) => binary::numbers(bytes, datatype),
        Elements::Contents(contents) => contents::numbers(contents, datatype)?,
    };
    match numbers.iter().position(|number| number.is_infinite()) {
        Some(index) => Err(BadElement { index, message: "must be finite, or NaN for a missing value".into() }),
        None => Ok(numbers),
    }
}

/// The booleans of a tensor. JSON null is a missing value.
pub(crate) fn booleans(elements: &Elements<'_>) -> Result<Vec<Option<bool>>, BadElement> {
    match elements {
        Elements::Json(data) => each(&data.values, |scalar| match scalar {
            Scalar::Null => Ok(None),
            Scalar::Boolean(value) => Ok(Some(*value)),
            other => Err(format!("must be true, false or null, not {}", describe(other))),
        }),
        Elements::Binary(bytes) => each(bytes, |byte| match byte {
            0 => Ok(Some(false)),
            1 => Ok(Some(true)),
            other => Err(format!("must be the byte 0 or 1, not {other}")),
        }),
        Elements::Contents(contents) => Ok(contents.bool_contents.iter().map(|value| Some(*value)).collect()),
    }
}

/// The `count` texts of a tensor. JSON null is a missing value.
pub(crate) fn texts<'a>(elements: Elements<'a>, count: usize) -> Result<Vec<Option<Cow<'a, str>>>, BadElement> {
    match elements {
        Elements::Json(data) => {
            let text = |(index, scalar)| match scalar {
                Scalar::Null => Ok(None),
                Scalar::Text(text) => Ok(Some(text)),
                other => {
                    Err(BadElement { index, message: format!("must be a string or null, not {}", describe(&other)) })
                }
            };
            data.values.into_iter().enumerate().map(text).collect()
        }
        Elements::Binary(bytes) => binary::texts(bytes, count),
        Elements::Contents(contents) => contents::texts(contents),
    }
}

pub(super) fn each<S, T>(values: &[S], read: impl Fn(&S) -> Result<T, String>) -> Result<Vec<T>, BadElement> {
    let read = |(index, value)| read(value).map_err(|message| BadElement { index, message });
    values.iter().enumerate().map(read).collect()
}

/// A number in JSON, rounded to its datatype, so that JSON and binary data of one tensor are the same values.
#[allow(clippy::cast_precision_loss, reason = "features are f64, also in other requests")]
pub(super) fn number(scalar: &Scalar<'_>, datatype: Datatype) -> Result<f64, String> {
    let (value, whole) = match scalar {
        Scalar::Null => return Ok(f64::NAN),
        Scalar::Signed(value) => (*value as f64, Some(i128::from(*value))),
        Scalar::Unsigned(value) => (*value as f64, Some(i128::from(*value))),
        #[allow(clippy::cast_possible_truncation, reason = "a number without a fraction; too large ones saturate")]
        Scalar::Float(value) => (*value, (value.fract() == 0.0).then_some(*value as i128)),
        other => return Err(format!("must be a number or null, not {}", describe(other))),
    };
    if let Some(range) = datatype.integers() {
        return match whole {
            Some(whole) if range.contains(&whole) => Ok(value),
            Some(_) => Err(format!("must be from {} to {}, not {value}", range.start(), range.end())),
            None => Err(format!("must be a whole number, not {value}")),
        };
    }
    match datatype {
        #[allow(clippy::cast_possible_truncation, reason = "rounds to the datatype of the tensor")]
        Datatype::Fp32 => match value as f32 {
            narrow if narrow.is_finite() => Ok(narrow.into()),
            _ => Err(format!("must be a number that fits into FP32, not {value}")),
        },
        _ => Ok(value),
    }
}

fn describe(scalar: &Scalar<'_>) -> String {
    match scalar {
        Scalar::Null => "null".into(),
        Scalar::Boolean(value) => value.to_string(),
        Scalar::Signed(value) => value.to_string(),
        Scalar::Unsigned(value) => value.to_string(),
        Scalar::Float(value) => value.to_string(),
        Scalar::Text(text) => format!("'{}'", shown(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Elements<'_> {
        Elements::Json(serde_json::from_str(text).unwrap())
    }

    fn refused(text: &str, datatype: Datatype) -> String {
        let error = match datatype {
            Datatype::Bool => booleans(&json(text)).unwrap_err(),
            Datatype::Bytes => texts(json(text), 1).unwrap_err(),
            number => numbers(&json(text), number).unwrap_err(),
        };
        format!("{} {}", error.index, error.message)
    }

    #[test]
    fn numbers_are_rounded_to_their_datatype_and_null_is_missing() {
        assert_eq!(numbers(&json("[1, 2.0, -3]"), Datatype::Int8).unwrap(), [1.0, 2.0, -3.0]);
        assert_eq!(numbers(&json("[0.1]"), Datatype::Fp64).unwrap(), [0.1]);
        assert_eq!(numbers(&json("[0.1]"), Datatype::Fp32).unwrap(), [f64::from(0.1_f32)]);
        assert!(numbers(&json("[null]"), Datatype::Uint8).unwrap()[0].is_nan());
        assert_eq!(numbers(&json("[18446744073709551615]"), Datatype::Uint64).unwrap(), [u64::MAX as f64]);
    }

    #[test]
    fn elements_of_another_type_are_refused_with_their_index() {
        for (text, datatype, message) in [
            ("[1, 300]", Datatype::Uint8, "1 must be from 0 to 255, not 300"),
            ("[-1]", Datatype::Uint64, "0 must be from 0 to 18446744073709551615, not -1"),
            ("[18446744073709551615]", Datatype::Int64, "0 must be from"),
            ("[0, 0, 1.5]", Datatype::Int32, "2 must be a whole number, not 1.5"),
            ("[1e39]", Datatype::Fp32, "0 must be a number that fits into FP32"),
            ("[\"old\"]", Datatype::Fp64, "0 must be a number or null, not 'old'"),
            ("[true]", Datatype::Fp32, "0 must be a number or null, not true"),
            ("[1]", Datatype::Bool, "0 must be true, false or null, not 1"),
            ("[\"a\", 2]", Datatype::Bytes, "1 must be a string or null, not 2"),
        ] {
            let found = refused(text, datatype);
            assert!(found.starts_with(message), "{text} as {datatype:?}: {found}");
        }
    }

    #[test]
    fn infinite_binary_numbers_are_refused_and_nan_is_missing() {
        let bytes: Vec<u8> = [1.0_f32, f32::NAN, f32::INFINITY].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(numbers(&Elements::Binary(&bytes), Datatype::Fp32).unwrap_err().index, 2);
        let found = numbers(&Elements::Binary(&bytes[..8]), Datatype::Fp32).unwrap();
        assert!(found[0] == 1.0 && found[1].is_nan());
        assert_eq!(booleans(&Elements::Binary(&[0, 1])).unwrap(), [Some(false), Some(true)]);
        assert_eq!(booleans(&Elements::Binary(&[0, 2])).unwrap_err().index, 1);
    }
}
