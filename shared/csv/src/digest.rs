//! Two digests of a column: one of its values, one of the partition of the rows by equal values. Columns with equal
//! digests have the same content, so a feature with a digest of the target leaks the target.

use sha2::{Digest, Sha256};

use super::dictionary::Value;

const MISSING: u8 = 0;
const NUMBER: u8 = 1;
const TEXT: u8 = 2;
/// A value by its number in the dictionary.
const POSITION: u8 = 3;
/// A value after the dictionary is full, written as the value itself.
const NOT_IN_DICTIONARY: u8 = 4;

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

    /// Adds a present value with its dictionary number, if known.
    pub(super) fn push(&mut self, value: Value<'_>, position: Option<u32>) {
        push_value(&mut self.values, value);
        match position {
            Some(position) => {
                let mut record = [POSITION, 0, 0, 0, 0];
                record[1..].copy_from_slice(&position.to_le_bytes());
                self.partition.update(record);
            }
            None => {
                self.partition.update([NOT_IN_DICTIONARY]);
                push_value(&mut self.partition, value);
            }
        }
    }

    /// The digests of the values and of the partition, in hexadecimal.
    pub(super) fn finish(self) -> (String, String) {
        (hex::encode(self.values.finalize()), hex::encode(self.partition.finalize()))
    }
}

/// Numbers are written as bits and booleans as 0 and 1, so that `yes`, `true`, `1` and `1.0` are equal.
fn push_value(digest: &mut Sha256, value: Value<'_>) {
    let number = match (value.boolean(), value) {
        (Some((value, _)), _) => f64::from(u8::from(value)),
        (None, Value::Number(number)) => number,
        (None, Value::Word(..)) => return,
        (None, Value::Text(text)) => {
            // The length separates adjacent strings.
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
