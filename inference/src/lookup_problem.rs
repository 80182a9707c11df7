//! The responses and metrics of requests that find no version.

use std::time::Duration;

use trainyard_domain::{FieldError, shown};
use trainyard_http::{Code, Problem};
use trainyard_telemetry::catalogue;

use crate::registry::LookupError;

/// Retry-After while the list of models is not known; the database is polled several times a second.
const RETRY_AFTER_S: u64 = 1;
/// Maximum number of model names in an error message.
const MAX_NAMES: usize = 20;

/// The problem document for a failed lookup.
pub(crate) fn problem(error: LookupError) -> Problem {
    match error {
        LookupError::Unknown => {
            Problem::new(Code::Unavailable, "the list of models is not loaded yet; retry after the time in Retry-After")
                .retry_after(RETRY_AFTER_S)
        }
        LookupError::NoModels => {
            missing("model", "no model has been published yet; train one with POST /training".to_owned())
        }
        LookupError::Ambiguous(mut names) => {
            let more = if names.len() > MAX_NAMES { ", …" } else { "" };
            names.truncate(MAX_NAMES);
            let names = names.join(", ");
            Problem::field(
                "model",
                format!("is required, because there are several models ({names}{more}) and no default model"),
            )
        }
        LookupError::Model(model) => missing("model", format!("no model named '{}' is served", shown(&model))),
        LookupError::Alias(model, alias) => {
            missing("alias", format!("the model '{}' has no alias '{}'", shown(&model), shown(&alias)))
        }
        LookupError::Version(model, version) | LookupError::NotLoaded(model, version) => {
            missing("version", format!("there is no version {version} of a model '{}'", shown(&model)))
        }
        LookupError::Loading(model, wait) => Problem::new(
            Code::Unavailable,
            format!("the requested version of '{model}' is not loaded; retry after the time in Retry-After"),
        )
        .retry_after(seconds(wait)),
        LookupError::TooLarge { model, version, bytes, left } => Problem::field(
            "version",
            format!(
                "{version} of '{}' needs {} MB of memory, but inference.memory_budget_mb leaves {} MB for versions that only \
                 requests name; point an alias at the version, or raise the budget",
                shown(&model),
                bytes.div_ceil(1 << 20),
                left >> 20,
            ),
        ),
    }
}

/// Counts a request that was refused because too many large requests were waiting.
pub(crate) fn count_overload(_: &Problem) {
    record_overload();
}

/// Counts a request that was refused because the process is overloaded.
pub(crate) fn record_overload() {
    metrics::counter!(catalogue::INFERENCE_REQUESTS_TOTAL, "model" => "", "version" => "", "outcome" => "overloaded")
        .increment(1);
}

/// Counts a request that found no version. The model's name comes from the client, so it is not used as a label.
pub(crate) fn count(problem: &Problem) {
    let outcome = match problem.code() {
        Code::NotFound => "not_found",
        Code::Unavailable => "unavailable",
        Code::Internal => "failed",
        _ => "refused",
    };
    metrics::counter!(catalogue::INFERENCE_REQUESTS_TOTAL, "model" => "", "version" => "", "outcome" => outcome)
        .increment(1);
}

/// The 404 about a field of the request.
pub(crate) fn missing(field: &str, message: String) -> Problem {
    Problem::not_found(message.clone()).about(vec![FieldError::new(field, message)])
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs_f64().ceil().max(1.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up_to_at_least_one_second() {
        assert_eq!([0, 300, 1_000, 1_001].map(|ms| seconds(Duration::from_millis(ms))), [1, 1, 1, 2]);
    }

    #[test]
    fn a_404_names_the_field() {
        let problem = problem(LookupError::Version("m".into(), 9));
        assert_eq!((problem.code(), problem.errors()[0].field.as_str()), (Code::NotFound, "version"));
    }
}
