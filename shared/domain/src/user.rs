//! Accounts: e-mail addresses, passwords, roles.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::UserId;

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads and predicts.
    User,
    /// Also uploads, trains, deletes and administers accounts.
    Admin,
}

impl Role {
    /// The role's name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// The role called `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Admin].into_iter().find(|role| role.as_str() == text)
    }
}

/// An e-mail address, in lower case: two spellings of one address are one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Parses an address of at most 254 bytes.
    ///
    /// # Errors
    /// A sentence for the client when `text` is no address.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let options =
            email_address::Options::default().with_required_tld().without_display_text().without_domain_literal();
        if text.len() > 254 || email_address::EmailAddress::parse_with_options(text, options).is_err() {
            return Err("must be an e-mail address, such as ada@example.com");
        }
        Ok(Self(text.to_lowercase()))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password within the bounds that bcrypt can tell apart. Never printed.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Shortest accepted password, in bytes.
    pub const MIN_BYTES: usize = 8;
    /// Longest: bcrypt ignores what comes after 72 bytes, so a longer one is refused rather than cut.
    pub const MAX_BYTES: usize = 72;

    /// Accepts a password of 8 to 72 bytes without NUL.
    ///
    /// # Errors
    /// A sentence for the client.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        match text.len() {
            0..Self::MIN_BYTES => Err("must have at least 8 characters"),
            Self::MIN_BYTES..=Self::MAX_BYTES if text.contains('\0') => Err("must not contain a NUL character"),
            Self::MIN_BYTES..=Self::MAX_BYTES => Ok(Self(text)),
            _ => Err("must have at most 72 bytes"),
        }
    }

    /// The plain text, for the hash function alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// One account, as stored.
#[derive(Debug, Clone)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its address, unique.
    pub email: Email,
    /// bcrypt hash of its password.
    pub password_hash: String,
    /// What it may do.
    pub role: Role,
    /// Disabled accounts can neither sign in nor use tokens they still hold.
    pub disabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_folded_to_lower_case() {
        assert_eq!(Email::parse(" Ada@Example.COM ").unwrap().as_str(), "ada@example.com");
        for bad in ["", "ada", "ada@", "@example.com", "ada@localhost", "a b@example.com", "Ada <ada@example.com>"] {
            assert!(Email::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn passwords_have_bounds_in_bytes_and_are_never_printed() {
        assert!(Password::parse("x".repeat(7)).is_err());
        assert!(Password::parse("x".repeat(8)).is_ok());
        assert!(Password::parse("x".repeat(72)).is_ok());
        assert!(Password::parse("x".repeat(73)).is_err());
        assert!(Password::parse("é".repeat(37)).is_err(), "74 bytes in 37 characters");
        assert!(Password::parse("nul\0nul\0nul".into()).is_err());
        assert_eq!(format!("{:?}", Password::parse("correct horse".into()).unwrap()), "Password(…)");
    }
}
