//! What can be trained, and with which parameters.

use trainyard_domain::Algorithm;
use trainyard_http::{Json, List};

use crate::views::algorithm::AlgorithmView;

/// List algorithms.
///
/// Every algorithm with its parameters, their types, bounds and defaults.
#[utoipa::path(
    get, path = "/algorithms", operation_id = "list_algorithms", tag = "training",
    responses((status = 200, description = "All of them.", body = List<AlgorithmView>))
)]
pub async fn list() -> Json<List<AlgorithmView>> {
    Json(List { items: Algorithm::ALL.into_iter().map(AlgorithmView::from).collect(), next_cursor: None })
}
