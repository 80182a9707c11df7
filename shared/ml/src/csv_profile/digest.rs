//! A column's two digests: one over its values, one over which rows share a value. Equal digests within one file show
//! that a feature is the target in disguise.

use sha2::{Digest, Sha256};

use super::dictionary::Value;

const MISSING: u8 = 0;
const NUMBER: u8 = 1;
const TEXT: u8 = 2;
/// A value by its order of first appearance.
const POSITION: u8 = 3;
/// A value past the dictionary's cap: stands for itself, so that only equal values give equal digests.
const BEYOND: u8 = 4;

/// Both digests of a column.
#[derive(Debug, Default)]
pub(super) struct Digests {
    values: Sha256,
    partition: Sha256,
}

impl Digests {
    pub(super) fn push_missing(&mut self) {
        self.values.update([MISSING]);
        self.partition.update([MISSING]);
    }

    /// Takes a present value with its order of first appearance, if that is still known.
    pub(super) fn push(&mut self, value: Value<'_>, position: Option<u32>) {
        push_value(&mut self.values, value);
        match position {
            Some(position) => {
                let mut record = [POSITION, 0, 0, 0, 0];
                record[1..].copy_from_slice(&position.to_le_bytes());
                self.partition.update(record);
            }
            None => {
                self.partition.update([BEYOND]);
                push_value(&mut self.partition, value);
            }
        }
    }

    /// Values, partition; hexadecimal.
    pub(super) fn finish(self) -> (String, String) {
        (hex::encode(self.values.finalize()), hex::encode(self.partition.finalize()))
    }
}

/// Numbers by their bits, and booleans in every form as 0 and 1, so that `yes`, `true`, `1` and `1.0` are equal.
fn push_value(digest: &mut Sha256, value: Value<'_>) {
    let number = match (value.boolean(), value) {
        (Some((value, _)), _) => f64::from(u8::from(value)),
        (None, Value::Number(number)) => number,
        (None, Value::Word(..)) => return,
        (None, Value::Text(text)) => {
            // The length keeps neighbours apart.
            let mut record = [TEXT, 0, 0, 0, 0, 0, 0, 0, 0];
            record[1..].copy_from_slice(&(text.len() as u64).to_le_bytes());
            digest.update(record);
            return digest.update(text);
        }
    };
    let mut record = [NUMBER, 0, 0, 0, 0, 0, 0, 0, 0];
    record[1..].copy_from_slice(&number.to_bits().to_le_bytes());
    digest.update(record);
}
