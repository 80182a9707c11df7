//! Binary tensor data: little-endian elements without padding. An element of BYTES is its length as `u32`, then its bytes.

use std::borrow::Cow;

use super::datatype::Datatype;
use super::values::BadElement;

/// The size of the length of an element of BYTES.
const LENGTH_BYTES: usize = 4;

/// The numbers in `bytes`, whose length is a multiple of the size of an element; empty for BOOL and BYTES.
#[allow(clippy::cast_precision_loss, reason = "features are f64, also in other requests")]
pub(crate) fn numbers(bytes: &[u8], datatype: Datatype) -> Vec<f64> {
    macro_rules! all {
        ($type:ty, $convert:expr) => {
            bytes.as_chunks().0.iter().map(|bytes| $convert(<$type>::from_le_bytes(*bytes))).collect()
        };
    }
    match datatype {
        Datatype::Uint8 => all!(u8, f64::from),
        Datatype::Uint16 => all!(u16, f64::from),
        Datatype::Uint32 => all!(u32, f64::from),
        Datatype::Uint64 => all!(u64, |value: u64| value as f64),
        Datatype::Int8 => all!(i8, f64::from),
        Datatype::Int16 => all!(i16, f64::from),
        Datatype::Int32 => all!(i32, f64::from),
        Datatype::Int64 => all!(i64, |value: i64| value as f64),
        Datatype::Fp16 => all!(u16, half),
        Datatype::Bf16 => all!(u16, |bits: u16| f64::from(f32::from_bits(u32::from(bits) << 16))),
        Datatype::Fp32 => all!(f32, f64::from),
        Datatype::Fp64 => all!(f64, f64::from),
        Datatype::Bool | Datatype::Bytes => Vec::new(),
    }
}

/// An IEEE 754 half-precision number: 1 bit sign, 5 bits exponent, 10 bits fraction.
fn half(bits: u16) -> f64 {
    let (sign, exponent, fraction) = (bits >> 15, (bits >> 10) & 0x1f, f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        exponent => (1.0 + fraction / 1_024.0) * 2_f64.powi(i32::from(exponent) - 15),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

/// The `count` texts in `bytes`.
pub(crate) fn texts(bytes: &[u8], count: usize) -> Result<Vec<Option<Cow<'_, str>>>, BadElement> {
    // Each element has a length, so the bytes limit the memory.
    let mut texts = Vec::with_capacity(count.min(bytes.len() / LENGTH_BYTES));
    let mut rest = bytes;
    for index in 0..count {
        let (text, after) = first_text(rest).map_err(|message| BadElement { index, message })?;
        texts.push(Some(Cow::Borrowed(text)));
        rest = after;
    }
    match rest.len() {
        0 => Ok(texts),
        more => Err(BadElement { index: count, message: format!("is one too many: {more} bytes follow the last one") }),
    }
}

fn first_text(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(format!("has no length: the binary data has only {} bytes left", bytes.len()));
    };
    let length = u32::from_le_bytes(*length) as usize;
    let Some((text, rest)) = rest.split_at_checked(length) else {
        return Err(format!("has the length {length}, but the binary data has only {} bytes left", rest.len()));
    };
    match std::str::from_utf8(text) {
        Ok(text) => Ok((text, rest)),
        Err(error) => Err(format!("is not UTF-8: {error}")),
    }
}

/// Appends an element of BYTES.
pub(crate) fn append_text(text: &str, bytes: &mut Vec<u8>) {
    // Labels are far shorter than 4 GiB.
    bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_little_endian() {
        let bytes = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xff];
        for (datatype, expected) in [
            (Datatype::Uint8, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 255.0]),
            (Datatype::Int8, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, -1.0]),
            (Datatype::Uint16, vec![513.0, 1_027.0, 1_541.0, 65_287.0]),
            (Datatype::Int16, vec![513.0, 1_027.0, 1_541.0, -249.0]),
            (Datatype::Uint32, vec![67_305_985.0, 4_278_650_373.0]),
            (Datatype::Int64, vec![-70_080_650_589_044_223.0]),
        ] {
            assert_eq!(numbers(&bytes, datatype), expected, "{datatype:?}");
        }
        assert_eq!(numbers(&0.1_f64.to_le_bytes(), Datatype::Fp64), [0.1]);
        assert_eq!(numbers(&(-2.5_f32).to_le_bytes(), Datatype::Fp32), [-2.5]);
    }

    #[test]
    fn half_precision_numbers_have_their_ieee_values() {
        for (bits, expected) in [
            (0x0000_u16, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x0400, 6.103_515_625e-5),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x3555, 0.333_251_953_125),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), expected, "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan());
        assert_eq!(numbers(&0x4049_u16.to_le_bytes(), Datatype::Bf16), [3.140_625]);
    }

    #[test]
    fn texts_have_their_lengths_before_them() {
        let mut bytes = Vec::new();
        for text in ["é", "", "abc"] {
            append_text(text, &mut bytes);
        }
        let found = texts(&bytes, 3).unwrap();
        assert_eq!(found, [Some("é".into()), Some("".into()), Some("abc".into())]);
        let refused = |bytes: &[u8], count| {
            let error = texts(bytes, count).unwrap_err();
            format!("{} {}", error.index, error.message)
        };
        assert!(refused(&bytes, 2).starts_with("2 is one too many: 7 bytes"));
        assert!(refused(&bytes, 4).starts_with("3 has no length"));
        assert!(refused(&bytes[..bytes.len() - 1], 3).starts_with("2 has the length 3"));
        assert!(refused(&[1, 0, 0, 0, 0xff], 1).starts_with("0 is not UTF-8"));
        assert!(refused(&[0xff, 0xff, 0xff, 0xff], usize::MAX).starts_with("0 has the length 4294967295"));
    }
}
