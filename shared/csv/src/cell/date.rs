//! Dates with or without a time: ISO 8601, numbers in the order of the column, and names of months.

use chrono::{NaiveDate, NaiveTime};
use trainyard_domain::DateOrder;

/// The longest text that can be a date, in bytes.
const MAX_BYTES: usize = 40;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The readings of a text as a date, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Dates {
    /// If the order of the parts needs no decision: the year is first, or the month has a name.
    pub(crate) certain: Option<f64>,
    /// With the day first.
    pub(crate) day_first: Option<f64>,
    /// With the month first.
    pub(crate) month_first: Option<f64>,
    /// Whether a slash separates the parts, which suggests the month first.
    pub(crate) slash: bool,
}

/// Parses a trimmed date of a column with this order, in seconds since 1970.
pub(crate) fn by_order(text: &str, order: DateOrder) -> Option<f64> {
    let dates = parse(text);
    dates.certain.or(match order {
        DateOrder::YearFirst => None,
        DateOrder::DayFirst => dates.day_first,
        DateOrder::MonthFirst => dates.month_first,
    })
}

/// Reads digits alone as a date: `20240331`, or seconds or milliseconds since 1970. For columns whose type the caller set.
pub(crate) fn from_digits(text: &str) -> Option<f64> {
    let number: u64 = text.parse().ok()?;
    #[allow(clippy::cast_precision_loss, reason = "at most 13 digits are exact")]
    match text.len() {
        8 => compact(text),
        9 | 10 => Some(number as f64),
        12 | 13 => Some(number as f64 / 1_000.0),
        _ => None,
    }
}

/// Reads a trimmed text as a date.
pub(crate) fn parse(text: &str) -> Dates {
    if is_plausible(text.as_bytes()) { read(text).unwrap_or_default() } else { Dates::default() }
}

/// A date starts with up to four digits before a separator or a letter, or with the name of a month or a weekday.
fn is_plausible(bytes: &[u8]) -> bool {
    if bytes.len() < 6 || bytes.len() > MAX_BYTES {
        return false;
    }
    match bytes.iter().position(|byte| !byte.is_ascii_digit()) {
        Some(0) => {
            let name = [bytes[0], bytes[1], bytes[2]].map(|byte| byte.to_ascii_lowercase());
            MONTHS.iter().any(|month| month.as_bytes().starts_with(&name))
                || DAYS.iter().any(|day| day.as_bytes() == name)
        }
        Some(1 | 2 | 4) => true,
        // `20240331T1405`
        Some(8) => bytes[8] == b'T',
        _ => false,
    }
}

fn read(text: &str) -> Option<Dates> {
    if let Some(certain) = iso(text) {
        return Some(Dates { certain: Some(certain), ..Dates::default() });
    }
    let text = without_weekday(text);
    let (first, rest) = part(text)?;
    let (separator, rest) = separator(rest)?;
    let (second, rest) = part(rest)?;
    if let (Part::Month(month), Part::Number { value: year, digits: 4 }) = (first, second) {
        return certain(year, month, 1, rest);
    }
    let (second_separator, rest) = self::separator(rest)?;
    let (third, rest) = part(rest)?;
    match (first, second, third) {
        (Part::Number { value: year, digits: 4 }, Part::Month(month), Part::Number { value: day, digits: 1 | 2 }) => {
            certain(year, month, day, rest)
        }
        (
            Part::Number { value: day, digits: 1 | 2 },
            Part::Month(month),
            Part::Number { value: year, digits: digits @ (2 | 4) },
        ) => certain(full_year(year, digits), month, day, rest),
        (Part::Month(month), Part::Number { value: day, digits: 1 | 2 }, Part::Number { value: year, digits: 4 }) => {
            certain(year, month, day, rest)
        }
        _ if separator != second_separator || separator == ' ' => None,
        (
            Part::Number { value: year, digits: 4 },
            Part::Number { value: month, digits: 1 | 2 },
            Part::Number { value: day, digits: 1 | 2 },
        ) => certain(year, month, day, rest),
        (
            Part::Number { value: a, digits: 1 | 2 },
            Part::Number { value: b, digits: 1 | 2 },
            Part::Number { value: year, digits: digits @ (2 | 4) },
        ) => {
            let year = full_year(year, digits);
            let time = time(rest)?;
            let seconds = |month, day| midnight(year, month, day).map(|midnight| midnight + time);
            Some(Dates { certain: None, day_first: seconds(b, a), month_first: seconds(a, b), slash: separator == '/' })
        }
        _ => None,
    }
}

fn certain(year: u32, month: u32, day: u32, rest: &str) -> Option<Dates> {
    Some(Dates { certain: Some(midnight(year, month, day)? + time(rest)?), ..Dates::default() })
}

/// `2024-03-31`, `2024-03`, and both followed by a time; `20240331T140500`.
fn iso(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| {
        let digits = bytes.get(from..to)?;
        digits
            .iter()
            .try_fold(0_u32, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
    };
    let year = number(0, 4)?;
    if bytes[4] != b'-' {
        let (date, clock) = text.split_once('T')?;
        let clock = clock.strip_suffix('Z').unwrap_or(clock);
        let digits = clock.bytes().all(|byte| byte.is_ascii_digit());
        return match clock.len() {
            4 if digits => Some(compact(date)? + seconds(clock[..2].parse().ok()?, clock[2..].parse().ok()?, 0)?),
            6 if digits => Some(
                compact(date)?
                    + seconds(clock[..2].parse().ok()?, clock[2..4].parse().ok()?, clock[4..].parse().ok()?)?,
            ),
            _ => None,
        };
    }
    let month = number(5, 7)?;
    if bytes.len() == 7 {
        return midnight(year, month, 1);
    }
    let day = number(8, 10).filter(|_| bytes[7] == b'-')?;
    let midnight = midnight(year, month, day)?;
    if bytes.len() == 10 { Some(midnight) } else { Some(midnight + time(&text[10..])?) }
}

/// `20240331`
fn compact(text: &str) -> Option<f64> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return None;
    }
    midnight(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?)
}

fn midnight(year: u32, month: u32, day: u32) -> Option<f64> {
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok().filter(|year| *year > 0)?, month, day)?;
    #[allow(clippy::cast_precision_loss, reason = "seconds of four-digit years are exact")]
    Some(date.and_time(NaiveTime::MIN).and_utc().timestamp() as f64)
}

/// Two-digit years are those from 1969 to 2068, as in POSIX.
fn full_year(year: u32, digits: usize) -> u32 {
    match (digits, year) {
        (2, 0..=68) => 2000 + year,
        (2, _) => 1900 + year,
        _ => year,
    }
}

/// A part of a date.
#[derive(Debug, Clone, Copy)]
enum Part {
    Number { value: u32, digits: usize },
    Month(u32),
}

fn part(text: &str) -> Option<(Part, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        let rest = &text[digits..];
        let value = text[..digits].parse().ok().filter(|_| digits <= 4)?;
        // `1st`, `2nd`, `3rd`, `4th`
        let ordinal = ["st", "nd", "rd", "th"].iter().find_map(|suffix| rest.strip_prefix(suffix));
        return Some((Part::Number { value, digits }, ordinal.unwrap_or(rest)));
    }
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let rest = &text[letters..];
    Some((Part::Month(month(&text[..letters])?), rest.strip_prefix('.').filter(|_| letters <= 4).unwrap_or(rest)))
}

fn month(name: &str) -> Option<u32> {
    let is_short = name.len() == 3 || name.eq_ignore_ascii_case("sept");
    let is_month = |full: &str| full.eq_ignore_ascii_case(name) || (is_short && starts_with(full, name));
    let at = MONTHS.iter().position(|full| is_month(full)).filter(|_| name.len() >= 3)?;
    u32::try_from(at + 1).ok()
}

/// Whether the name in lower case starts so, in any case.
fn starts_with(name: &str, start: &str) -> bool {
    name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The separator of two parts; a comma or a space around counts as a space.
fn separator(text: &str) -> Option<(char, &str)> {
    let first = text.chars().next()?;
    match first {
        '-' | '/' | '.' => Some((first, text[1..].strip_prefix(' ').filter(|_| first == '.').unwrap_or(&text[1..]))),
        ' ' | ',' => Some((' ', text[1..].trim_start())),
        _ => None,
    }
}

fn without_weekday(text: &str) -> &str {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let name = &text[..letters];
    let is_full = letters > 5 && name[letters - 3..].eq_ignore_ascii_case("day");
    let weekday = (letters == 3 || is_full) && DAYS.iter().any(|day| name[..3].eq_ignore_ascii_case(day));
    if weekday { text[letters..].trim_start_matches([',', '.', ' ']) } else { text }
}

/// The seconds since midnight UTC of the text behind a date: nothing, or a time with an optional offset.
fn time(text: &str) -> Option<f64> {
    if text.is_empty() {
        return Some(0.0);
    }
    let text = text.strip_prefix(['T', 't']).or_else(|| text.strip_prefix([' ', ',']).map(str::trim_start))?;
    let (hour, text) = two_digits(text)?;
    let (minute, mut text) = two_digits(text.strip_prefix(':')?)?;
    let (mut second, mut fraction) = (0, 0.0);
    if let Some(after) = text.strip_prefix(':') {
        (second, text) = two_digits(after)?;
        if let Some(after) = text.strip_prefix(['.', ',']) {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            fraction = format!("0.{}", &after[..digits]).parse().ok().filter(|_| digits > 0)?;
            text = &after[digits..];
        }
    }
    let text = text.trim_start();
    let (hour, text) = half_day(hour, text)?;
    Some(seconds(hour, minute, second)? + fraction - offset(text.trim_start())?)
}

fn seconds(hour: u32, minute: u32, second: u32) -> Option<f64> {
    // A leap second is second 60.
    (hour < 24 && minute < 60 && second <= 60).then(|| f64::from(hour * 3_600 + minute * 60 + second))
}

fn two_digits(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// The hour of the day and the text after `AM` or `PM`.
fn half_day(hour: u32, text: &str) -> Option<(u32, &str)> {
    for (suffix, afternoon) in [("AM", false), ("PM", true), ("a.m.", false), ("p.m.", true)] {
        if text.get(..suffix.len()).is_some_and(|head| head.eq_ignore_ascii_case(suffix)) {
            let hour = (1..=12).contains(&hour).then(|| hour % 12 + if afternoon { 12 } else { 0 })?;
            return Some((hour, &text[suffix.len()..]));
        }
    }
    Some((hour, text))
}

/// The offset from UTC in seconds: nothing, `Z`, `UTC`, `+02:00`, `+0200` or `+02`.
fn offset(text: &str) -> Option<f64> {
    if matches!(text, "" | "Z" | "z" | "UTC" | "GMT") {
        return Some(0.0);
    }
    let sign = match text.as_bytes()[0] {
        b'+' => 1.0,
        b'-' => -1.0,
        _ => return None,
    };
    let (hours, rest) = two_digits(&text[1..])?;
    let minutes = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = if minutes.is_empty() { (0, "") } else { two_digits(minutes)? };
    (rest.is_empty() && hours <= 15 && minutes < 60).then(|| sign * f64::from(hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn shown(seconds: Option<f64>) -> Option<String> {
        #[allow(clippy::cast_possible_truncation, reason = "the sample has whole milliseconds")]
        seconds
            .and_then(|seconds| DateTime::from_timestamp_millis((seconds * 1e3).round() as i64))
            .map(|time| time.to_rfc3339())
    }

    #[test]
    fn dates_whose_order_is_certain() {
        for (text, expected) in [
            ("2024-03-31", "2024-03-31T00:00:00+00:00"),
            ("2024-03", "2024-03-01T00:00:00+00:00"),
            ("2024/3/31", "2024-03-31T00:00:00+00:00"),
            ("2024.03.31", "2024-03-31T00:00:00+00:00"),
            ("2024-03-31T14:05", "2024-03-31T14:05:00+00:00"),
            ("2024-03-31 14:05:09", "2024-03-31T14:05:09+00:00"),
            ("2024-03-31 14:05:09.25", "2024-03-31T14:05:09.250+00:00"),
            ("2024-03-31T14:05:09Z", "2024-03-31T14:05:09+00:00"),
            ("2024-03-31T14:05:09+02:00", "2024-03-31T12:05:09+00:00"),
            ("2024-03-31 14:05:09 -0530", "2024-03-31T19:35:09+00:00"),
            ("2024-03-31 14:05 UTC", "2024-03-31T14:05:00+00:00"),
            ("20240331T140509Z", "2024-03-31T14:05:09+00:00"),
            ("31 Mar 2024", "2024-03-31T00:00:00+00:00"),
            ("31-Mar-24", "2024-03-31T00:00:00+00:00"),
            ("31. March 2024", "2024-03-31T00:00:00+00:00"),
            ("Mar 31, 2024", "2024-03-31T00:00:00+00:00"),
            ("March 31st, 2024 2:05 PM", "2024-03-31T14:05:00+00:00"),
            ("Sun, 31 Mar 2024 14:05:09 +0000", "2024-03-31T14:05:09+00:00"),
            ("Mar 2024", "2024-03-01T00:00:00+00:00"),
            ("1066-10-14", "1066-10-14T00:00:00+00:00"),
        ] {
            assert_eq!(shown(parse(text).certain).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_order_of_numbers_is_decided_by_the_column() {
        let first = parse("05/04/2024 00:30");
        assert_eq!(shown(first.day_first).as_deref(), Some("2024-04-05T00:30:00+00:00"));
        assert_eq!(shown(first.month_first).as_deref(), Some("2024-05-04T00:30:00+00:00"));
        let day = parse("31.12.99");
        assert_eq!((shown(day.day_first).as_deref(), day.month_first), (Some("1999-12-31T00:00:00+00:00"), None));
        assert_eq!(shown(by_order("12/31/2024", DateOrder::MonthFirst)).as_deref(), Some("2024-12-31T00:00:00+00:00"));
        assert_eq!(by_order("12/31/2024", DateOrder::DayFirst), None);
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "2024",
            "20240331",
            "2024-13-01",
            "2023-02-29",
            "0000-00-00",
            "12:30",
            "1.2.3",
            "2024-03-31x",
            "May",
            "march on",
            "2024-Q1",
            "1-2-3",
            "03-2024-31",
            "31/12-2024",
            "2024-03-31 25:00",
            "555-123-4567",
            "über 2024-01-01",
            "",
        ] {
            assert_eq!(parse(text), Dates::default(), "{text}");
        }
    }

    #[test]
    fn digits_alone_are_dates_where_the_caller_says_so() {
        assert_eq!(shown(from_digits("20240331")).as_deref(), Some("2024-03-31T00:00:00+00:00"));
        assert_eq!((from_digits("1700000000"), from_digits("1700000000500")), (Some(1.7e9), Some(1_700_000_000.5)));
        assert_eq!(from_digits("7"), None);
    }
}
