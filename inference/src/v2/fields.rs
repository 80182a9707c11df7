//! The fields of an encoded protobuf message, read in place.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use trainyard_http::Problem;

use super::refusal;

/// The number of a field, and its value if that is length-delimited.
pub(super) type AnyField<'a> = (u32, Option<&'a [u8]>);

/// The fields of a message in their order.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next length-delimited field: a text, bytes, a message, or packed numbers. Others are skipped.
    pub(super) fn next(&mut self) -> Result<Option<(u32, &'a [u8])>, Problem> {
        while let Some((number, value)) = self.next_of_any_type()? {
            if let Some(value) = value {
                return Ok(Some((number, value)));
            }
        }
        Ok(None)
    }

    /// The next field of any type.
    pub(super) fn next_of_any_type(&mut self) -> Result<Option<AnyField<'a>>, Problem> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = decode_key(&mut self.0).map_err(|error| unreadable(&error))?;
        if wire_type != WireType::LengthDelimited {
            skip_field(wire_type, number, &mut self.0, DecodeContext::default()).map_err(|error| unreadable(&error))?;
            return Ok(Some((number, None)));
        }
        let length = decode_varint(&mut self.0).map_err(|error| unreadable(&error))?;
        let split = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
        let Some((value, rest)) = split else {
            let left = self.0.len();
            return Err(unreadable(&format_args!(
                "the field {number} has {length} bytes, but the message has only {left} bytes left"
            )));
        };
        self.0 = rest;
        Ok(Some((number, Some(value))))
    }
}

/// How many packed varints the bytes contain: only the last byte of each has no continuation bit.
pub(super) fn varints(packed: &[u8]) -> usize {
    packed.iter().filter(|byte| **byte < 0x80).count()
}

/// The problem of a message that is no valid protobuf.
pub(crate) fn unreadable(error: &dyn std::fmt::Display) -> Problem {
    refusal(format!("the message can't be read: {error}"))
}
