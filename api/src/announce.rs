//! News for the inference role.

use crate::state::ApiState;

/// Tells the inference role that models, aliases or accounts changed. A lost announcement is made up for by its
/// polling, so failing to is only logged.
pub(crate) async fn announce(state: &ApiState) {
    if let Err(error) = state.queue.announce_models().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a change was not announced; inference will poll it");
    }
}
