//! Validates requests for jobs: single submissions, bulk submissions and schedules.

use chrono::{DateTime, Datelike, Utc};
use trainyard_domain::spec::{MAX_SEED, SourceModel};
use trainyard_domain::{FieldError, IndexedDataset, JobSpec, webhook};

use crate::routes::predictions::request::CompletePrediction;
use crate::routes::training::request::CompleteRequest;

/// The last year that every database and every client supports.
const LAST_YEAR: i32 = 9999;

/// Checks everything that can be checked before training; `dataset` is `None` when the named dataset does not exist.
///
/// # Errors
/// Every refused field, once.
pub(crate) fn validate(
    request: &CompleteRequest,
    dataset: Option<&IndexedDataset>,
    webhooks: webhook::Rules,
) -> Result<JobSpec, Vec<FieldError>> {
    let draft = &request.draft;
    let mut errors = common_errors(draft.webhook_url.as_deref(), draft.run_at, webhooks);
    if draft.seed > MAX_SEED {
        errors.push(FieldError::new("seed", format!("must be a whole number from 0 to {MAX_SEED}")));
    }
    with_errors(errors, draft.validate(dataset))
}

/// As [`validate`], for a prediction. `model` is the requested version, or what is wrong with it.
///
/// # Errors
/// Every refused field, once.
pub(super) fn validate_prediction(
    request: &CompletePrediction,
    model: Result<&SourceModel, &FieldError>,
    dataset: Option<&IndexedDataset>,
    webhooks: webhook::Rules,
) -> Result<JobSpec, Vec<FieldError>> {
    let draft = &request.draft;
    let errors = common_errors(draft.webhook_url.as_deref(), draft.run_at, webhooks);
    with_errors(errors, draft.validate(model, dataset))
}

/// The errors of fields that every kind of job has.
fn common_errors(
    webhook_url: Option<&str>,
    run_at: Option<DateTime<Utc>>,
    webhooks: webhook::Rules,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(Err(message)) = webhook_url.map(|url| webhooks.check(url)) {
        errors.push(FieldError::new("webhook_url", message));
    }
    if run_at.is_some_and(|run_at| !(0..=LAST_YEAR).contains(&run_at.year())) {
        errors.push(FieldError::new("run_at", "must be in the years 0000 to 9999"));
    }
    errors
}

fn with_errors(
    mut errors: Vec<FieldError>,
    validated: Result<JobSpec, Vec<FieldError>>,
) -> Result<JobSpec, Vec<FieldError>> {
    match validated {
        Ok(spec) if errors.is_empty() => Ok(spec),
        Ok(_) => Err(errors),
        Err(refused) => {
            errors.extend(refused);
            Err(errors)
        }
    }
}

/// Puts the path of the training request in front of each field: `jobs[3].` or `spec.`.
pub(crate) fn with_prefix(prefix: &str, errors: Vec<FieldError>) -> impl Iterator<Item = FieldError> {
    errors.into_iter().map(move |FieldError { field, message }| FieldError::new(format!("{prefix}{field}"), message))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::routes::training::request::TrainingRequest;

    fn refused(more: Value) -> Vec<String> {
        let mut body = json!({"name": "m", "algorithm": "svm", "features": ["sex"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = serde_json::from_value::<TrainingRequest>(body).unwrap().complete();
        let webhooks = webhook::Rules { enabled: false, allow_private_addresses: false };
        validate(&request, None, webhooks).unwrap_err().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn webhooks_without_a_secret_years_past_9999_and_seeds_past_2_to_the_53_are_refused() {
        let wrong = json!({"webhook_url": "https://example.com", "run_at": "+10000-01-01T00:00:00Z", "seed": -1});
        assert_eq!(refused(wrong), ["webhook_url", "run_at", "seed", "dataset"]);
        assert_eq!(refused(json!({"seed": 9_007_199_254_740_992_u64})), ["seed", "dataset"]);
        assert_eq!(refused(json!({"seed": 9_007_199_254_740_991_u64})), ["dataset"]);
    }

    #[test]
    fn each_field_is_refused_once() {
        let wrong = json!({"algorithm": "noop", "webhook_url": "ftp://x", "dataset": "mine"});
        assert_eq!(refused(wrong), ["webhook_url", "algorithm", "dataset"]);
    }

    #[test]
    fn fields_are_named_by_their_path() {
        let named: Vec<_> = with_prefix("jobs[3].", vec![FieldError::new("features[0]", "x")]).collect();
        assert_eq!(named, [FieldError::new("jobs[3].features[0]", "x")]);
    }
}
