//! The `audit_entries` table: written once, never changed.

use chrono::{DateTime, Utc};
use serde_json::Value;
use trainyard_domain::UserId;
use uuid::Uuid;

use crate::error::Result;
use crate::from_row::from_row;
use crate::read_back;
use crate::rows::{Each, execute_each};
use crate::sql::all;
use crate::stored::{Id, PageReader, StoredRow};
use crate::tx::Tx;

/// Who did what to what, when, from which request.
#[derive(Debug)]
pub struct Audit<'t>(pub(crate) &'t mut Tx);

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Who; `None` for the system itself.
    pub actor: Option<UserId>,
    /// What, such as `user.disable`.
    pub action: String,
    /// To what, such as `user:<id>` or `model:titanic-rf`.
    pub subject: String,
    /// The request it came with.
    pub request_id: Option<String>,
    /// The particulars: a JSON object.
    pub detail: Value,
}

from_row! {
    struct AuditRow {
        id: Uuid,
        at: DateTime<Utc>,
        actor: Option<Uuid>,
        action: String,
        subject: String,
        request_id: Option<String>,
        detail: String,
    }
}

impl StoredRow for AuditRow {
    const TABLE: &'static str = "audit_entries";
    type Key = Id;
    type Value = AuditEntry;

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<AuditEntry> {
        Ok(AuditEntry {
            id: self.id,
            at: self.at,
            actor: self.actor.map(UserId),
            action: self.action,
            subject: self.subject,
            request_id: self.request_id,
            detail: serde_json::from_str(&self.detail).map_err(|_| read_back::corrupt("detail"))?,
        })
    }
}

const INSERT: Each = Each {
    postgres: "INSERT INTO audit_entries (id, at, actor, action, subject, request_id, detail) SELECT * FROM \
               unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])",
    sqlite: "INSERT INTO audit_entries (id, at, actor, action, subject, request_id, detail) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
};

impl Audit<'_> {
    /// Adds an entry.
    ///
    /// # Errors
    /// As every query.
    pub async fn insert(&mut self, entry: &AuditEntry) -> Result<()> {
        self.insert_many(std::slice::from_ref(entry)).await
    }

    /// Adds entries.
    ///
    /// # Errors
    /// As every query.
    pub async fn insert_many(&mut self, entries: &[AuditEntry]) -> Result<()> {
        execute_each!(self.0, INSERT, [], entries, |entry| [
            entry.id,
            entry.at,
            entry.actor.map(|id| id.0),
            entry.action.as_str(),
            entry.subject.as_str(),
            entry.request_id.as_deref(),
            entry.detail.to_string(),
        ])?;
        Ok(())
    }

    /// Entries older than `before`, newest first.
    ///
    /// # Errors
    /// As every query.
    pub async fn list(&mut self, before: Option<Uuid>, limit: i64) -> Result<Vec<AuditEntry>> {
        let mut page: PageReader<AuditRow> = PageReader::new(before.map(Id), limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(all!(
                self.0,
                "SELECT * FROM audit_entries WHERE id < $1 ORDER BY id DESC LIMIT $2",
                before.map_or(Uuid::max(), |id| id.0),
                limit,
            )?);
        }
        Ok(page.values())
    }
}
