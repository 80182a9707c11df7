//! The history of aliases.

use chrono::{DateTime, Utc};

use crate::ids::UserId;

/// Why an alias changed. Clients may rely on this closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MoveReason {
    /// An administrator moved or deleted the alias.
    User,
    /// The first version of a model was published.
    FirstVersion,
    /// A version was published, and `worker.auto_promote` is set.
    Publication,
    /// A version was published that is better than the one before (`auto_promote` of the job).
    GuardedPromotion,
    /// An administrator returned to the version before.
    Rollback,
    /// A limit of the guard was exceeded.
    AutomaticRollback,
    /// The version was deleted with its aliases.
    VersionDeleted,
    /// The alias existed when the history began.
    Upgrade,
}

impl MoveReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::User,
        Self::FirstVersion,
        Self::Publication,
        Self::GuardedPromotion,
        Self::Rollback,
        Self::AutomaticRollback,
        Self::VersionDeleted,
        Self::Upgrade,
    ];

    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::FirstVersion => "first_version",
            Self::Publication => "publication",
            Self::GuardedPromotion => "guarded_promotion",
            Self::Rollback => "rollback",
            Self::AutomaticRollback => "automatic_rollback",
            Self::VersionDeleted => "version_deleted",
            Self::Upgrade => "upgrade",
        }
    }

    /// The reason with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// The cause of a change of an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveCause {
    /// Why the alias changes.
    pub reason: MoveReason,
    /// The account that changes it; `None` for the server itself.
    pub actor: Option<UserId>,
    /// What led to the change, one sentence.
    pub detail: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

impl MoveCause {
    /// A cause without an account and without a detail.
    pub fn new(reason: MoveReason, at: DateTime<Utc>) -> Self {
        Self { reason, actor: None, detail: None, at }
    }

    /// The same cause with the account that acts.
    #[must_use]
    pub fn by(self, actor: Option<UserId>) -> Self {
        Self { actor, ..self }
    }

    /// The same cause with a detail.
    #[must_use]
    pub fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// A change of an alias, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasMove {
    /// Its number in the history of the alias, from 1.
    pub number: i64,
    /// The version before; `None` if the alias did not exist.
    pub from: Option<i64>,
    /// The version since then; `None` if the alias was deleted.
    pub to: Option<i64>,
    /// The cause.
    pub cause: MoveCause,
}
