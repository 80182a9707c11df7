//! Cron expressions in a time zone, and the plan for due times.
//!
//! Daylight saving time: a daily time that does not exist (`30 2 * * *`) is due at the first moment after the gap. A daily
//! time that exists twice is due the first time. Expressions with several times a day follow local time: times in the gap
//! are skipped, repeated times are due twice.

use std::collections::VecDeque;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use super::CatchUp;
use crate::field::FieldError;

/// Maximum number of due times in one plan; earlier ones are dropped.
pub const MAX_DUE: usize = 100;
/// Due times enumerated before the search skips ahead.
const MAX_STEPS: usize = 1_000;
/// Maximum length of a cron expression, in characters.
const MAX_CRON: usize = 200;

/// The due times of a schedule.
#[derive(Debug, Clone)]
pub struct Timetable {
    cron: Cron,
    zone: Tz,
}

/// What to do about the due times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Submit a job for each of these, earliest first.
    pub fire: Vec<DateTime<Utc>>,
    /// Record these as missed, earliest first.
    pub missed: Vec<DateTime<Utc>>,
    /// The next due time.
    pub next: Option<DateTime<Utc>>,
}

impl Timetable {
    /// Parses a cron expression and the IANA name of its time zone. The expression has five fields (minute, hour, day of
    /// month, month, day of week), six with seconds first, or is a nickname such as `@daily`. An expression without a due
    /// time after `now` is refused. Errors name the fields `cron` and `timezone`.
    pub fn parse(cron: &str, timezone: &str, now: DateTime<Utc>) -> Result<Self, Vec<FieldError>> {
        let cron = parse_cron(cron).map_err(|message| FieldError::new("cron", message));
        let zone = timezone.parse::<Tz>().map_err(|_| {
            FieldError::new("timezone", "must be the IANA name of a time zone, such as Europe/Berlin or UTC")
        });
        match (cron, zone) {
            (Ok(cron), Ok(zone)) => {
                let timetable = Self { cron, zone };
                let never = || vec![FieldError::new("cron", "is never due: there is no such day")];
                timetable.next(now).map(|_| timetable).ok_or_else(never)
            }
            (cron, zone) => Err(cron.err().into_iter().chain(zone.err()).collect()),
        }
    }

    /// The first due time after `after`, if there is one.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = self.cron.find_next_occurrence(&after.with_timezone(&self.zone), false).ok()?;
        Some(next.with_timezone(&Utc))
    }

    /// The first `count` due times after `after`.
    pub fn upcoming(&self, after: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        std::iter::successors(self.next(after), |at| self.next(*at)).take(count).collect()
    }

    /// The plan at `now` for the due times from `first` on. All but the latest are missed. The latest is missed too if it
    /// is more than `late` ago.
    pub fn plan(&self, first: DateTime<Utc>, now: DateTime<Utc>, catch_up: CatchUp, late: Duration) -> Plan {
        let mut due = self.due(first, now);
        let next = self.next(now);
        let fire = match catch_up {
            CatchUp::All => std::mem::take(&mut due),
            CatchUp::Skip if due.last().is_some_and(|latest| now - *latest > late) => Vec::new(),
            CatchUp::One | CatchUp::Skip => due.pop().into_iter().collect(),
        };
        Plan { fire, missed: due, next }
    }

    /// The latest [`MAX_DUE`] due times from `first` to `now`, both inclusive, earliest first.
    fn due(&self, first: DateTime<Utc>, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let (mut from, mut start) = (first, Some(first));
        loop {
            let times = std::iter::successors(start, |at| self.next(*at)).take_while(|at| *at <= now);
            let mut latest = VecDeque::new();
            let mut steps = 0;
            for time in times.take(MAX_STEPS) {
                steps += 1;
                latest.push_back(time);
                if latest.len() > MAX_DUE {
                    latest.pop_front();
                }
            }
            if steps < MAX_STEPS {
                return latest.into();
            }
            // For example a schedule for every second after a month of downtime: search the later half only.
            from += (now - from) / 2;
            start = self.next(from);
        }
    }
}

fn parse_cron(text: &str) -> Result<Cron, String> {
    if text.len() > MAX_CRON || !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(format!("must be at most {MAX_CRON} characters of ASCII"));
    }
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| {
        format!(
            "must be five fields (minute, hour, day of month, month, day of week), or six with seconds in front: {error}"
        )
    })
}

#[cfg(test)]
mod tests;
