//! The time of a log line, as RFC 3339 with microseconds in UTC.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

thread_local! {
    /// The last second that this thread has formatted, and its text: most lines have the same second as the line before.
    static LAST: Cell<(u64, [u8; 19])> = const { Cell::new((0, *b"1970-01-01T00:00:00")) };
}

/// Appends the current time.
pub(crate) fn write_now(text: &mut Vec<u8>) {
    write(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), text);
}

fn write(since_epoch: Duration, text: &mut Vec<u8>) {
    let seconds = since_epoch.as_secs();
    let (mut last, mut second) = LAST.get();
    if last != seconds {
        (last, second) = (seconds, format(seconds));
        LAST.set((last, second));
    }
    text.extend_from_slice(&second);
    let mut fraction = *b".000000Z";
    digits(since_epoch.subsec_micros().into(), &mut fraction[1..7]);
    text.extend_from_slice(&fraction);
}

/// The text of a second, counted from 1970. The date is computed by the algorithm `civil_from_days` of Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", for days from 1970 on. It counts years from March, so that a leap day is the
/// last day of its year, and days from 0000-03-01.
fn format(seconds: u64) -> [u8; 19] {
    let (days, second) = (seconds / SECONDS_PER_DAY + 719_468, seconds % SECONDS_PER_DAY);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let mut text = *b"0000-00-00T00:00:00";
    for (value, range) in [
        (year, 0..4),
        (month, 5..7),
        (day, 8..10),
        (second / 3600, 11..13),
        (second / 60 % 60, 14..16),
        (second % 60, 17..19),
    ] {
        digits(value, &mut text[range]);
    }
    text
}

/// Writes the last decimal digits of `value`.
fn digits(mut value: u64, text: &mut [u8]) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: u64, micros: u32) -> String {
        let mut text = Vec::new();
        write(Duration::new(seconds, micros * 1_000 + 999), &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn times_have_the_dates_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (951_868_800, "2000-03-01T00:00:00"),
            (1_704_067_199, "2023-12-31T23:59:59"),
            (1_709_208_000, "2024-02-29T12:00:00"),
            (4_107_542_400, "2100-03-01T00:00:00"),
        ] {
            assert_eq!(text(seconds, 7), format!("{expected}.000007Z"));
            assert_eq!(text(seconds, 123_456), format!("{expected}.123456Z"), "the same second again");
        }
    }
}
