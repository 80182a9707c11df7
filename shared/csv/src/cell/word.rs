//! Texts of at most 16 bytes, as one integer: they are compared and read without a loop over their bytes.

use super::number::Short;

/// The most bytes of a word.
const BYTES: usize = size_of::<u128>();
/// For each length, the bits of the last bytes.
const LAST: [u128; BYTES + 1] = {
    let (mut last, mut length) = ([0; BYTES + 1], 1);
    while length <= BYTES {
        last[length] = u128::MAX << (8 * (BYTES - length));
        length += 1;
    }
    last
};
/// Powers of ten, all exact.
const POWERS: [(u64, f64); BYTES] = {
    let (mut powers, mut at, mut power) = ([(0, 0.0); BYTES], 0, 1);
    while at < BYTES {
        #[allow(clippy::cast_precision_loss, reason = "powers of ten below 10^22 are exact")]
        let exact = power as f64;
        powers[at] = (power, exact);
        power *= 10;
        at += 1;
    }
    powers
};

/// A text of 1 to 16 bytes without a NUL. Its last byte is the highest byte of `bits`; the bytes that remain are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) bits: u128,
    first: u8,
    length: usize,
}

impl Word {
    /// The text of a field at `start..end`. `None` if it is empty, too long, or near the start of the text.
    #[inline]
    pub(crate) fn at(text: &[u8], start: usize, end: usize) -> Option<Self> {
        let length = end.checked_sub(start).filter(|length| *length > 0)?;
        let (last, bytes) = (LAST.get(length)?, text.get(..end)?.last_chunk()?);
        Some(Self { bits: u128::from_le_bytes(*bytes) & last, first: text[start], length })
    }

    /// The word of a text by itself.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let mut bytes = [0; BYTES];
        let start = BYTES.checked_sub(text.len())?;
        bytes[start..].copy_from_slice(text.as_bytes());
        Self::at(&bytes, start, BYTES)
    }

    /// Whether all characters are ASCII, and neither the first nor the last is a space or a control character.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        let is_graphic = |byte: u8| byte.wrapping_sub(b'!') <= b'~' - b'!';
        is_graphic(self.first) && is_graphic(self.bits.to_le_bytes()[BYTES - 1]) && self.is_ascii()
    }

    /// Whether all characters are ASCII.
    #[inline]
    pub(crate) fn is_ascii(self) -> bool {
        self.bits & repeated(0x80) == 0
    }

    /// Reads a short plain number as [`super::number::short_plain`] does.
    #[inline]
    pub(crate) fn number(self) -> Option<Short> {
        let is_negative = self.first == b'-';
        let mut length = self.length - usize::from(is_negative);
        let mut digits = self.bits & LAST[length];
        let points = bytes_equal(digits, b'.');
        let mut fraction = 0;
        if points != 0 {
            if points & (points - 1) != 0 {
                return None;
            }
            // The bytes before the point take its place.
            let before = (points >> 7) - 1;
            digits = ((digits & before) << 8) | (digits & !((before << 8) | 0xff));
            fraction = BYTES - 1 - points.trailing_zeros() as usize / 8;
            length -= 1;
            if fraction == 0 {
                return None;
            }
        }
        digits ^= repeated(b'0') & LAST[length];
        let (high, low) = halves(digits);
        if !(are_digits(high) && are_digits(low)) || length == fraction || length == BYTES {
            return None;
        }
        let mantissa = eight_digits(high) * 100_000_000 + eight_digits(low);
        let before = length - fraction;
        let starts_with_zero = mantissa < POWERS[length - 1].0;
        if starts_with_zero && before > 1 {
            return None;
        }
        let sign = if is_negative { -1.0 } else { 1.0 };
        #[allow(clippy::cast_precision_loss, reason = "at most 15 digits are exact")]
        let mantissa = sign * mantissa as f64;
        let is_group = fraction == 3 && before <= 3 && !starts_with_zero;
        // Both operands are exact, so the quotient is the nearest number. `+ 0.0` turns minus zero into zero.
        Some(Short { value: mantissa / POWERS[fraction].1 + 0.0, fraction, as_group: is_group.then_some(mantissa) })
    }
}

fn repeated(byte: u8) -> u128 {
    u128::from_le_bytes([byte; BYTES])
}

/// The bytes that come first, and those that come last.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the two halves")]
fn halves(word: u128) -> (u64, u64) {
    (word as u64, (word >> 64) as u64)
}

/// The high bit of every byte that equals `byte`.
#[inline]
fn bytes_equal(word: u128, byte: u8) -> u128 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let zeros = |word: u64| !(((word & LOW) + LOW) | word | LOW);
    let (first, last) = halves(word ^ repeated(byte));
    u128::from(zeros(last)) << 64 | u128::from(zeros(first))
}

/// Whether every byte is at most nine.
#[inline]
fn are_digits(word: u64) -> bool {
    // A carry comes from a byte that is found itself.
    (word.wrapping_add(0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080 == 0
}

/// The number whose eight decimal digits are the bytes, the lowest byte first. Neighbours are joined three times.
#[inline]
fn eight_digits(word: u64) -> u64 {
    const PAIRS: u64 = 0x0000_00ff_0000_00ff;
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8);
    let (even, odd) = (pairs & PAIRS, (pairs >> 16) & PAIRS);
    even.wrapping_mul(100 + (1_000_000 << 32)).wrapping_add(odd.wrapping_mul(1 + (10_000 << 32))) >> 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::number::short_plain;
    use super::super::trimmed;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn numbers_are_read_as_in_a_loop(text in "-?[0-9]{0,9}[.]?[0-9]{0,6}|[-0-9.x/:é ]{1,16}|-?0[.][0-9]{1,14}") {
            let word = Word::of(&text);
            let read = word.map(Word::number);
            prop_assert_eq!(read, word.map(|_| short_plain(&text)));
            let bits = |short: Short| (short.value.to_bits(), short.as_group.map(f64::to_bits));
            prop_assert_eq!(read.flatten().map(bits), word.and_then(|_| short_plain(&text)).map(bits));
        }

        #[test]
        fn plain_texts_need_no_trimming(text in "[ -~é\t]{1,16}", before in "[a-z,]{16,20}") {
            let all = format!("{before}{text},");
            let word = Word::at(all.as_bytes(), before.len(), all.len() - 1);
            prop_assert_eq!(word, Word::of(&text));
            if let Some(word) = word {
                prop_assert!(!word.is_plain() || (text.is_ascii() && trimmed(&text) == text));
            }
        }
    }

    #[test]
    fn only_texts_of_1_to_16_bytes_become_integers() {
        assert_eq!((Word::of(""), Word::of("12345678901234567")), (None, None));
        assert_eq!(
            Word::of("123456789012345").and_then(Word::number).map(|short| short.value),
            Some(123_456_789_012_345.0)
        );
        assert_eq!(Word::of("1234567890123456").map(Word::number), Some(None));
        // Nothing is read before the start of the text.
        assert_eq!(Word::at(b"1,2", 2, 3), None);
    }
}
