//! The elements of a tensor in the typed fields of a gRPC request: each datatype has its field.

use std::borrow::Cow;

use trainyard_http::Problem;

use super::datatype::Datatype;
use super::fields::{Fields, varints};
use super::tensor_data::Scalar;
use super::values::{BadElement, each, number};
use crate::proto::InferTensorContents;

/// Field numbers. The fields of booleans and integers have lower numbers.
const FP32_CONTENTS: u32 = 6;
const FP64_CONTENTS: u32 = 7;
const BYTES_CONTENTS: u32 = 8;

/// The number of elements in contents.
pub(super) struct Count {
    /// In the fields of numbers and booleans.
    pub(super) numbers: usize,
    /// In the field `bytes_contents`.
    pub(super) texts: usize,
}

/// Counts the elements of encoded contents. Allocates nothing.
///
/// # Errors
/// If the contents are no valid protobuf.
pub(super) fn count(contents: &[u8]) -> Result<Count, Problem> {
    let mut count = Count { numbers: 0, texts: 0 };
    let mut fields = Fields(contents);
    while let Some((field, packed)) = fields.next_of_any_type()? {
        match (field, packed) {
            (BYTES_CONTENTS, Some(_)) => count.texts += 1,
            (FP32_CONTENTS, Some(packed)) => count.numbers += packed.len() / size_of::<f32>(),
            (FP64_CONTENTS, Some(packed)) => count.numbers += packed.len() / size_of::<f64>(),
            (1..BYTES_CONTENTS, Some(packed)) => count.numbers += varints(packed),
            (1..BYTES_CONTENTS, None) => count.numbers += 1,
            // Unknown fields are skipped.
            _ => {}
        }
    }
    Ok(count)
}

/// Each field with its number of elements.
fn fields(contents: &InferTensorContents) -> [(&'static str, usize); 8] {
    [
        ("bool_contents", contents.bool_contents.len()),
        ("int_contents", contents.int_contents.len()),
        ("int64_contents", contents.int64_contents.len()),
        ("uint_contents", contents.uint_contents.len()),
        ("uint64_contents", contents.uint64_contents.len()),
        ("fp32_contents", contents.fp32_contents.len()),
        ("fp64_contents", contents.fp64_contents.len()),
        ("bytes_contents", contents.bytes_contents.len()),
    ]
}

/// Whether no field has an element.
pub(crate) fn is_empty(contents: &InferTensorContents) -> bool {
    fields(contents).iter().all(|(_, count)| *count == 0)
}

/// Checks that the field of the datatype has `count` elements, and that the others have none. The message continues a sentence
/// that begins with the tensor.
pub(super) fn check(
    contents: &InferTensorContents,
    datatype: Datatype,
    dimensions: &[usize],
    count: usize,
) -> Result<(), String> {
    let name = datatype.name();
    let Some(own) = field(datatype) else {
        return Err(format!("has the datatype {name}, which is possible in raw_input_contents only"));
    };
    let mut found = 0;
    for (field, elements) in fields(contents) {
        if field == own {
            found = elements;
        } else if elements > 0 {
            return Err(format!("has elements in {field}, but the elements of {name} belong into {own}"));
        }
    }
    match found == count {
        true => Ok(()),
        false => Err(format!("has the shape {dimensions:?} with {count} elements, but {own} has {found}")),
    }
}

/// The field of a datatype; `None` without one.
fn field(datatype: Datatype) -> Option<&'static str> {
    Some(match datatype {
        Datatype::Bool => "bool_contents",
        Datatype::Int8 | Datatype::Int16 | Datatype::Int32 => "int_contents",
        Datatype::Int64 => "int64_contents",
        Datatype::Uint8 | Datatype::Uint16 | Datatype::Uint32 => "uint_contents",
        Datatype::Uint64 => "uint64_contents",
        Datatype::Fp32 => "fp32_contents",
        Datatype::Fp64 => "fp64_contents",
        Datatype::Bytes => "bytes_contents",
        Datatype::Fp16 | Datatype::Bf16 => return None,
    })
}

/// The numbers of a tensor, with the limits of the datatype. NaN is a missing value.
pub(super) fn numbers(contents: &InferTensorContents, datatype: Datatype) -> Result<Vec<f64>, BadElement> {
    let integer = |scalar: Scalar<'_>| number(&scalar, datatype);
    match datatype {
        Datatype::Int8 | Datatype::Int16 | Datatype::Int32 => {
            each(&contents.int_contents, |value| integer(Scalar::Signed((*value).into())))
        }
        Datatype::Int64 => each(&contents.int64_contents, |value| integer(Scalar::Signed(*value))),
        Datatype::Uint8 | Datatype::Uint16 | Datatype::Uint32 => {
            each(&contents.uint_contents, |value| integer(Scalar::Unsigned((*value).into())))
        }
        Datatype::Uint64 => each(&contents.uint64_contents, |value| integer(Scalar::Unsigned(*value))),
        Datatype::Fp32 => Ok(contents.fp32_contents.iter().map(|value| f64::from(*value)).collect()),
        Datatype::Fp64 => Ok(contents.fp64_contents.clone()),
        Datatype::Fp16 | Datatype::Bf16 | Datatype::Bool | Datatype::Bytes => Ok(Vec::new()),
    }
}

/// The texts of a tensor.
pub(super) fn texts<'a>(contents: InferTensorContents) -> Result<Vec<Option<Cow<'a, str>>>, BadElement> {
    let text = |(index, bytes)| match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(Cow::Owned(text))),
        Err(error) => Err(BadElement { index, message: format!("is not UTF-8: {}", error.utf8_error()) }),
    };
    contents.bytes_contents.into_iter().enumerate().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_in_the_field_of_their_datatype() {
        let floats = InferTensorContents { fp32_contents: vec![1.0, 2.0], ..Default::default() };
        assert_eq!(check(&floats, Datatype::Fp32, &[2], 2), Ok(()));
        let refused = |contents, datatype| check(contents, datatype, &[2, 1], 2).unwrap_err();
        assert_eq!(
            refused(&floats, Datatype::Fp64),
            "has elements in fp32_contents, but the elements of FP64 belong into fp64_contents"
        );
        assert_eq!(
            refused(&floats, Datatype::Bf16),
            "has the datatype BF16, which is possible in raw_input_contents only"
        );
        let one = InferTensorContents { int_contents: vec![1], ..Default::default() };
        assert_eq!(refused(&one, Datatype::Int8), "has the shape [2, 1] with 2 elements, but int_contents has 1");
        assert!(!is_empty(&one) && is_empty(&InferTensorContents::default()));
    }

    #[test]
    fn numbers_have_the_limits_of_their_datatype() {
        let small = InferTensorContents { int_contents: vec![1, 300], uint_contents: vec![300], ..Default::default() };
        assert_eq!(numbers(&small, Datatype::Int16).unwrap(), [1.0, 300.0]);
        assert_eq!(numbers(&small, Datatype::Int8).unwrap_err().message, "must be from -128 to 127, not 300");
        assert_eq!(numbers(&small, Datatype::Uint8).unwrap_err().index, 0);
        let large = InferTensorContents { uint64_contents: vec![u64::MAX], fp32_contents: vec![0.1], ..small };
        assert_eq!(numbers(&large, Datatype::Uint64).unwrap(), [u64::MAX as f64]);
        assert_eq!(numbers(&large, Datatype::Fp32).unwrap(), [f64::from(0.1_f32)]);
    }

    #[test]
    fn texts_are_utf8() {
        let contents = |texts: &[&[u8]]| InferTensorContents {
            bytes_contents: texts.iter().map(|text| text.to_vec()).collect(),
            ..Default::default()
        };
        assert_eq!(texts(contents(&["é".as_bytes(), b""])).unwrap(), [Some("é".into()), Some("".into())]);
        let error = texts(contents(&[b"a", b"f\xe9"])).unwrap_err();
        assert!(error.index == 1 && error.message.starts_with("is not UTF-8"), "{error:?}");
    }
}
