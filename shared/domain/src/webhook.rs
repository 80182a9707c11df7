//! Webhooks for jobs that reach a final state, as Standard Webhooks defines them (<https://www.standardwebhooks.com>).
//!
//! [`event`] makes the payload, [`Rules`] validate the URL, [`after`] decides what follows an attempt.

mod address;
mod rules;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use crate::ids::{DeliveryId, JobId};
use crate::job::{Job, JobStatus};
use crate::spec::JobKind;

pub use address::is_public;
pub use rules::{MAX_URL_LENGTH, Rules, masked, receiver};

/// The status of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// Waits for its next attempt.
    Pending,
    /// The receiver accepted it.
    Delivered,
    /// No attempt succeeded, or the receiver answered 410.
    Failed,
}

impl DeliveryStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The status with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A delivery, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its id, sent as `webhook-id` with every attempt, by which receivers detect duplicates.
    pub id: DeliveryId,
    /// The job of the event.
    pub job_id: JobId,
    /// The URL.
    pub url: String,
    /// The [`receiver`] of the URL.
    pub receiver: String,
    /// The event type, such as `training.succeeded`.
    pub event: String,
    /// The body.
    pub payload: Value,
    /// Its status.
    pub status: DeliveryStatus,
    /// Increases with every attempt and replay. The result of an attempt with an older claim is not recorded.
    pub claim: i64,
    /// Attempts in the current series. A replay begins a new series.
    pub attempts: i64,
    /// When the next attempt is due.
    pub next_attempt_at: DateTime<Utc>,
    /// HTTP status of the last answer.
    pub last_status: Option<i64>,
    /// Why the last attempt failed, for people.
    pub last_error: Option<String>,
    /// When the job reached a final state.
    pub created_at: DateTime<Utc>,
    /// When it was delivered or failed.
    pub finished_at: Option<DateTime<Utc>>,
}

/// The event type and the payload of a job in a final state; `None` for other jobs.
///
/// The payload contains numeric metrics only, because lists and tables can be long.
pub fn event(job: &Job) -> Option<(&'static str, Value)> {
    let event = match (job.spec.kind(), job.status) {
        (_, JobStatus::Queued | JobStatus::Running) => return None,
        (JobKind::Training, JobStatus::Succeeded) => "training.succeeded",
        (JobKind::Training, JobStatus::Failed) => "training.failed",
        (JobKind::Training, JobStatus::Cancelled) => "training.cancelled",
        (JobKind::Prediction, JobStatus::Succeeded) => "prediction.succeeded",
        (JobKind::Prediction, JobStatus::Failed) => "prediction.failed",
        (JobKind::Prediction, JobStatus::Cancelled) => "prediction.cancelled",
    };
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let mut data = json!({
        "job_id": job.id,
        "kind": job.spec.kind(),
        "name": job.spec.name,
        "algorithm": job.spec.algorithm(),
        "status": job.status,
        "created_at": time(job.created_at),
        "finished_at": job.finished_at.map(time),
    });
    match job.spec.prediction() {
        None => {
            if let Some(version) = job.model_version {
                data["model"] = json!({"name": job.spec.name, "version": version});
            }
        }
        Some(prediction) => {
            data["model"] = json!({"name": job.spec.name, "version": prediction.version});
            data["dataset"] = json!({"name": job.spec.dataset, "version": job.spec.dataset_version});
            if job.status == JobStatus::Succeeded {
                data["result_url"] = json!(result_path(job.id));
            }
        }
    }
    if let Some(Value::Object(metrics)) = &job.metrics {
        let numbers = metrics.iter().filter(|(_, value)| value.is_number());
        data["metrics"] = numbers.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into();
    }
    if let Some(error) = &job.error {
        data["error"] = json!(error);
    }
    let at = job.finished_at.map(time);
    Some((event, json!({"type": event, "timestamp": at, "data": data})))
}

/// The path of the result of a prediction job in the API.
pub fn result_path(job: JobId) -> String {
    format!("/predictions/{job}/result")
}

/// The result of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptResult {
    /// The HTTP status, if the receiver answered.
    pub status: Option<u16>,
    /// The receiver's `Retry-After` in seconds.
    pub retry_after_s: Option<i64>,
    /// Why there was no answer, for people.
    pub error: Option<String>,
}

impl AttemptResult {
    /// Whether the receiver accepted the event.
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// What follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryDecision {
    /// The delivery succeeded.
    Delivered,
    /// Another attempt at this time.
    Retry(DateTime<Utc>),
    /// The delivery failed.
    Failed,
}

/// 410 Gone: Standard Webhooks says to stop sending.
const GONE: u16 = 410;

/// Decides what follows the attempt number `attempts` of a series, which ended with `answer` at `now`.
///
/// `pauses` are the backoff delays in seconds, one for each retry. `jitter`, a uniform draw from 0..1, adds up to 10 %.
/// `Retry-After` of the receiver may lengthen the delay up to the longest of `pauses`.
pub fn decide(
    answer: &AttemptResult,
    attempts: i64,
    pauses: &[i64],
    now: DateTime<Utc>,
    jitter: f64,
) -> DeliveryDecision {
    if answer.is_success() {
        return DeliveryDecision::Delivered;
    }
    let next = usize::try_from(attempts - 1).ok().and_then(|retry| pauses.get(retry));
    let (Some(&pause), false) = (next, answer.status == Some(GONE)) else { return DeliveryDecision::Failed };
    let longest = pauses.iter().copied().max().unwrap_or(pause);
    let asked = answer.retry_after_s.unwrap_or(0).min(longest);
    #[allow(clippy::cast_possible_truncation, reason = "a pause is at most some days")]
    let spread = (pause as f64 * 100.0 * jitter.clamp(0.0, 1.0)) as i64;
    DeliveryDecision::Retry(now + Duration::seconds(pause.max(asked)) + Duration::milliseconds(spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSES: &[i64] = &[5, 300];

    fn answered(status: u16) -> AttemptResult {
        AttemptResult { status: Some(status), ..AttemptResult::default() }
    }

    fn pause(answer: &AttemptResult, attempts: i64, jitter: f64) -> Option<i64> {
        match decide(answer, attempts, PAUSES, DateTime::UNIX_EPOCH, jitter) {
            DeliveryDecision::Retry(at) => Some(at.timestamp_millis()),
            DeliveryDecision::Failed => None,
            DeliveryDecision::Delivered => panic!("delivered"),
        }
    }

    #[test]
    fn only_a_2xx_counts_as_delivered() {
        let deliver = |status| decide(&answered(status), 1, PAUSES, DateTime::UNIX_EPOCH, 0.0);
        for status in [200, 202, 204, 299] {
            assert_eq!(deliver(status), DeliveryDecision::Delivered);
        }
        for status in [100, 199, 301, 302, 308, 400, 404, 429, 500, 503] {
            assert_ne!(deliver(status), DeliveryDecision::Delivered, "{status}");
        }
        assert_eq!(deliver(410), DeliveryDecision::Failed, "410 is never retried");
    }

    #[test]
    fn attempts_follow_the_pauses_and_then_fail() {
        assert_eq!(pause(&answered(500), 1, 0.0), Some(5_000));
        assert_eq!(pause(&AttemptResult::default(), 2, 0.0), Some(300_000));
        assert_eq!(pause(&answered(500), 2, 1.0), Some(330_000), "jitter adds up to 10 %");
        assert_eq!(pause(&answered(500), 3, 0.0), None);
        assert_eq!(pause(&answered(500), 4, 0.0), None, "nor after more attempts than pauses");
    }

    #[test]
    fn retry_after_lengthens_a_pause_up_to_the_longest() {
        let asks = |seconds| AttemptResult { retry_after_s: Some(seconds), ..answered(503) };
        assert_eq!(pause(&asks(60), 1, 0.0), Some(60_000));
        assert_eq!(pause(&asks(1), 1, 0.0), Some(5_000), "it does not shorten a pause");
        assert_eq!(pause(&asks(i64::MAX), 1, 0.0), Some(300_000));
    }

    #[test]
    fn statuses_read_back() {
        for status in DeliveryStatus::ALL {
            assert_eq!(DeliveryStatus::parse(status.as_str()), Some(status));
        }
    }
}
