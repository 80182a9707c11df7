//! Who may call a route.

use crate::user::Role;

/// What a route asks of its caller. Every route names one; a test walks them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Anybody, signed in or not.
    Anon,
    /// Any active account.
    User,
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
            (Self::Anon, _) | (Self::User, Some(_)) | (Self::Admin, Some(Role::Admin)) => Ok(()),
            (Self::Admin, Some(Role::User)) => Err(Refusal::RoleTooLow),
            (Self::User | Self::Admin, None) => Err(Refusal::SignIn),
        }
    }
}
