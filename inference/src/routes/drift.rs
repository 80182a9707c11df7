//! `GET /inference/drift`.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use serde::Deserialize;
use trainyard_domain::shown;
use trainyard_http::{Json, Problem, Query, bounded};

use crate::lookup_problem;
use crate::registry::{Assignment, Found, LookupError, VersionSelector};
use crate::service::{Service, off_thread};
use crate::views::drift::DriftView;

/// The largest integer that every JSON client supports.
const MAX_VERSION: i64 = (1 << 53) - 1;

/// The version of which the drift is measured.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DriftQuery {
    /// The model; optional if there is exactly one model or a default model.
    #[param(example = "titanic-rf")]
    model: Option<String>,
    /// A loaded version. Without it the version that `production` points at.
    #[serde(default, deserialize_with = "bounded::optional::<1, MAX_VERSION, _, _>")]
    #[param(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: Option<i64>,
}

/// Compare recent requests of a model with its training.
///
/// For each feature, and for the predictions: the shares of the training rows and of the recent rows in the same bins, and
/// their population stability index (PSI). The features with the largest PSI come first, at most 1,000 of them. Only the
/// requests of the process that answers count: behind a load balancer each request can be answered by another process.
#[utoipa::path(get, path = "/inference/drift", operation_id = "get_drift", tag = "inference", params(DriftQuery),
    responses(
    (status = 200, description = "The drift of a loaded version", body = DriftView),
    (status = 404, description = "The model does not exist, or the version is not loaded; `errors` names the parameter"),
    (status = 503, description = "The version is not loaded yet; retry after the time in `Retry-After`"),
))]
pub(crate) async fn drift(
    State(service): State<Arc<Service>>,
    Query(query): Query<DriftQuery>,
) -> Result<Json<DriftView>, Problem> {
    let assignment = Assignment::Largest;
    let selector = VersionSelector { model: query.model.as_deref(), version: query.version, alias: None, assignment };
    let found = service.registry.load().find(selector, service.config.default_model(), || 0);
    let Found { loaded, .. } = found.map_err(|error| match error {
        LookupError::NotLoaded(model, version) => lookup_problem::missing(
            "version",
            format!("version {version} of a model '{}' is not loaded, so it has no recent requests", shown(&model)),
        ),
        error => lookup_problem::problem(error),
    })?;
    // A wide model has hundreds of thousands of counters.
    let (_waiting, permit) = service.admit().await?;
    let settings = service.config.drift();
    off_thread(move || {
        let view = DriftView::of(&loaded, settings, Instant::now());
        drop(permit);
        Ok(Json(view))
    })
    .await
}
