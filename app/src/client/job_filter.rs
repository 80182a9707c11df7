//! Filters of jobs on the command line.

use clap::Args;
use serde_json::{Map, Value, json};

/// Which jobs match. A filter takes one value, several values separated by commas, or `!` before the first value to exclude
/// the values.
#[derive(Debug, Default, Clone, Args)]
pub struct FilterArgs {
    /// Only jobs that are queued, running, succeeded, failed or cancelled.
    #[arg(long)]
    pub status: Option<String>,
    /// Only jobs of this kind: training or prediction.
    #[arg(long)]
    pub kind: Option<String>,
    /// Only jobs for these models.
    #[arg(long)]
    pub name: Option<String>,
    /// Only jobs of these algorithms.
    #[arg(long)]
    pub algorithm: Option<String>,
    /// Only jobs of these accounts (ids).
    #[arg(long, value_name = "ID")]
    pub created_by: Option<String>,
    /// Only jobs with these datasets.
    #[arg(long)]
    pub dataset: Option<String>,
    /// Only jobs that failed with these error codes, such as crashed.
    #[arg(long, value_name = "CODE")]
    pub error_code: Option<String>,
    /// Only jobs with these words at the beginning of the id, the model, the dataset, the e-mail address or a word of the
    /// error.
    #[arg(long, value_name = "WORDS")]
    pub search: Option<String>,
}

impl FilterArgs {
    /// All parameters of a request.
    pub(crate) fn parameters(self) -> [(&'static str, Option<String>); 8] {
        [
            ("status", self.status),
            ("kind", self.kind),
            ("name", self.name),
            ("algorithm", self.algorithm),
            ("created_by", self.created_by),
            ("dataset", self.dataset),
            ("error_code", self.error_code),
            ("search", self.search),
        ]
    }

    /// The parameters that are set.
    pub(crate) fn set(self) -> Map<String, Value> {
        self.parameters().into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect()
    }
}
