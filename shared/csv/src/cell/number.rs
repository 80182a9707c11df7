//! Numbers in every style: plain, grouped, with currency signs, percent signs and units.

use trainyard_domain::{DecimalMark, NumberStyle};

/// The longest text that can be a number, in bytes.
const MAX_BYTES: usize = 64;
/// A number with a currency code, an exponent and a unit has at most this many letters.
const MAX_LETTERS: usize = 20;

/// What follows or precedes the digits of a decorated number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit<'a> {
    /// Nothing, or a sign.
    None,
    /// A currency sign or code.
    Currency(&'a str),
    /// A percent sign.
    Percent,
    /// A unit such as `kg`.
    Letters(&'a str),
}

/// A number with its style.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Parsed<'a> {
    pub(crate) value: f64,
    pub(crate) grouped: bool,
    pub(crate) decorated: bool,
    pub(crate) unit: Unit<'a>,
}

/// A short plain number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Short {
    pub(crate) value: f64,
    /// Number of digits behind the point; zero without a point.
    pub(crate) fraction: usize,
    /// The value if the point separates thousands.
    pub(crate) as_group: Option<f64>,
}

/// Reads a short plain number exactly as [`str::parse`] does: an optional minus, digits without leading zeros, at most 15 of
/// them or 19 with a point. Returns `None` for every other text, number or not.
#[inline]
pub(crate) fn short_plain(text: &str) -> Option<Short> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 20 {
        return None;
    }
    let (mut mantissa, mut point) = (0_u64, None);
    for (at, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        } else if *byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            return None;
        }
    }
    let before = point.unwrap_or(digits.len());
    let fraction = point.map_or(0, |point| digits.len() - point - 1);
    let is_short = before + fraction <= 15;
    let is_complete = before > 0 && (point.is_none() || fraction > 0) && (before == 1 || digits[0] != b'0');
    if !is_complete || (point.is_none() && !is_short) {
        return None;
    }
    let sign = if negative { -1.0 } else { 1.0 };
    #[allow(clippy::cast_precision_loss, reason = "at most 15 digits are exact")]
    let (value, as_group) = if is_short {
        let is_group = fraction == 3 && before <= 3 && digits[0] != b'0';
        // Both operands are exact, so the quotient is the nearest number.
        (sign * (mantissa as f64 / POWERS[fraction]), is_group.then_some(sign * mantissa as f64))
    } else {
        (text.parse().ok()?, None)
    };
    // `+ 0.0` turns minus zero into zero.
    Some(Short { value: value + 0.0, fraction, as_group })
}

/// Parses a trimmed number by the style of its column.
pub(crate) fn by_style(text: &str, style: NumberStyle) -> Option<f64> {
    if style.decimal == DecimalMark::Point
        && let Some(short) = short_plain(text)
    {
        return Some(short.value);
    }
    let parsed = parse(text, style.decimal)?;
    ((style.grouped || !parsed.grouped) && (style.decorated || !parsed.decorated)).then_some(parsed.value)
}

/// Parses a trimmed number in any style with this decimal mark.
pub(crate) fn parse(text: &str, mark: DecimalMark) -> Option<Parsed<'_>> {
    if text.len() > MAX_BYTES || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.len() > MAX_LETTERS && text.bytes().filter(u8::is_ascii_alphabetic).count() > MAX_LETTERS {
        return None;
    }
    let (mut core, mut negative, mut decorated, mut unit) = (text, false, false, Unit::None);
    if let Some(inner) = core.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        (core, negative, decorated) = (inner.trim(), true, true);
    }
    let mut signed = negative;
    while let Some(first) =
        core.chars().next().filter(|first| !first.is_ascii_digit() && *first != '.' && *first != ',')
    {
        if matches!(first, '-' | '+' | '−') && !signed {
            signed = true;
            negative = first != '+';
            decorated |= first == '−';
            core = &core[first.len_utf8()..];
        } else if let Some(rest) = currency_prefix(core).filter(|_| unit == Unit::None) {
            unit = Unit::Currency(core[..core.len() - rest.len()].trim());
            core = rest.trim_start();
        } else {
            return None;
        }
    }
    let end = digits_end(core);
    let (digits, suffix) = core.split_at(end);
    let rest = suffix.trim();
    if !rest.is_empty() {
        if unit != Unit::None {
            return None;
        }
        unit = suffix_unit(rest, suffix.starts_with(char::is_whitespace))?;
    }
    decorated |= unit != Unit::None;
    let (value, grouped) = parse_digits(digits, mark)?;
    Some(Parsed { value: if negative { -value } else { value } + 0.0, grouped, decorated, unit })
}

/// The end of the digits, separators and exponent at the start of a text.
fn digits_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    for (at, c) in text.char_indices() {
        match c {
            '0'..='9' => end = at + 1,
            '.' | ',' | '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => {}
            'e' | 'E' if end == at && (is_digit(at + 1) || is_digit(at + 2)) => {}
            '+' | '-' if at > 0 && matches!(bytes[at - 1], b'e' | b'E') => {}
            _ => break,
        }
    }
    // `5.` is a number as well.
    if text.len() == end + 1 && text.ends_with(['.', ',']) { text.len() } else { end }
}

/// Parses digits with group separators, a decimal mark and an exponent. The flag is true if there are separators.
fn parse_digits(digits: &str, mark: DecimalMark) -> Option<(f64, bool)> {
    let (point, other) = match mark {
        DecimalMark::Point => ('.', ','),
        DecimalMark::Comma => (',', '.'),
    };
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, ""),
    };
    let (integer, fraction) = mantissa.split_once(point).unwrap_or((mantissa, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || (integer.is_empty() && fraction.is_empty()) {
        return None;
    }
    let grouped = !integer.bytes().all(|byte| byte.is_ascii_digit());
    let mut plain = String::with_capacity(digits.len());
    if grouped {
        push_groups(&mut plain, integer, other)?;
    } else {
        plain.push_str(integer);
    }
    plain.push('.');
    plain.push_str(fraction);
    if !exponent.is_empty() {
        plain.push('e');
        plain.push_str(exponent);
    } else if mantissa.len() < digits.len() {
        return None;
    }
    plain.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| (value, grouped))
}

/// Appends the digits of groups as in `1,234,567`, `1 234 567`, `1'234'567` or the Indian `12,34,567`.
fn push_groups(plain: &mut String, integer: &str, other: char) -> Option<()> {
    let separator = integer.chars().find(|c| !c.is_ascii_digit())?;
    let allowed = separator == other || matches!(separator, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’');
    let groups: Vec<&str> = integer.split(separator).collect();
    let digits = groups.iter().all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    let [first, middle @ .., last] = groups.as_slice() else { return None };
    let width = middle.first().map_or(3, |group| group.len());
    let middle = middle.iter().all(|group| group.len() == width) && (width == 3 || (width == 2 && separator == ','));
    // A zero in front cannot be a group: `0,123` has a decimal mark.
    if !allowed || !digits || !middle || first.len() > width || last.len() != 3 || first.starts_with('0') {
        return None;
    }
    groups.iter().for_each(|group| plain.push_str(group));
    Some(())
}

const SIGNS: [char; 17] = ['$', '€', '£', '¥', '₹', '₽', '₩', '₺', '₪', '฿', '₫', '₴', '₦', '₱', '¢', '₿', '₡'];
/// The longest code, in bytes.
const MAX_CODE_BYTES: usize = 7;
const CODES: &[&str] = &[
    "US$", "R$", "A$", "C$", "S$", "HK$", "NZ$", "NT$", "CA$", "AU$", "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "RMB",
    "INR", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "BRL", "RUB", "TRY", "ZAR", "MXN", "AUD", "CAD", "NZD", "SGD",
    "HKD", "KRW", "THB", "ILS", "AED", "SAR", "RON", "VND", "IDR", "MYR", "PHP", "TWD", "EGP", "NGN", "KES", "COP",
    "CLP", "ARS", "PEN", "UAH", "BGN", "ISK", "Rs.", "Rs", "Rp", "Rp.", "RM", "kr.", "kr", "Kč", "zł", "Ft", "Fr.",
    "руб.", "руб", "lei", "Euro", "dollars", "円", "元", "원",
];

/// The text after a currency sign or code.
fn currency_prefix(text: &str) -> Option<&str> {
    if text.starts_with(SIGNS) {
        return text.strip_prefix(SIGNS);
    }
    let letters = text.find(|c: char| !c.is_alphabetic() && c != '$' && c != '.').unwrap_or(text.len());
    let (code, rest) = text.split_at(letters);
    let is_code = letters <= MAX_CODE_BYTES && CODES.iter().any(|known| known.eq_ignore_ascii_case(code));
    is_code.then_some(rest)
}

/// The unit behind a number. Without a space only known units count, so that `7X` stays a code.
fn suffix_unit(rest: &str, spaced: bool) -> Option<Unit<'_>> {
    const UNITS: &str = " kg g mg µg ug t lb lbs oz km m cm mm nm µm um in ft yd mi l ml cl dl ms min h hr hrs mins sec s \
        W kW MW GW kWh MWh Wh V mV kV mA mAh Hz kHz MHz GHz KB MB GB TB kB PB kb Mb Gb bps kbps Mbps °C °F °K ° Pa hPa kPa MPa \
        bar psi mph km/h kmh kph m/s kn rpm px pt cc ccm hp bhp PS kmpl kJ kcal cal J N Nm mol mmol/L mg/dL mg/L g/L % dB dBm \
        m² m2 km² km2 sqm sqft m³ m3 yrs yr years mos cm² ha ac x ";
    if rest == "%" {
        return Some(Unit::Percent);
    }
    if let Some(after) = currency_prefix(rest) {
        return after.is_empty().then_some(Unit::Currency(rest));
    }
    let letters =
        rest.chars().all(|c| c.is_alphabetic() || matches!(c, '°' | '/' | '²' | '³' | '·' | '2' | '3' | '.' | '%'));
    if !letters || rest.chars().count() > 12 || rest.starts_with(['2', '3', '/', '.']) {
        return None;
    }
    let known = UNITS.split_ascii_whitespace().any(|unit| unit == rest);
    (known || (spaced && rest.chars().count() > 1)).then_some(Unit::Letters(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(text: &str) -> Option<f64> {
        parse(text, DecimalMark::Point).map(|parsed| parsed.value)
    }

    fn comma(text: &str) -> Option<f64> {
        parse(text, DecimalMark::Comma).map(|parsed| parsed.value)
    }

    #[test]
    fn short_numbers_are_read_as_the_standard_library_reads_them() {
        for text in [
            "0",
            "-0",
            "7",
            "-12.5",
            "0.1",
            "123456789012345",
            "0.00000000000001",
            "99.99",
            "-0.3",
            "1.10",
            "0.8444218515250481",
            "-0.13436424411240122",
            "123456789.0123456789",
        ] {
            assert_eq!(
                short_plain(text).map(|short| short.value),
                text.parse().ok().map(|value: f64| value + 0.0),
                "{text}"
            );
        }
        assert_eq!(short_plain("1.234").and_then(|short| short.as_group), Some(1234.0));
        assert_eq!(short_plain("0.234").and_then(|short| short.as_group), None);
        for other in
            ["", "-", ".5", "5.", "1e3", "007", "00", "1234567890123456", "1.2.3", "+1", " 1", "1,5", "inf", "x"]
        {
            assert_eq!(short_plain(other), None, "{other}");
        }
    }

    #[test]
    fn money_percent_and_units_are_numbers() {
        for (text, value) in [
            ("$1,234.50", 1234.5),
            ("-$5", -5.0),
            ("$-5", -5.0),
            ("($1,234)", -1234.0),
            ("(7)", -7.0),
            ("US$ 20,000", 20_000.0),
            ("1,234 USD", 1234.0),
            ("£3.50", 3.5),
            ("₹12,34,567", 1_234_567.0),
            ("12.5%", 12.5),
            ("12.5 %", 12.5),
            ("12 kg", 12.0),
            ("30 m2", 30.0),
            ("3.5GHz", 3.5),
            ("36 months", 36.0),
            ("20°C", 20.0),
            ("Rp 10,000", 10_000.0),
            ("1,000円", 1_000.0),
            ("5 Euro", 5.0),
            ("1 234", 1234.0),
            ("1\u{202f}234.5", 1234.5),
            ("1'234'567.25", 1_234_567.25),
            ("−5", -5.0),
            ("+5", 5.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1.5E-3", 0.0015),
            ("007", 7.0),
        ] {
            assert_eq!(point(text), Some(value), "{text}");
        }
    }

    #[test]
    fn a_decimal_comma_changes_the_meaning_of_the_point() {
        for (text, value) in [
            ("1,5", 1.5),
            ("1.234,50 €", 1234.5),
            ("€ 1.234", 1234.0),
            ("-0,75", -0.75),
            ("1 234,5", 1234.5),
            ("12,5 %", 12.5),
            ("0,123", 0.123),
        ] {
            assert_eq!(comma(text), Some(value), "{text}");
        }
        assert_eq!((comma("1.5"), point("1,5"), point("0,123"), point("12,34")), (None, None, None, None));
    }

    #[test]
    fn codes_and_texts_are_no_numbers() {
        for text in [
            "7X", "A1", "1-2", "1935-", "1/2", "12:30", "1.2.3", "1,23,4", "$", "%", "1 2", "abc", "10+", "<5", "e5",
            "1e", "0x10",
        ] {
            assert_eq!((point(text), comma(text)), (None, None), "{text}");
        }
    }
}
