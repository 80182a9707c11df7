//! Validation of training requests. The cost is linear in the number of columns, also for wide datasets.

use super::columns::{self, Columns};
use super::{Draft, JobSpec, Training, Work};
use crate::algorithm::{Algorithm, BUDGET_S, MONOTONE_CONSTRAINTS};
use crate::dataset::IndexedDataset;
use crate::field::{FieldError, shown};
use crate::model::ModelName;
use crate::params::Params;

/// A run can exceed its time budget by a tenth, and its timeout also covers the start of the training process and the
/// download of the dataset.
const TIMEOUT_PER_BUDGET: f64 = 1.2;
/// The error of an unknown dataset.
pub(super) const UNKNOWN_DATASET: &str = "is not the name of a dataset";

impl Draft {
    /// Validates the request. `dataset` is the newest version of the requested dataset, or `None` if it does not exist;
    /// the other fields are validated in either case. Returns one error for each invalid field.
    pub fn validate(&self, dataset: Option<&IndexedDataset>) -> Result<JobSpec, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = keep(&mut errors, "name", ModelName::parse(&self.name));
        let algorithm = keep(&mut errors, "algorithm", find_algorithm(&self.algorithm));
        check_limits(&mut errors, self.priority, self.max_attempts, self.timeout_s);
        errors.extend(self.auto_promote.and_then(|rule| rule.check_improvement()));
        let (features, warnings) = match dataset {
            Some(dataset) => Columns::new(self, dataset).check(&mut errors, algorithm),
            None => {
                errors.push(FieldError::new("dataset", UNKNOWN_DATASET));
                // Without a dataset the target cannot be checked.
                columns::check_list(&mut errors, &self.features, &self.target, |_, _, _| {});
                Default::default()
            }
        };
        let params = algorithm.and_then(|algorithm| match Params::parse(algorithm, &self.params) {
            Ok(params) => Some(params),
            Err(refused) => {
                errors.extend(refused);
                None
            }
        });
        for (feature, _) in params.iter().flat_map(|params| params.signs(MONOTONE_CONSTRAINTS)) {
            if !features.is_empty() && !features.iter().any(|known| known == feature) {
                let message = format!("names '{}', which is not a feature of the job", shown(feature));
                errors.push(FieldError::new(format!("params.{MONOTONE_CONSTRAINTS}"), message));
            }
        }
        if let Some(budget) = params.as_ref().and_then(|params| params.float(BUDGET_S))
            && budget * TIMEOUT_PER_BUDGET > self.timeout_s as f64
        {
            let message = format!(
                "must be at most timeout_s / {TIMEOUT_PER_BUDGET}, because the run is stopped after timeout_s ({})",
                self.timeout_s
            );
            errors.push(FieldError::new(format!("params.{BUDGET_S}"), message));
        }
        match (name, algorithm, params, dataset) {
            (Some(name), Some(algorithm), Some(params), Some(dataset)) if errors.is_empty() => Ok(JobSpec {
                name,
                dataset: dataset.name.clone(),
                dataset_version: dataset.version,
                priority: self.priority,
                run_at: self.run_at,
                max_attempts: self.max_attempts,
                timeout_s: self.timeout_s,
                webhook_url: self.webhook_url.clone(),
                work: Work::Training(Training {
                    algorithm,
                    features,
                    target: self.target.clone(),
                    params: params.into_map(),
                    learning: self.learning.clone(),
                    warnings,
                    auto_promote: self.auto_promote,
                    seed: self.seed,
                }),
            }),
            _ => Err(errors),
        }
    }
}

/// Validates what every kind of job has.
pub(super) fn check_limits(errors: &mut Vec<FieldError>, priority: i64, max_attempts: i64, timeout_s: i64) {
    check_range(errors, "priority", priority, -10, 10);
    check_range(errors, "max_attempts", max_attempts, 1, 20);
    check_range(errors, "timeout_s", timeout_s, 1, 86_400);
}

fn keep<T, M: Into<String>>(errors: &mut Vec<FieldError>, field: &str, parsed: Result<T, M>) -> Option<T> {
    parsed.map_err(|message| errors.push(FieldError::new(field, message))).ok()
}

fn find_algorithm(text: &str) -> Result<Algorithm, String> {
    let known: Vec<_> = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
    Algorithm::parse(text).ok_or_else(|| format!("must be one of {}", known.join(", ")))
}

fn check_range(errors: &mut Vec<FieldError>, field: &str, value: i64, min: i64, max: i64) {
    if !(min..=max).contains(&value) {
        errors.push(FieldError::new(field, format!("must be a whole number from {min} to {max}")));
    }
}
