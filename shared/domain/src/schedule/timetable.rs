//! Cron expressions in a time zone, and which of the times that have come are acted upon.
//!
//! Where the clock is put forward, a single time of day that does not exist (`30 2 * * *`) comes at the first moment
//! after the gap; where it is put back, one that exists twice comes the first time. Expressions with several times a day
//! go by the clock on the wall: times in the gap are left out, repeated ones come again.

use std::collections::VecDeque;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use super::CatchUp;
use crate::field::FieldError;

/// Most due times that are looked at together. Of more than that, the earlier ones are forgotten.
pub const MAX_DUE: usize = 100;
/// Steps taken from one due time to the next before the search jumps ahead.
const MAX_STEPS: usize = 1_000;
/// Longest cron expression, in characters.
const MAX_CRON: usize = 200;

/// When a schedule is due.
#[derive(Debug, Clone)]
pub struct Timetable {
    cron: Cron,
    zone: Tz,
}

/// What to do about the times that have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Submit a job for each of these, earliest first.
    pub fire: Vec<DateTime<Utc>>,
    /// Leave these out, earliest first.
    pub missed: Vec<DateTime<Utc>>,
    /// Look again then.
    pub next: Option<DateTime<Utc>>,
}

impl Timetable {
    /// Reads a cron expression of five fields (minute, hour, day of month, month, day of week), six with seconds in
    /// front, or a nickname such as `@daily`, and the IANA name of the time zone that it is meant in. A year has no
    /// field. `now` is where the search for its first time starts: one that never comes is refused.
    ///
    /// # Errors
    /// `cron` or `timezone`, or both.
    pub fn parse(cron: &str, timezone: &str, now: DateTime<Utc>) -> Result<Self, Vec<FieldError>> {
        let cron = parse_cron(cron).map_err(|message| FieldError::new("cron", message));
        let zone = timezone.parse::<Tz>().map_err(|_| {
            FieldError::new("timezone", "must be the IANA name of a time zone, such as Europe/Berlin or UTC")
        });
        match (cron, zone) {
            (Ok(cron), Ok(zone)) => {
                let timetable = Self { cron, zone };
                let never = || vec![FieldError::new("cron", "never comes: there is no such day")];
                timetable.next(now).map(|_| timetable).ok_or_else(never)
            }
            (cron, zone) => Err(cron.err().into_iter().chain(zone.err()).collect()),
        }
    }

    /// The first time after `after`; `None` when there is none in the next thousands of years.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = self.cron.find_next_occurrence(&after.with_timezone(&self.zone), false).ok()?;
        Some(next.with_timezone(&Utc))
    }

    /// The first `count` times after `after`.
    pub fn upcoming(&self, after: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        std::iter::successors(self.next(after), |at| self.next(*at)).take(count).collect()
    }

    /// What to do at `now` about the times from `first` on. Of those that have come, all but the latest were missed,
    /// and so was the latest when it is more than `late` ago.
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

    /// The latest [`MAX_DUE`] times from `first` to `now`, both included, earliest first.
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
            // A second's schedule after a month away: the later half of the time has more than enough.
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
