//! Who may call a route.

use serde::{Deserialize, Serialize};

use crate::user::Role;

/// What a route asks of its caller. Every route names one; a test walks them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Anybody, signed in or not.
    Anon,
    /// Any active account.
    User,
    /// Any active account may ask; the handler lets administrators read everything and others what is theirs.
    Owner,
    /// Administrators alone.
    Admin,
}

/// Why a caller was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody is signed in: 401.
    SignIn,
    /// Somebody is, but the role is too low: 403.
    RoleTooLow,
}

impl Access {
    /// Decides whether a caller with `role` (`None`: not signed in) may pass.
    ///
    /// # Errors
    /// [`Refusal::SignIn`] for an anonymous caller, [`Refusal::RoleTooLow`] for a user on an admin route.
    pub fn check(self, role: Option<Role>) -> Result<(), Refusal> {
        match (self, role) {
            (Self::Anon, _) | (Self::User | Self::Owner, Some(_)) | (Self::Admin, Some(Role::Admin)) => Ok(()),
            (Self::Admin, Some(Role::User)) => Err(Refusal::RoleTooLow),
            (Self::User | Self::Owner | Self::Admin, None) => Err(Refusal::SignIn),
        }
    }
}

/// A part of the API whose reads need an administrator unless `auth.users_may_read` opens them to every account.
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

    /// The name in the settings and the first part of its paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Datasets => "datasets",
            Self::Schedules => "schedules",
            Self::Webhooks => "webhooks",
            Self::Queue => "queue",
        }
    }

    /// What reading it asks for, where `opened` are the sections that every account may read.
    pub fn access(self, opened: &[Self]) -> Access {
        if opened.contains(&self) { Access::User } else { Access::Admin }
    }
}
