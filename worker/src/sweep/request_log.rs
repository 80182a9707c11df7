//! Deletes expired objects of the request log, which the inference role writes.

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use trainyard_artifacts::{Key, Store};

use super::SweepError;

/// Deletes the objects that were written before `before`; none without a time.
pub(super) async fn run(store: &Store, before: Option<DateTime<Utc>>) -> Result<(), SweepError> {
    let Some(before) = before else { return Ok(()) };
    let mut objects = store.stream(Key::REQUEST_LOG);
    let mut removed = 0_u64;
    while let Some(object) = objects.next().await {
        let (key, _, modified) = object?;
        if modified < before {
            store.delete(&key).await?;
            removed += 1;
        }
    }
    if removed > 0 {
        tracing::info!(removed, "deleted expired objects of the request log");
    }
    Ok(())
}
