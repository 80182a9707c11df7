//! Decides about the guards of new versions: a version that exceeds a limit is rolled back, and a guard that has ended is
//! deleted.
//!
//! The inference processes only count. One transaction ends the guard and moves the alias or deletes the weights, so each guard
//! is decided once, also with several sweeps.

use chrono::{DateTime, Utc};
use metrics::counter;
use serde_json::json;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::{Guard, GuardVerdict, Guarded, MoveCause, MoveReason, PRODUCTION};
use trainyard_storage::{AuditEntry, Result as StorageResult, Rollback, Tx};
use trainyard_telemetry::catalogue;

use super::{Sweep, SweepError};

pub(super) async fn run(sweep: &mut Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    let guards = sweep.db.read().await?.models().guards().await?;
    let mut failed = Ok(());
    for (guard, counts) in guards {
        let decided = match guard.verdict(counts, now) {
            GuardVerdict::Watching => continue,
            GuardVerdict::Passed => pass(sweep, &guard, counts.requests).await,
            GuardVerdict::Exceeded(why) => roll_back(sweep, &guard, &why).await,
        };
        match decided {
            Err(SweepError::Storage(error)) if error.is_retryable() => return Err(error.into()),
            // One guard must not block the others.
            Err(error) => failed = Err(error),
            Ok(()) => {}
        }
    }
    failed
}

async fn pass(sweep: &Sweep, guard: &Guard, requests: i64) -> Result<(), SweepError> {
    let mut tx = sweep.db.begin().await?;
    tx.models().end_guard(guard.id).await?;
    tx.commit().await?;
    tracing::info!(
        model = %guard.model,
        version = guard.version,
        alias = guard.alias(),
        requests,
        "the guard of a version has ended; no limit was exceeded"
    );
    Ok(())
}

async fn roll_back(sweep: &Sweep, guard: &Guard, why: &str) -> Result<(), SweepError> {
    let mut tx = sweep.db.begin().await?;
    let now = tx.now().await?;
    // Locked before the guard ends: a concurrent move of the alias ends the guard first.
    tx.models().lock(&guard.model).await?;
    if !tx.models().end_guard(guard.id).await? {
        return Ok(());
    }
    let cause = MoveCause::new(MoveReason::AutomaticRollback, now).because(why);
    let returned_to = match &guard.guarded {
        Guarded::Alias(alias) => match tx.models().roll_back(&guard.model, alias, Some(guard.version), &cause).await? {
            Rollback::Done { to, .. } => Some(to),
            Rollback::NothingBefore | Rollback::Deleted(_) | Rollback::Moved(_) | Rollback::Missing => None,
        },
        Guarded::Weights => {
            let production = tx.models().alias(&guard.model, PRODUCTION).await?;
            // Without production, a model without weights would answer nothing.
            if production.is_some() {
                tx.models().delete_weights(&guard.model).await?;
            }
            production
        }
    };
    record(&mut tx, guard, why, returned_to, now).await?;
    tx.commit().await?;
    report(guard, why, returned_to);
    if let Err(error) = sweep.queue.announce_models().await {
        tracing::debug!(%error, "the rollback was not announced; inference finds it by polling");
    }
    Ok(())
}

/// Writes the audit entry. The history of the alias has its own.
async fn record(
    tx: &mut Tx,
    guard: &Guard,
    why: &str,
    returned_to: Option<i64>,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    let entry = AuditEntry {
        id: uuid_at(now),
        at: now,
        actor: None,
        action: "model.automatic_rollback".to_owned(),
        subject: format!("model:{}", guard.model),
        request_id: None,
        detail: json!({"alias": guard.alias(), "version": guard.version, "returned_to": returned_to, "reason": why}),
    };
    tx.audit().insert(&entry).await
}

fn report(guard: &Guard, why: &str, returned_to: Option<i64>) {
    let (model, version, alias) = (guard.model.as_str(), guard.version, guard.alias());
    let outcome = if returned_to.is_some() { "rolled_back" } else { "nothing_before" };
    counter!(catalogue::MODELS_AUTOMATIC_ROLLBACKS_TOTAL, "outcome" => outcome).increment(1);
    if returned_to.is_none() {
        tracing::error!(
            model,
            version,
            alias,
            why,
            "a version exceeds a limit of its guard, and there is no version to return to"
        );
    } else if alias.is_some() {
        tracing::warn!(model, version, alias, returned_to, why, "an alias was rolled back automatically");
    } else {
        tracing::warn!(
            model,
            version,
            returned_to,
            why,
            "weights were deleted automatically, and production answers again"
        );
    }
}
