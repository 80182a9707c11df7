//! Resets a password directly in the database, for operators when nobody can sign in.

use serde_json::json;
use trainyard_domain::{Clock, Email, Password};
use trainyard_http::auth::{Passwords, Requester};
use trainyard_storage::{Db, NewPassword};

use crate::accounts::AccountsConfig;
use crate::audit::Actor;
use crate::routes::users::invite::random_password;
use crate::seed::SeedError;

/// Gives an account a one-time password and ends its sessions. Returns the password; `None` when the account does not exist
/// or was changed concurrently.
///
/// # Errors
/// For an invalid e-mail address, an unavailable database, or a failure of the password hash.
pub async fn reset_password(
    db: &Db,
    passwords: &Passwords,
    accounts: &AccountsConfig,
    email: &str,
) -> Result<Option<String>, SeedError> {
    let email = Email::parse(email).map_err(SeedError::Email)?;
    let Some(user) = db.read().await?.users().by_email(email.as_str()).await? else { return Ok(None) };
    let text = random_password();
    let password = Password::parse(text.clone()).map_err(SeedError::Password)?;
    let hash = passwords.hash(passwords.permit(Requester::SERVER).await?, &password).await?;
    let now = Clock::system().now();
    let until = now + accounts.one_time_password_ttl();
    let mut tx = db.begin().await?;
    let new = NewPassword { hash: &hash, one_time_until: Some(until), kept_session: None };
    if !tx.users().set_password(user.id, &user.password_hash, new, now).await? {
        return Ok(None);
    }
    tx.refresh_tokens().revoke_user(user.id, None, now).await?;
    Actor::server().record(&mut tx, "account.reset_password", format!("user:{}", user.id), json!({})).await?;
    tx.commit().await?;
    Ok(Some(text))
}
