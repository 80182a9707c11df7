//! Removes objects that no row refers to.

use trainyard_artifacts::Key;

use crate::state::ApiState;

/// Removes objects whose rows were deleted. An object that can't be removed is logged; it only takes space.
pub(crate) async fn remove(state: &ApiState, keys: &[String]) {
    for key in keys {
        let removed = match Key::parse(key) {
            Ok(key) => state.store.delete(&key).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = removed {
            tracing::warn!(object = %key, error, "an object without a row could not be removed");
        }
    }
}
