//! Readiness of models.

use trainyard_domain::shown;
use trainyard_http::Problem;

use crate::lookup_problem;
use crate::registry::{LookupError, VersionSelector};
use crate::service::Service;

impl Service {
    /// Whether a version of `model` is loaded: the one that serves without `version`. False if it is loading. The request does
    /// not load it.
    pub(crate) fn is_model_ready(&self, model: &str, version: Option<i64>) -> Result<bool, Problem> {
        let selector = VersionSelector { model: Some(model), version, ..VersionSelector::default() };
        match self.registry.load().find(selector, None, || 0) {
            Ok(_) => Ok(true),
            Err(LookupError::Loading(..)) => Ok(false),
            // The snapshot contains loaded versions only; the database is not asked.
            Err(LookupError::NotLoaded(model, version)) => Err(Problem::not_found(format!(
                "version {version} of a model '{}' is not loaded; if it is published, the first request for it loads it",
                shown(&model)
            ))),
            Err(error) => Err(lookup_problem::problem(error)),
        }
    }
}
