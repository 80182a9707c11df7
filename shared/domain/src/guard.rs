//! The guard of a new version: limits on its failed and slow predictions. A version that exceeds a limit is rolled back.

use chrono::{DateTime, Utc};

use crate::field::FieldError;
use crate::ids::GuardId;
use crate::model::ModelName;

/// Share of the predictions that may take longer than a limit on p99.
const SLOW_SHARE: f64 = 0.01;
/// Longest duration of a guard, in seconds: a week.
pub const MAX_GUARD_S: i64 = 604_800;
/// Highest `min_requests`.
pub const MAX_MIN_REQUESTS: i64 = 1_000_000_000;
/// Highest `max_p99_ms`: ten minutes.
pub const MAX_P99_MS: f64 = 600_000.0;

/// The limits of a guard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardLimits {
    /// The highest share of failed predictions, from 0 to 1.
    pub max_error_rate: Option<f64>,
    /// The highest 99th percentile of the duration of a prediction, in milliseconds.
    pub max_p99_ms: Option<f64>,
    /// The least number of predictions before a limit counts.
    pub min_requests: i64,
}

impl GuardLimits {
    /// Checks the fields of a request. `for_s` is the duration of the guard in seconds.
    pub fn check(&self, for_s: i64) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: String| errors.push(FieldError::new(format!("guard.{field}"), message));
        if self.max_error_rate.is_none() && self.max_p99_ms.is_none() {
            refuse("max_error_rate", "is required, unless the guard has max_p99_ms".into());
        }
        if self.max_error_rate.is_some_and(|rate| !(0.0..1.0).contains(&rate)) {
            refuse("max_error_rate", "must be a number from 0 to below 1".into());
        }
        if self.max_p99_ms.is_some_and(|limit| !(limit > 0.0 && limit <= MAX_P99_MS)) {
            refuse("max_p99_ms", format!("must be a number above 0, and at most {MAX_P99_MS}"));
        }
        if !(1..=MAX_GUARD_S).contains(&for_s) {
            refuse("for_s", format!("must be a whole number from 1 to {MAX_GUARD_S}"));
        }
        if !(1..=MAX_MIN_REQUESTS).contains(&self.min_requests) {
            refuse("min_requests", format!("must be a whole number from 1 to {MAX_MIN_REQUESTS}"));
        }
        errors
    }
}

/// What a guard returns to when a limit is exceeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guarded {
    /// The alias: it returns to the version before.
    Alias(String),
    /// The weights of the model's traffic: they are deleted, so that `production` answers.
    Weights,
}

/// A guard, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// Its id.
    pub id: GuardId,
    /// The model.
    pub model: ModelName,
    /// The guarded version.
    pub version: i64,
    /// What is rolled back.
    pub guarded: Guarded,
    /// The limits.
    pub limits: GuardLimits,
    /// The end of the guard.
    pub ends_at: DateTime<Utc>,
}

/// The predictions of the guarded version since the guard began. Refused requests do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GuardCounts {
    /// All predictions.
    pub requests: i64,
    /// Predictions that failed by a defect.
    pub failed: i64,
    /// Predictions that took longer than `max_p99_ms`.
    pub slow: i64,
}

/// The state of a guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardVerdict {
    /// No limit is exceeded, and the guard has not ended.
    Watching,
    /// The guard has ended, and no limit was exceeded.
    Passed,
    /// A limit is exceeded; one sentence.
    Exceeded(String),
}

impl Guard {
    /// The guarded alias; `None` if the weights are guarded.
    pub fn alias(&self) -> Option<&str> {
        match &self.guarded {
            Guarded::Alias(alias) => Some(alias),
            Guarded::Weights => None,
        }
    }

    /// The state of the guard at `now`.
    pub fn verdict(&self, counts: GuardCounts, now: DateTime<Utc>) -> GuardVerdict {
        let GuardCounts { requests, failed, slow } = counts;
        if requests >= self.limits.min_requests {
            let share = |part: i64| part as f64 / requests as f64;
            let percent = |share: f64| (share * 1e4).round() / 100.0;
            if let Some(limit) = self.limits.max_error_rate.filter(|limit| share(failed) > *limit) {
                let (found, limit) = (percent(share(failed)), percent(limit));
                return GuardVerdict::Exceeded(format!(
                    "{failed} of {requests} predictions of version {} failed ({found} %, and max_error_rate is {limit} %)",
                    self.version
                ));
            }
            if let Some(limit) = self.limits.max_p99_ms.filter(|_| share(slow) > SLOW_SHARE) {
                let found = percent(share(slow));
                return GuardVerdict::Exceeded(format!(
                    "{slow} of {requests} predictions of version {} ({found} %) took longer than max_p99_ms, {limit} ms",
                    self.version
                ));
            }
        }
        if now >= self.ends_at { GuardVerdict::Passed } else { GuardVerdict::Watching }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const LIMITS: GuardLimits = GuardLimits { max_error_rate: Some(0.05), max_p99_ms: Some(50.0), min_requests: 100 };

    fn verdict(requests: i64, failed: i64, slow: i64, after_s: i64) -> GuardVerdict {
        let began = DateTime::UNIX_EPOCH;
        let guard = Guard {
            id: GuardId::at(began),
            model: ModelName::parse("m").unwrap(),
            version: 4,
            guarded: Guarded::Alias("production".into()),
            limits: LIMITS,
            ends_at: began + TimeDelta::seconds(600),
        };
        guard.verdict(GuardCounts { requests, failed, slow }, began + TimeDelta::seconds(after_s))
    }

    #[test]
    fn a_limit_counts_from_the_least_number_of_requests() {
        assert_eq!(verdict(99, 99, 99, 1), GuardVerdict::Watching);
        assert_eq!(verdict(100, 5, 1, 1), GuardVerdict::Watching, "both are at their limit");
        assert_eq!(
            verdict(100, 6, 0, 1),
            GuardVerdict::Exceeded("6 of 100 predictions of version 4 failed (6 %, and max_error_rate is 5 %)".into())
        );
        assert_eq!(
            verdict(300, 0, 4, 1),
            GuardVerdict::Exceeded(
                "4 of 300 predictions of version 4 (1.33 %) took longer than max_p99_ms, 50 ms".into()
            )
        );
    }

    #[test]
    fn a_guard_passes_at_its_end_unless_a_limit_is_exceeded() {
        assert_eq!(verdict(0, 0, 0, 599), GuardVerdict::Watching);
        assert_eq!(verdict(0, 0, 0, 600), GuardVerdict::Passed);
        assert!(matches!(verdict(1_000, 900, 0, 700), GuardVerdict::Exceeded(_)));
    }

    #[test]
    fn the_fields_of_a_request_are_checked() {
        let fields =
            |limits: GuardLimits, for_s| limits.check(for_s).into_iter().map(|error| error.field).collect::<Vec<_>>();
        assert!(fields(LIMITS, 600).is_empty());
        let none = GuardLimits { max_error_rate: None, max_p99_ms: None, min_requests: 0 };
        assert_eq!(fields(none, 0), ["guard.max_error_rate", "guard.for_s", "guard.min_requests"]);
        for rate in [-0.1, 1.0, f64::NAN] {
            assert_eq!(fields(GuardLimits { max_error_rate: Some(rate), ..LIMITS }, 1), ["guard.max_error_rate"]);
        }
        for limit in [0.0, -1.0, 1e9, f64::NAN] {
            assert_eq!(fields(GuardLimits { max_p99_ms: Some(limit), ..LIMITS }, 1), ["guard.max_p99_ms"]);
        }
    }
}
