//! The filter of a list, a count or a bulk action.

use serde::{Deserialize, Serialize};
use trainyard_domain::job_filter::parse_search;
use trainyard_domain::{
    Algorithm, Condition, DatasetName, FailureCode, FieldError, JobFilter, JobKind, JobStatus, ModelName, UserId,
};
use trainyard_http::Principal;
use utoipa::{IntoParams, ToSchema};

/// Which jobs match. A job must match every given filter. A filter takes one value, several values separated by commas (any of
/// them), or `!` before the first value (none of them).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[schema(example = json!({"status": "failed", "name": "!titanic-rf", "search": "memory"}))]
pub struct FilterView {
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(
        pattern = "^!?(queued|running|succeeded|failed|cancelled)(,(queued|running|succeeded|failed|cancelled)){0,19}$",
        example = "failed,cancelled"
    )]
    #[schema(
        pattern = "^!?(queued|running|succeeded|failed|cancelled)(,(queued|running|succeeded|failed|cancelled)){0,19}$",
        example = "failed,cancelled"
    )]
    status: Option<String>,
    /// `training`, `prediction`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^!?(training|prediction)(,(training|prediction)){0,19}$", example = "prediction")]
    #[schema(pattern = "^!?(training|prediction)(,(training|prediction)){0,19}$", example = "prediction")]
    kind: Option<String>,
    /// Names of models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^!?[a-z0-9][a-z0-9._-]{0,63}(,[a-z0-9][a-z0-9._-]{0,63}){0,19}$", example = "!titanic-rf")]
    #[schema(pattern = "^!?[a-z0-9][a-z0-9._-]{0,63}(,[a-z0-9][a-z0-9._-]{0,63}){0,19}$", example = "!titanic-rf")]
    name: Option<String>,
    /// Names of algorithms; `GET /algorithms` lists all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^!?[a-z_]+(,[a-z_]+){0,19}$", example = "random_forest,svm")]
    #[schema(pattern = "^!?[a-z_]+(,[a-z_]+){0,19}$", example = "random_forest,svm")]
    algorithm: Option<String>,
    /// Ids of the accounts that submitted the jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    created_by: Option<String>,
    /// Names of datasets, each with all of its versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^!?[a-z0-9][a-z0-9._-]{0,63}(,[a-z0-9][a-z0-9._-]{0,63}){0,19}$", example = "titanic")]
    #[schema(pattern = "^!?[a-z0-9][a-z0-9._-]{0,63}(,[a-z0-9][a-z0-9._-]{0,63}){0,19}$", example = "titanic")]
    dataset: Option<String>,
    /// Error codes of failed jobs. Other jobs have none: a list of codes excludes them, and a list after `!` includes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^!?[a-z_]+(,[a-z_]+){0,19}$", example = "out_of_memory,timeout")]
    #[schema(pattern = "^!?[a-z_]+(,[a-z_]+){0,19}$", example = "out_of_memory,timeout")]
    error_code: Option<String>,
    /// Up to five words, of which all must match. A word matches the beginning of the job's id (four or more hexadecimal
    /// digits), of the model's name, of the dataset's name, of the submitter's e-mail address (for administrators), or of a word of the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 100, example = "memory")]
    #[schema(max_length = 100, example = "memory")]
    search: Option<String>,
}

impl FilterView {
    /// The parsed filter for a caller. The errors name the fields with `prefix` before them.
    pub(crate) fn parse(&self, prefix: &str, principal: &Principal) -> Result<JobFilter, Vec<FieldError>> {
        Ok(JobFilter { search_emails: principal.is_admin(), ..self.parse_fields(prefix)? })
    }

    fn parse_fields(&self, prefix: &str) -> Result<JobFilter, Vec<FieldError>> {
        let mut errors = Errors { prefix, refused: Vec::new() };
        let filter = JobFilter {
            status: errors.condition("status", &self.status, |text| {
                JobStatus::parse(text).ok_or_else(|| one_of(&JobStatus::ALL.map(JobStatus::as_str)))
            }),
            kind: errors.condition("kind", &self.kind, |text| {
                JobKind::parse(text).ok_or_else(|| one_of(&JobKind::ALL.map(JobKind::as_str)))
            }),
            name: errors.condition("name", &self.name, ModelName::parse),
            algorithm: errors.condition("algorithm", &self.algorithm, |text| {
                Algorithm::parse(text).ok_or_else(|| one_of(&Algorithm::ALL.map(Algorithm::as_str)))
            }),
            created_by: errors.condition("created_by", &self.created_by, |text| {
                text.parse::<UserId>().map_err(|_| "must be the id of an account (a UUID)")
            }),
            dataset: errors.condition("dataset", &self.dataset, DatasetName::parse),
            error_code: errors.condition("error_code", &self.error_code, |text| {
                FailureCode::parse(text).ok_or_else(|| one_of(&FailureCode::ALL.map(FailureCode::as_str)))
            }),
            search_emails: false,
            search: errors.take("search", self.search.as_deref().map_or(Ok(vec![]), parse_search)),
        };
        if errors.refused.is_empty() { Ok(filter) } else { Err(errors.refused) }
    }
}

/// The errors of all fields.
struct Errors<'p> {
    prefix: &'p str,
    refused: Vec<FieldError>,
}

impl Errors<'_> {
    fn condition<T: PartialEq, E: Into<String>>(
        &mut self,
        field: &str,
        text: &Option<String>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Condition<T> {
        self.take(field, text.as_deref().map_or(Ok(Condition::Any), |text| Condition::parse(text, parse)))
    }

    fn take<T: Default>(&mut self, field: &str, parsed: Result<T, String>) -> T {
        parsed.unwrap_or_else(|message| {
            self.refused.push(FieldError::new(format!("{}{field}", self.prefix), message));
            T::default()
        })
    }
}

fn one_of(all: &[&str]) -> String {
    format!("must be one of {}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_invalid_filter_is_named() {
        let invalid = "No Such";
        let fields = ["status", "kind", "name", "algorithm", "created_by", "dataset", "error_code"];
        let query: serde_json::Map<_, _> = fields.iter().map(|field| ((*field).to_owned(), json!(invalid))).collect();
        let mut query = serde_json::Value::Object(query);
        query["search"] = json!("a b c d e f");
        let query: FilterView = serde_json::from_value(query).unwrap();
        let named: Vec<_> = query.parse_fields("filter.").unwrap_err().into_iter().map(|error| error.field).collect();
        let expected: Vec<_> = fields.iter().chain(&["search"]).map(|field| format!("filter.{field}")).collect();
        assert_eq!(named, expected);
        assert_eq!(FilterView::default().parse_fields(""), Ok(JobFilter::default()));
    }
}
