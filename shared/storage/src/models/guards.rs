//! The tables `model_guards` and `guard_reports`: limits on new versions, and what each inference process has counted.

use trainyard_domain::{Guard, GuardCounts, GuardId, ModelName};
use uuid::Uuid;

use super::rows::GuardRow;
use super::{Models, bump_revision};
use crate::bulk::{BulkStatement, execute_bulk};
use crate::error::Result;
use crate::sql::{all, execute};
use crate::stored::{Stored, readable};

/// Replaces the former report of the process. A guard that has ended has no row, so its report is not written.
const REPORT: BulkStatement = BulkStatement {
    postgres: "INSERT INTO guard_reports (guard_id, process, requests, failed, slow) \
               SELECT r.guard_id, $1, r.requests, r.failed, r.slow \
               FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) AS r (guard_id, requests, failed, slow) \
               JOIN model_guards ON model_guards.id = r.guard_id \
               ON CONFLICT (guard_id, process) DO UPDATE SET requests = excluded.requests, failed = excluded.failed, \
               slow = excluded.slow",
    sqlite: "INSERT INTO guard_reports (guard_id, process, requests, failed, slow) \
             SELECT id, $1, $3, $4, $5 FROM model_guards WHERE id = $2 \
             ON CONFLICT (guard_id, process) DO UPDATE SET requests = excluded.requests, failed = excluded.failed, \
             slow = excluded.slow",
};

/// Selects guards with the sums of their reports.
macro_rules! select_guards {
    ($condition:literal) => {
        concat!(
            "SELECT g.id, g.model_name, g.version, g.alias, g.max_error_rate, g.max_p99_ms, g.min_requests, g.ends_at, \
             CAST(COALESCE(SUM(r.requests), 0) AS BIGINT) AS requests, \
             CAST(COALESCE(SUM(r.failed), 0) AS BIGINT) AS failed, CAST(COALESCE(SUM(r.slow), 0) AS BIGINT) AS slow \
             FROM model_guards g LEFT JOIN guard_reports r ON r.guard_id = g.id ",
            $condition,
            " GROUP BY g.id, g.model_name, g.version, g.alias, g.max_error_rate, g.max_p99_ms, g.min_requests, g.ends_at \
             ORDER BY g.model_name, g.version, g.id"
        )
    };
}

impl Models<'_> {
    /// Inserts a guard, in the transaction that moves the alias or sets the weights. It replaces the guard of the same alias.
    pub async fn insert_guard(&mut self, guard: &Guard) -> Result<()> {
        if let Some(alias) = guard.alias() {
            self.end_alias_guard(&guard.model, alias).await?;
        }
        execute!(
            self.0,
            "INSERT INTO model_guards (id, model_name, version, alias, max_error_rate, max_p99_ms, min_requests, ends_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            guard.id.0,
            guard.model.as_str(),
            guard.version,
            guard.alias(),
            guard.limits.max_error_rate,
            guard.limits.max_p99_ms,
            guard.limits.min_requests,
            guard.ends_at,
        )?;
        // The alias may point at the version already.
        bump_revision(self.0).await
    }

    /// All guards with what has been counted, by model and version. Unreadable rows are left out.
    pub async fn guards(&mut self) -> Result<Vec<(Guard, GuardCounts)>> {
        let rows: Vec<Stored<GuardRow>> = all!(self.0, select_guards!(""))?;
        Ok(readable(rows))
    }

    /// The guards of a model with what has been counted, by version. Unreadable rows are left out.
    pub async fn guards_of(&mut self, name: &ModelName) -> Result<Vec<(Guard, GuardCounts)>> {
        let rows: Vec<Stored<GuardRow>> = all!(self.0, select_guards!("WHERE g.model_name = $1"), name.as_str())?;
        Ok(readable(rows))
    }

    /// Ends a guard. Returns `false` if it has ended already.
    pub async fn end_guard(&mut self, id: GuardId) -> Result<bool> {
        let changed = execute!(self.0, "DELETE FROM model_guards WHERE id = $1", id.0)?;
        if changed == 1 {
            bump_revision(self.0).await?;
        }
        Ok(changed == 1)
    }

    /// Stores what the process `process` has counted since each guard began.
    pub async fn report_guards(&mut self, process: Uuid, counts: &[(GuardId, GuardCounts)]) -> Result<()> {
        execute_bulk!(self.0, REPORT, [process], counts, |guard| [
            guard.0.0,
            guard.1.requests,
            guard.1.failed,
            guard.1.slow,
        ])?;
        Ok(())
    }

    /// Ends the guard of an alias of a locked model, without a new revision. Returns `false` if there is none.
    pub(super) async fn end_alias_guard(&mut self, name: &ModelName, alias: &str) -> Result<bool> {
        let changed =
            execute!(self.0, "DELETE FROM model_guards WHERE model_name = $1 AND alias = $2", name.as_str(), alias)?;
        Ok(changed > 0)
    }

    /// Ends the guards of the weights of a locked model, without a new revision.
    pub(super) async fn end_weights_guards(&mut self, name: &ModelName) -> Result<()> {
        execute!(self.0, "DELETE FROM model_guards WHERE model_name = $1 AND alias IS NULL", name.as_str())?;
        Ok(())
    }
}
