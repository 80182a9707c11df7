//! Removing rows that are no longer kept, a bounded number at a time.

use chrono::{DateTime, Utc};
use trainyard_domain::ids::first_uuid_at;

use crate::error::Result;
use crate::sql::execute;
use crate::tx::Tx;

/// A kind of rows that are kept for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// Idempotency records, by when they expire.
    IdempotencyKeys,
    /// Refresh tokens, by when they expire.
    RefreshTokens,
    /// Addresses that accounts signed in from, by when they expire.
    KnownAddresses,
    /// Webhooks that were delivered or given up, by when that was.
    Webhooks,
    /// Workers, by their last heartbeat.
    Workers,
    /// Logs, by when their job ended.
    Logs,
    /// Audit entries, by when they were written.
    AuditEntries,
    /// What the times of schedules came to, by when that was.
    ScheduleRuns,
}

impl Tx {
    /// Removes rows of a kind that are older than `before`, at most `limit`; answers how many.
    ///
    /// # Errors
    /// As every query.
    pub async fn retire(&mut self, kind: Retired, before: DateTime<Utc>, limit: i64) -> Result<u64> {
        // Ids of audit entries and jobs begin with the time they were made at.
        let made_before = first_uuid_at(before);
        match kind {
            Retired::IdempotencyKeys => {
                let sql = "DELETE FROM idempotency_keys WHERE expires_at < $1 AND (user_id, key) IN \
                           (SELECT user_id, key FROM idempotency_keys WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            Retired::RefreshTokens => {
                let sql = "DELETE FROM refresh_tokens WHERE id IN \
                           (SELECT id FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            Retired::KnownAddresses => {
                let sql = "DELETE FROM known_addresses WHERE expires_at < $1 AND (user_id, address) IN \
                           (SELECT user_id, address FROM known_addresses WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            // A webhook that is sent again meanwhile is pending, and stays.
            Retired::Webhooks => {
                let sql = "DELETE FROM webhook_deliveries WHERE finished_at < $1 AND id IN \
                           (SELECT id FROM webhook_deliveries WHERE finished_at IS NOT NULL AND finished_at < $1 \
                           ORDER BY finished_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            Retired::Workers => {
                let sql = "DELETE FROM workers WHERE heartbeat_at < $1 AND id IN \
                           (SELECT id FROM workers WHERE heartbeat_at < $1 ORDER BY heartbeat_at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
            Retired::Logs => {
                let sql = "DELETE FROM job_logs WHERE (job_id, first_seq) IN \
                           (SELECT l.job_id, l.first_seq FROM job_logs l JOIN jobs j ON j.id = l.job_id \
                           WHERE l.job_id < $1 AND j.finished_at < $2 ORDER BY l.job_id, l.first_seq LIMIT $3)";
                execute!(self, sql, made_before, before, limit)
            }
            Retired::AuditEntries => {
                let sql = "DELETE FROM audit_entries WHERE id IN \
                           (SELECT id FROM audit_entries WHERE id < $1 ORDER BY id LIMIT $2)";
                execute!(self, sql, made_before, limit)
            }
            Retired::ScheduleRuns => {
                let sql = "DELETE FROM schedule_runs WHERE (schedule_id, due_at) IN \
                           (SELECT schedule_id, due_at FROM schedule_runs WHERE at < $1 ORDER BY at LIMIT $2)";
                execute!(self, sql, before, limit)
            }
        }
    }
}
