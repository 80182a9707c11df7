//! Objects that a committed change left without an owner.

use trainyard_artifacts::Key;

use crate::state::ApiState;

/// Removes objects whose rows are gone. What can't be removed now is an orphan: it does no harm, and the log names it.
pub(crate) async fn remove(state: &ApiState, keys: &[String]) {
    for key in keys {
        let removed = match Key::parse(key) {
            Ok(key) => state.store.delete(&key).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = removed {
            tracing::warn!(object = %key, error, "an object that nothing refers to could not be removed");
        }
    }
}
