//! Rows of the model tables.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use trainyard_domain::{
    AliasMove, DatasetId, Guard, GuardCounts, GuardId, GuardLimits, Guarded, JobId, ModelVersion, MoveCause, UserId,
};
use uuid::Uuid;

use super::{Model, ServedVersion};
use crate::error::Result;
use crate::from_row::from_row;
use crate::parse;
use crate::stored::{Id, Pair, Stored, StoredRow};

from_row! {
    pub(super) struct ModelRow {
        id: Uuid,
        name: String,
        created_at: DateTime<Utc>,
    }
}

impl StoredRow for ModelRow {
    const TABLE: &'static str = "models";
    type Key = Id;
    type Value = Model;

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<Model> {
        Ok(Model { id: self.id, name: parse::model_name(&self.name)?, created_at: self.created_at })
    }
}

from_row! {
    /// A version, joined with one of its aliases or with none.
    pub(super) struct VersionRow {
        model_name: String,
        version: i64,
        job_id: Uuid,
        algorithm: String,
        features: Json<Vec<String>>,
        target: String,
        metrics: Json<Value>,
        dataset_id: Uuid,
        byte_count: i64,
        sha256: String,
        artifact_key: String,
        traceparent: Option<String>,
        created_at: DateTime<Utc>,
        alias: Option<String>,
    } default {
        /// Set by [`fold`].
        further_aliases: Vec<String>,
    }
}

impl StoredRow for VersionRow {
    const TABLE: &'static str = "model_versions";
    type Key = Pair<String, i64>;
    type Value = ModelVersion;

    fn key(&self) -> Self::Key {
        Pair(self.model_name.clone(), self.version)
    }

    fn read(self) -> Result<ModelVersion> {
        Ok(ModelVersion {
            name: parse::model_name(&self.model_name)?,
            version: self.version,
            job_id: JobId(self.job_id),
            algorithm: parse::algorithm(&self.algorithm)?,
            features: self.features.0,
            target: self.target,
            metrics: self.metrics.0,
            dataset_id: DatasetId(self.dataset_id),
            size: self.byte_count,
            sha256: self.sha256,
            artifact_key: self.artifact_key,
            traceparent: self.traceparent,
            created_at: self.created_at,
            aliases: self.alias.into_iter().chain(self.further_aliases).collect(),
        })
    }
}

/// Merges adjacent rows that differ only in the alias into one row for each version.
pub(super) fn fold(rows: Vec<Stored<VersionRow>>) -> Vec<Stored<VersionRow>> {
    let mut versions: Vec<Stored<VersionRow>> = Vec::new();
    for row in rows {
        if versions.last().is_none_or(|last| last.key() != row.key()) {
            versions.push(row);
        } else if let (Some(Stored::Row(last)), Stored::Row(row)) = (versions.last_mut(), row) {
            last.further_aliases.extend(row.alias);
        }
    }
    versions
}

from_row! {
    /// A version to load, joined with one of its aliases or with none. Has no column that may be unreadable.
    pub(super) struct ServedRow {
        model_name: String,
        version: i64,
        sha256: String,
        artifact_key: String,
        traceparent: Option<String>,
        alias: Option<String>,
    }
}

/// Merges adjacent rows that differ only in the alias into one version each.
pub(super) fn fold_served(rows: Vec<ServedRow>) -> Vec<ServedVersion> {
    let mut versions: Vec<ServedVersion> = Vec::new();
    for row in rows {
        match versions.last_mut() {
            Some(last) if last.model == row.model_name && last.version == row.version => last.aliases.extend(row.alias),
            _ => versions.push(ServedVersion {
                model: row.model_name,
                version: row.version,
                aliases: row.alias.into_iter().collect(),
                sha256: row.sha256,
                artifact_key: row.artifact_key,
                traceparent: row.traceparent,
            }),
        }
    }
    versions
}

from_row! {
    pub(super) struct MoveRow {
        alias: String,
        number: i64,
        from_version: Option<i64>,
        to_version: Option<i64>,
        reason: String,
        actor: Option<Uuid>,
        detail: Option<String>,
        moved_at: DateTime<Utc>,
    }
}

impl StoredRow for MoveRow {
    const TABLE: &'static str = "alias_moves";
    type Key = Pair<String, i64>;
    type Value = AliasMove;

    fn key(&self) -> Self::Key {
        Pair(self.alias.clone(), self.number)
    }

    fn read(self) -> Result<AliasMove> {
        let (reason, actor) = (parse::move_reason(&self.reason)?, self.actor.map(UserId));
        let cause = MoveCause { reason, actor, detail: self.detail, at: self.moved_at };
        Ok(AliasMove { number: self.number, from: self.from_version, to: self.to_version, cause })
    }
}

from_row! {
    /// A guard with the sums of its reports.
    pub(super) struct GuardRow {
        id: Uuid,
        model_name: String,
        version: i64,
        alias: Option<String>,
        max_error_rate: Option<f64>,
        max_p99_ms: Option<f64>,
        min_requests: i64,
        ends_at: DateTime<Utc>,
        requests: i64,
        failed: i64,
        slow: i64,
    }
}

impl StoredRow for GuardRow {
    const TABLE: &'static str = "model_guards";
    type Key = Id;
    type Value = (Guard, GuardCounts);

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<(Guard, GuardCounts)> {
        let (max_error_rate, max_p99_ms) = (self.max_error_rate, self.max_p99_ms);
        let guard = Guard {
            id: GuardId(self.id),
            model: parse::model_name(&self.model_name)?,
            version: self.version,
            guarded: self.alias.map_or(Guarded::Weights, Guarded::Alias),
            limits: GuardLimits { max_error_rate, max_p99_ms, min_requests: self.min_requests },
            ends_at: self.ends_at,
        };
        Ok((guard, GuardCounts { requests: self.requests, failed: self.failed, slow: self.slow }))
    }
}
