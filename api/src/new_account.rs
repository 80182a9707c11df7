//! New accounts: by sign-up, by invitation and by seeding.

use chrono::{DateTime, Utc};
use trainyard_domain::user::AccountSecurity;
use trainyard_domain::{Email, Role, User, UserId};
use trainyard_http::Problem;
use trainyard_storage::{StorageError, Tx};

/// An enabled account that keeps its password.
pub(crate) fn account(email: Email, password_hash: String, role: Role, created_at: DateTime<Utc>) -> User {
    User {
        id: UserId::at(created_at),
        email,
        password_hash,
        role,
        disabled: false,
        created_at,
        security: AccountSecurity::default(),
    }
}

/// Inserts `user`.
///
/// # Errors
/// 409 when the e-mail address is taken.
pub(crate) async fn insert(tx: &mut Tx, user: &User) -> Result<(), Problem> {
    match tx.users().insert(user).await {
        Err(StorageError::Conflict) => Err(Problem::conflict("an account with this e-mail address exists already")),
        inserted => Ok(inserted?),
    }
}
