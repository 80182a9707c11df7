//! Notifies the inference role.

use crate::state::ApiState;

/// Notifies the inference role that models, aliases or accounts changed. The role also polls, so a failure is only logged.
pub(crate) async fn announce(state: &ApiState) {
    if let Err(error) = state.queue.announce_models().await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the inference role was not notified of a change; it polls for changes"
        );
    }
}
