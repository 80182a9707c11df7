//! Retention: deletes old rows in bounded batches.

use chrono::{DateTime, Utc};
use trainyard_domain::ids::first_uuid_at;

use crate::error::Result;
use crate::sql::execute;
use crate::tx::Tx;

/// A kind of rows with a retention period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Idempotency keys, by `expires_at`.
    IdempotencyKeys,
    /// Refresh tokens, by `expires_at`.
    RefreshTokens,
    /// Known addresses, by `expires_at`.
    KnownAddresses,
    /// Delivered and failed webhooks, by `finished_at`.
    Webhooks,
    /// Workers, by their last heartbeat.
    Workers,
    /// Logs, by `finished_at` of their job.
    Logs,
    /// Audit entries, by the time in their id.
    AuditEntries,
    /// Runs of schedules, by `at`.
    ScheduleRuns,
    /// Bulk actions, by `finished_at`.
    JobActions,
}

impl Tx {
    /// Deletes rows that are older than `before`, at most `limit`. Returns how many.
    pub async fn delete_expired(&mut self, kind: Retention, before: DateTime<Utc>, limit: i64) -> Result<u64> {
        // Ids of audit entries and jobs contain the time of their creation.
        let made_before = first_uuid_at(before);
        match kind {
            Retention::IdempotencyKeys => {
                let sql = "DELETE FROM idempotency_keys WHERE expires_at < $1 AND (user_id, key) IN \
                           (SELECT user_id, key FROM idempotency_keys WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            Retention::RefreshTokens => {
                let sql = "DELETE FROM refresh_tokens WHERE id IN \
                           (SELECT id FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            Retention::KnownAddresses => {
                let sql = "DELETE FROM known_addresses WHERE expires_at < $1 AND (user_id, address) IN \
                           (SELECT user_id, address FROM known_addresses WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            // The outer condition keeps a webhook that is replayed concurrently.
            Retention::Webhooks => {
                let sql = "DELETE FROM webhook_deliveries WHERE finished_at < $1 AND id IN \
                           (SELECT id FROM webhook_deliveries WHERE finished_at IS NOT NULL AND finished_at < $1 \
                           ORDER BY finished_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            Retention::Workers => {
                let sql = "DELETE FROM workers WHERE heartbeat_at < $1 AND id IN \
                           (SELECT id FROM workers WHERE heartbeat_at < $1 ORDER BY heartbeat_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            Retention::Logs => {
                let sql = "DELETE FROM job_logs WHERE (job_id, first_seq) IN \
                           (SELECT l.job_id, l.first_seq FROM job_logs l JOIN jobs j ON j.id = l.job_id \
                           WHERE l.job_id < $1 AND j.finished_at < $2 ORDER BY l.job_id, l.first_seq LIMIT $3)";
                execute!(self, sql, made_before, before, limit)
            }
            Retention::AuditEntries => {
                let sql = "DELETE FROM audit_entries WHERE id IN \
                           (SELECT id FROM audit_entries WHERE id < $1 ORDER BY id LIMIT $2)";
                execute!(self, sql, made_before, limit)
            }
            Retention::ScheduleRuns => {
                let sql = "DELETE FROM schedule_runs WHERE (schedule_id, due_at) IN \
                           (SELECT schedule_id, due_at FROM schedule_runs WHERE at < $1 ORDER BY at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            Retention::JobActions => {
                let sql = "DELETE FROM job_actions WHERE id IN (SELECT id FROM job_actions \
                           WHERE finished_at IS NOT NULL AND finished_at < $1 ORDER BY finished_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
        }
    }
}
