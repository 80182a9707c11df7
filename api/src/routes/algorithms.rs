//! `GET /algorithms`: the algorithms and their parameters.

use trainyard_domain::Algorithm;
use trainyard_http::{Json, List};

use crate::schemas::algorithm::AlgorithmView;

/// List algorithms.
///
/// Lists every algorithm with the types, bounds and defaults of its parameters.
#[utoipa::path(
    get, path = "/algorithms", operation_id = "list_algorithms", tag = "training",
    responses((status = 200, description = "All algorithms.", body = List<AlgorithmView>))
)]
pub async fn list() -> Json<List<AlgorithmView>> {
    Json(List { items: Algorithm::ALL.into_iter().map(AlgorithmView::from).collect(), next_cursor: None })
}
