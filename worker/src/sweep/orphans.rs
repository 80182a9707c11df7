//! Removes artifacts that belong to no model version: of runs that were fenced off, or died between upload and publish.

use super::{Sweep, SweepError, seconds};

/// Where the models lie; data sets are not looked at.
const PREFIX: &str = "artifacts/";

pub(super) async fn run(sweep: &mut Sweep) -> Result<(), SweepError> {
    // Listed before the versions are read: whatever is published in between is then known to be needed. An upload
    // that waits for its transaction is younger than the limit.
    let before = sweep.clock.now() - seconds(sweep.config.orphan_age_s);
    let listed = sweep.store.list(PREFIX).await?;
    let mut removed = 0;
    for (key, _, modified) in listed {
        if modified < before && !is_needed(sweep, key.as_str()).await? {
            sweep.store.delete(&key).await?;
            removed += 1;
        }
    }
    if removed > 0 {
        tracing::info!(removed, "removed artifacts that belong to no version");
    }
    Ok(())
}

async fn is_needed(sweep: &Sweep, key: &str) -> Result<bool, SweepError> {
    Ok(sweep.db.read().await?.models().holds(key).await?)
}
