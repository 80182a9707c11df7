//! What a request that finds nothing is told, and how it is counted.

use std::time::Duration;

use trainyard_domain::{FieldError, shown};
use trainyard_http::{Code, Problem};
use trainyard_telemetry::catalogue;

use crate::registry::Miss;

/// When to come back while nothing is known: the registry asks the database five times a second.
const SOON_S: u64 = 1;
/// Names listed to a client that must choose.
const SHOWN: usize = 20;

/// The answer to a request that finds nothing.
pub(crate) fn problem(miss: Miss) -> Problem {
    match miss {
        Miss::Unknown => {
            Problem::new(Code::Unavailable, "no model is loaded yet; try again shortly").retry_after(SOON_S)
        }
        Miss::NoModels => missing("model", "no model has been published yet; train one with POST /training".to_owned()),
        Miss::Ambiguous(mut names) => {
            let more = if names.len() > SHOWN { ", …" } else { "" };
            names.truncate(SHOWN);
            let names = names.join(", ");
            Problem::field("model", format!("is required: there are several models ({names}{more}) and no default"))
        }
        Miss::Model(model) => missing("model", format!("no model called '{}' is served", shown(&model))),
        Miss::Alias(model, alias) => {
            missing("alias", format!("the model '{}' has no alias '{}'", shown(&model), shown(&alias)))
        }
        Miss::Version(model, version) | Miss::NotLoaded(model, version) => {
            missing("version", format!("there is no version {version} of a model '{}'", shown(&model)))
        }
        Miss::Waiting(model, wait) => Problem::new(
            Code::Unavailable,
            format!("the version of '{model}' asked for is not loaded; try again shortly"),
        )
        .retry_after(seconds(wait)),
    }
}

/// Counts a request that reached no version. Its model's name is the client's own text, so it is no label.
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

fn missing(field: &str, message: String) -> Problem {
    Problem::not_found(message.clone()).about(vec![FieldError::new(field, message)])
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs_f64().ceil().max(1.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_whole_seconds_and_never_zero() {
        assert_eq!([0, 300, 1_000, 1_001].map(|ms| seconds(Duration::from_millis(ms))), [1, 1, 1, 2]);
    }

    #[test]
    fn a_404_names_the_field() {
        let problem = problem(Miss::Version("m".into(), 9));
        assert_eq!((problem.code(), problem.errors()[0].field.as_str()), (Code::NotFound, "version"));
    }
}
