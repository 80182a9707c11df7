//! The `audit_entries` table. Entries are never changed.

use chrono::{DateTime, Utc};
use serde_json::Value;
use trainyard_domain::UserId;
use uuid::Uuid;

use crate::bulk::{BulkStatement, execute_bulk};
use crate::error::Result;
use crate::from_row::from_row;
use crate::parse;
use crate::sql::{all, optional};
use crate::stored::{Id, PageReader, StoredRow};
use crate::tx::Tx;

/// The audit trail.
#[derive(Debug)]
pub struct Audit<'t>(pub(crate) &'t mut Tx);

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Time of the action.
    pub at: DateTime<Utc>,
    /// The account that acted; `None` for the system.
    pub actor: Option<UserId>,
    /// The action, such as `user.disable`.
    pub action: String,
    /// The object, such as `user:<id>` or `model:titanic-rf`.
    pub subject: String,
    /// Id of the request.
    pub request_id: Option<String>,
    /// Details, a JSON object.
    pub detail: Value,
}

/// Most entries that one filtered list reads. No index has the columns of the filters, because each submission writes an entry.
pub(crate) const SEARCHED: i64 = 10_000;

/// Filter of the audit trail; `None` matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Entries with this action.
    pub action: Option<String>,
    /// Entries with an action that begins so, such as `account.`.
    pub action_prefix: Option<String>,
    /// Entries of this account.
    pub actor: Option<UserId>,
    /// Entries about this object.
    pub subject: Option<String>,
}

/// The result of a filtered list.
#[derive(Debug, PartialEq)]
pub struct AuditSearch {
    /// The entries, newest first.
    pub entries: Vec<AuditEntry>,
    /// The oldest entry that was read; `None` if no older entry exists.
    pub stopped_at: Option<Uuid>,
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
            detail: serde_json::from_str(&self.detail).map_err(|_| parse::corrupt("detail"))?,
        })
    }
}

const INSERT: BulkStatement = BulkStatement {
    postgres: "INSERT INTO audit_entries (id, at, actor, action, subject, request_id, detail) SELECT * FROM \
               unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])",
    sqlite: "INSERT INTO audit_entries (id, at, actor, action, subject, request_id, detail) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
};

impl Audit<'_> {
    /// Inserts an entry.
    pub async fn insert(&mut self, entry: &AuditEntry) -> Result<()> {
        self.insert_many(std::slice::from_ref(entry)).await
    }

    /// Inserts entries.
    pub async fn insert_many(&mut self, entries: &[AuditEntry]) -> Result<()> {
        execute_bulk!(self.0, INSERT, [], entries, |entry| [
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

    /// The entries older than `before` that match `filter`, among the [`SEARCHED`] newest ones of them.
    pub async fn search(&mut self, filter: &AuditFilter, before: Option<Uuid>, limit: i64) -> Result<AuditSearch> {
        let newest = before.unwrap_or(Uuid::max());
        let oldest: Option<(Uuid,)> = optional!(
            self.0,
            "SELECT id FROM audit_entries WHERE id < $1 ORDER BY id DESC LIMIT 1 OFFSET $2",
            newest,
            SEARCHED - 1,
        )?;
        let stopped_at = oldest.map(|(id,)| id);
        let mut page: PageReader<AuditRow> = PageReader::new(before.map(Id), limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(all!(
                self.0,
                "SELECT * FROM audit_entries WHERE id < $1 AND id >= $2 AND ($3 IS NULL OR action = $3) \
                 AND ($4 IS NULL OR substr(action, 1, length($4)) = $4) AND ($5 IS NULL OR actor = $5) \
                 AND ($6 IS NULL OR subject = $6) ORDER BY id DESC LIMIT $7",
                before.map_or(newest, |id| id.0),
                stopped_at.unwrap_or(Uuid::nil()),
                filter.action.as_deref(),
                filter.action_prefix.as_deref(),
                filter.actor.map(|id| id.0),
                filter.subject.as_deref(),
                limit,
            )?);
        }
        Ok(AuditSearch { entries: page.values(), stopped_at })
    }
}
