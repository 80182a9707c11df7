//! The format of error responses: problem documents, and the errors of the Open Inference Protocol under `/v2`.

use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Code, PROBLEM_JSON, Problem, bounds};

/// Maximum number of refused fields in the sentence of a V2 error.
const MAX_FIELDS: usize = 10;

/// The format of the error responses of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorFormat {
    /// An RFC 9457 problem document.
    Problem,
    /// The error object of the Open Inference Protocol.
    OpenInference,
}

/// An error of the Open Inference Protocol, whose clients expect this object from every route under `/v2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = V2Error)]
pub struct V2Error {
    /// What is wrong in this request, in a sentence.
    #[schema(example = "the input 'age' is missing; the inputs of this model are sex, age, pclass")]
    pub error: String,
}

impl ErrorFormat {
    /// The format of a path or a path template. Paths without a route have it too.
    pub(crate) fn of(path: &str) -> Self {
        match path.strip_prefix("/v2") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::OpenInference,
            _ => Self::Problem,
        }
    }

    /// The status of a problem. The protocol knows no 415 and 422, and its implementations answer 400.
    pub(crate) fn status(self, code: Code) -> StatusCode {
        match (self, code) {
            (Self::OpenInference, Code::ValidationFailed | Code::UnsupportedMediaType) => StatusCode::BAD_REQUEST,
            _ => code.status(),
        }
    }

    /// The media type of the body.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Problem => PROBLEM_JSON,
            Self::OpenInference => "application/json",
        }
    }

    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(self.media_type())
    }

    /// The body.
    pub(crate) fn render(self, problem: &Problem, request_id: &str) -> Vec<u8> {
        match self {
            Self::Problem => problem.render(Some(request_id)),
            Self::OpenInference => serde_json::to_vec(&V2Error { error: sentence(problem) }).unwrap_or_default(),
        }
    }
}

/// The detail of the problem, or every refused field if there are several: the object has no list of fields.
pub(crate) fn sentence(problem: &Problem) -> String {
    let errors = problem.errors();
    if errors.len() < 2 {
        return bounds::text(problem.detail()).into_owned();
    }
    let shown = errors.iter().take(MAX_FIELDS);
    let mut parts: Vec<_> =
        shown.map(|error| format!("{} {}", bounds::field(&error.field), bounds::text(&error.message))).collect();
    let more = errors.len().saturating_sub(MAX_FIELDS);
    if more > 0 {
        parts.push(format!("and {more} more"));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use trainyard_domain::FieldError;

    use super::*;

    #[test]
    fn only_paths_under_v2_have_the_format_of_the_protocol() {
        for path in ["/v2", "/v2/", "/v2/models/m/infer", "/v2/nothing"] {
            assert_eq!(ErrorFormat::of(path), ErrorFormat::OpenInference, "{path}");
        }
        for path in ["/", "/v20", "/v1/models", "/models/v2", "/inference"] {
            assert_eq!(ErrorFormat::of(path), ErrorFormat::Problem, "{path}");
        }
    }

    #[test]
    fn the_sentence_names_every_field() {
        let text = |errors| {
            let body = ErrorFormat::OpenInference.render(&Problem::validation(errors), "id");
            serde_json::from_slice::<V2Error>(&body).unwrap().error
        };
        assert_eq!(text(vec![FieldError::new("id", "must be text")]), "id must be text");
        let many = |count| (0..count).map(|i| FieldError::new(format!("f{i}"), "is unknown")).collect();
        assert_eq!(text(many(2)), "f0 is unknown; f1 is unknown");
        assert!(text(many(13)).ends_with("f9 is unknown; and 3 more"));
    }
}
