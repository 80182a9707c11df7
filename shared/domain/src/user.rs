//! Accounts: e-mail addresses, passwords, roles.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::UserId;

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Predicts and sees models; reads more where `auth.users_may_read` opens it.
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
    /// Longest address, in bytes (RFC 5321, section 4.5.3.1.3).
    const MAX_BYTES: usize = 254;

    /// Parses an address of at most 254 bytes.
    ///
    /// # Errors
    /// A sentence for the client when `text` is no address.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        // The folded text is what is stored, so the rules hold for the folded text: lower-casing can add bytes (`Ⱥ`) and
        // can turn an accepted character into one that no address has (`İ`).
        let folded = text.trim().to_lowercase();
        let options =
            email_address::Options::default().with_required_tld().without_display_text().without_domain_literal();
        let is_valid = folded.len() <= Self::MAX_BYTES
            && folded == folded.to_lowercase()
            && email_address::EmailAddress::parse_with_options(&folded, options).is_ok();
        if is_valid { Ok(Self(folded)) } else { Err("must be an e-mail address, such as ada@example.com") }
    }

    /// An address as a database holds it. It was checked when it was stored, by the rules of that version: one that
    /// today's rules refuse must still be readable, or it would break every list that it is in.
    pub fn stored(text: String) -> Self {
        Self(text)
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

/// What ended an account's sessions, and whether its password is for one sign-in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountSecurity {
    /// Sessions that began before this time are over.
    pub sessions_end: Option<DateTime<Utc>>,
    /// The session that goes on all the same, because it changed the password.
    pub kept_session: Option<Uuid>,
    /// Set while the password is one that an administrator was shown.
    pub one_time: Option<OneTimePassword>,
}

/// A password that an administrator was shown, for one sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneTimePassword {
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
    /// When somebody signed in with it.
    pub used_at: Option<DateTime<Utc>>,
}

impl OneTimePassword {
    /// Whether it still signs in at `now`.
    pub fn signs_in(&self, now: DateTime<Utc>) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }
}

impl AccountSecurity {
    /// Whether a session is over. `session` is its id, a UUIDv7; a token without one goes by its own time of issue, in
    /// seconds since 1970.
    pub fn is_over(&self, session: Option<Uuid>, issued_at: i64) -> bool {
        let Some(end) = self.sessions_end else { return false };
        match session {
            Some(session) if self.kept_session == Some(session) => false,
            Some(session) => match session.get_timestamp() {
                Some(began) => {
                    let (seconds, nanos) = began.to_unix();
                    let began_ms = i64::try_from(seconds).unwrap_or(0) * 1_000 + i64::from(nanos / 1_000_000);
                    began_ms < end.timestamp_millis()
                }
                None => true,
            },
            None => issued_at < end.timestamp(),
        }
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
    /// What ended its sessions, and whether its password is for one sign-in.
    pub security: AccountSecurity,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::uuid_at;

    #[test]
    fn an_accepted_address_reads_back_as_it_was_stored() {
        for text in ["Ada@Example.COM", "ȺȺ@example.com", "straße@example.com", "ΑΣ@example.com"] {
            if let Ok(email) = Email::parse(text) {
                assert_eq!(Email::parse(email.as_str()), Ok(email), "{text}");
            }
        }
        assert!(Email::parse("İx@hq.example").is_err(), "the folded text has a combining dot");
        let long = format!("{}@{}.example", "Ⱥ".repeat(30), ["Ⱥ".repeat(30), "Ⱥ".repeat(30)].join("."));
        assert!(long.len() <= 254, "{} bytes before it is folded", long.len());
        if let Ok(email) = Email::parse(&long) {
            assert!(email.as_str().len() <= 254);
        }
        let longer = format!("{}@{}.example", "Ⱥ".repeat(32), vec!["Ⱥ".repeat(28); 3].join("."));
        assert!(longer.len() <= 254 && longer.to_lowercase().len() > 254, "{}", longer.to_lowercase().len());
        assert!(Email::parse(&longer).is_err(), "too long once it is folded");
    }

    #[test]
    fn sessions_from_before_the_end_are_over_but_for_the_one_that_is_kept() {
        let at = |ms| DateTime::from_timestamp_millis(ms).unwrap();
        let (before, after) = (uuid_at(at(10_400)), uuid_at(at(10_600)));
        let ended = AccountSecurity { sessions_end: Some(at(10_500)), ..AccountSecurity::default() };
        assert!(ended.is_over(Some(before), 10) && !ended.is_over(Some(after), 10));
        assert!(ended.is_over(None, 9) && !ended.is_over(None, 10), "by the second without a session id");
        assert!(ended.is_over(Some(Uuid::nil()), 11), "an id that tells no time");
        let kept = AccountSecurity { kept_session: Some(before), ..ended };
        assert!(!kept.is_over(Some(before), 10));
        assert!(!AccountSecurity::default().is_over(Some(before), 10));
    }

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
