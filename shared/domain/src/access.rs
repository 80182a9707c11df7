//! Authorization of routes.

use serde::{Deserialize, Serialize};

use crate::user::Role;

/// The access level that a route requires. Every route has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Every caller, also without a token.
    Anon,
    /// Any active account.
    User,
    /// Any active account. The handler limits users to their own objects; administrators read all.
    Owner,
    /// Administrators only.
    Admin,
}

/// Why a caller was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request has no valid token: 401.
    SignIn,
    /// The account's role is too low: 403.
    RoleTooLow,
}

impl Access {
    /// Checks the caller's `role`; `None` for an anonymous caller.
    pub fn check(self, role: Option<Role>) -> Result<(), Refusal> {
        match (self, role) {
            (Self::Anon, _) | (Self::User | Self::Owner, Some(_)) | (Self::Admin, Some(Role::Admin)) => Ok(()),
            (Self::Admin, Some(Role::User)) => Err(Refusal::RoleTooLow),
            (Self::User | Self::Owner | Self::Admin, None) => Err(Refusal::SignIn),
        }
    }
}

/// A section of the API. Only administrators may read it, unless `auth.users_may_read` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadSection {
    /// `/training`.
    Training,
    /// `/datasets`.
    Datasets,
    /// `/schedules`.
    Schedules,
    /// `/webhooks`.
    Webhooks,
    /// `/queue`.
    Queue,
}

impl ReadSection {
    /// Every section.
    pub const ALL: [Self; 5] = [Self::Training, Self::Datasets, Self::Schedules, Self::Webhooks, Self::Queue];

    /// The name in the settings and the first segment of its paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Datasets => "datasets",
            Self::Schedules => "schedules",
            Self::Webhooks => "webhooks",
            Self::Queue => "queue",
        }
    }

    /// The access level for reads. `opened` lists the sections that every account may read.
    pub fn access(self, opened: &[Self]) -> Access {
        if opened.contains(&self) { Access::User } else { Access::Admin }
    }
}
