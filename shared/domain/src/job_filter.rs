//! Which jobs a list, a count or a bulk action matches.

mod search;

use crate::algorithm::Algorithm;
use crate::dataset::DatasetName;
use crate::ids::UserId;
use crate::job::JobStatus;
use crate::model::ModelName;
use crate::outcome::FailureCode;
use crate::spec::JobKind;

pub use search::{SearchWord, parse_search, words_of_error};

/// Most values of a condition.
pub const MAX_VALUES: usize = 20;

/// A job matches if it meets every condition and every search word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// By status.
    pub status: Condition<JobStatus>,
    /// By the name of the model.
    pub name: Condition<ModelName>,
    /// By the kind of work.
    pub kind: Condition<JobKind>,
    /// By algorithm.
    pub algorithm: Condition<Algorithm>,
    /// By the account that submitted the job.
    pub created_by: Condition<UserId>,
    /// By the name of the dataset.
    pub dataset: Condition<DatasetName>,
    /// By the error code of a failed job. Other jobs have no error code.
    pub error_code: Condition<FailureCode>,
    /// Words that all must match.
    pub search: Vec<SearchWord>,
    /// Whether words match the submitter's e-mail address: only administrators may read e-mail addresses.
    pub search_emails: bool,
}

impl JobFilter {
    /// Whether every job matches.
    pub fn matches_all(&self) -> bool {
        *self == Self { search_emails: self.search_emails, ..Self::default() }
    }
}

/// A condition on one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition<T> {
    /// Every value.
    #[default]
    Any,
    /// One of these values.
    In(Vec<T>),
    /// None of these values.
    NotIn(Vec<T>),
}

impl<T> From<T> for Condition<T> {
    fn from(value: T) -> Self {
        Self::In(vec![value])
    }
}

impl<T: PartialEq> Condition<T> {
    /// Parses `a`, `a,b` (one of them) or `!a,b` (none of them). `parse` parses one value; its error continues a sentence
    /// that begins with the field's name.
    ///
    /// # Errors
    /// A message for the client.
    pub fn parse<E: Into<String>>(text: &str, parse: impl Fn(&str) -> Result<T, E>) -> Result<Self, String> {
        let (excluded, list) = text.strip_prefix('!').map_or((false, text), |list| (true, list));
        let mut values = Vec::new();
        for (index, item) in list.split(',').enumerate() {
            if index == MAX_VALUES {
                return Err(format!("must have at most {MAX_VALUES} values"));
            }
            let value = parse(item).map_err(|message| match (list.contains(','), message.into()) {
                (true, message) => format!("value {} {message}", index + 1),
                (false, message) => message,
            })?;
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Ok(if excluded { Self::NotIn(values) } else { Self::In(values) })
    }

    /// The values of a closed list that meet the condition; `None` if all do.
    pub fn allowed(&self, all: impl IntoIterator<Item = T>) -> Option<Vec<T>> {
        match self {
            Self::Any => None,
            Self::In(values) => Some(all.into_iter().filter(|value| values.contains(value)).collect()),
            Self::NotIn(values) => Some(all.into_iter().filter(|value| !values.contains(value)).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> Result<Condition<JobStatus>, String> {
        Condition::parse(text, |text| JobStatus::parse(text).ok_or("must be a status"))
    }

    #[test]
    fn a_condition_lists_values_or_excludes_them() {
        use JobStatus::{Cancelled, Failed, Queued, Running, Succeeded};
        assert_eq!(status("failed"), Ok(Condition::In(vec![Failed])));
        assert_eq!(status("failed,cancelled,failed"), Ok(Condition::In(vec![Failed, Cancelled])));
        assert_eq!(status("!failed,cancelled"), Ok(Condition::NotIn(vec![Failed, Cancelled])));
        let allowed = |text| status(text).unwrap().allowed(JobStatus::ALL);
        assert_eq!(allowed("!failed,cancelled"), Some(vec![Queued, Running, Succeeded]));
        assert_eq!(allowed("!queued,running,succeeded,failed,cancelled"), Some(vec![]));
        assert_eq!(Condition::Any.allowed(JobStatus::ALL), None);
    }

    #[test]
    fn an_invalid_value_of_a_condition_is_named() {
        assert_eq!(status("done").unwrap_err(), "must be a status");
        assert_eq!(status("").unwrap_err(), "must be a status");
        assert_eq!(status("failed,done").unwrap_err(), "value 2 must be a status");
        assert_eq!(status("failed,").unwrap_err(), "value 2 must be a status");
        assert_eq!(status("!").unwrap_err(), "must be a status");
        let many = vec!["failed"; MAX_VALUES + 1].join(",");
        assert_eq!(status(&many).unwrap_err(), "must have at most 20 values");
    }
}
