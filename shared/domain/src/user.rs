//! Accounts: e-mail addresses, passwords and roles.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::UserId;

/// The role of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May predict and read models, and read the sections in `auth.users_may_read`.
    User,
    /// May also upload, train, delete and administer accounts.
    Admin,
}

impl Role {
    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Admin].into_iter().find(|role| role.as_str() == text)
    }
}

/// An e-mail address in lower case, so that each address has one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Maximum length in bytes (RFC 5321, section 4.5.3.1.3).
    const MAX_BYTES: usize = 254;

    /// Parses an address; the error is a message for the client.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        // Validate the folded text, which is stored: lower-casing can add bytes (`Ⱥ`), and can make characters that no
        // address has (`İ`).
        let folded = text.trim().to_lowercase();
        let options =
            email_address::Options::default().with_required_tld().without_display_text().without_domain_literal();
        let is_valid = folded.len() <= Self::MAX_BYTES
            && folded == folded.to_lowercase()
            && email_address::EmailAddress::parse_with_options(&folded, options).is_ok();
        if is_valid { Ok(Self(folded)) } else { Err("must be an e-mail address, such as ada@example.com") }
    }

    /// An address from the database, without validation. An address that an older version accepted must stay readable.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password of a length that bcrypt supports. `Debug` hides it.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Minimum length in bytes.
    pub const MIN_BYTES: usize = 8;
    /// Maximum length in bytes. bcrypt ignores further bytes, so longer passwords are refused.
    pub const MAX_BYTES: usize = 72;

    /// Parses a password of 8 to 72 bytes without NUL; the error is a message for the client.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        match text.len() {
            0..Self::MIN_BYTES => Err("must have at least 8 characters"),
            Self::MIN_BYTES..=Self::MAX_BYTES if text.contains('\0') => Err("must not contain a NUL character"),
            Self::MIN_BYTES..=Self::MAX_BYTES => Ok(Self(text)),
            _ => Err("must have at most 72 bytes"),
        }
    }

    /// The plain text, for the hash function only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Revoked sessions and the one-time password of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountSecurity {
    /// Sessions that began before this time are revoked.
    pub sessions_end: Option<DateTime<Utc>>,
    /// The session that stays valid, because it changed the password.
    pub kept_session: Option<Uuid>,
    /// Set while the password is a one-time password.
    pub one_time: Option<OneTimePassword>,
}

/// A one-time password that an administrator received for the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneTimePassword {
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
    /// When it was used.
    pub used_at: Option<DateTime<Utc>>,
}

impl OneTimePassword {
    /// Whether it is valid at `now`.
    pub fn signs_in(&self, now: DateTime<Utc>) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }
}

impl AccountSecurity {
    /// Whether a session is revoked. `session` is its id, a UUIDv7. For a token without a session id, `issued_at` (seconds
    /// since 1970) decides.
    pub fn is_revoked(&self, session: Option<Uuid>, issued_at: i64) -> bool {
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

/// An account, as stored.
#[derive(Debug, Clone)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its unique e-mail address.
    pub email: Email,
    /// bcrypt hash of the password.
    pub password_hash: String,
    /// Its role.
    pub role: Role,
    /// A disabled account cannot sign in, and its tokens are refused.
    pub disabled: bool,
    /// When it was created.
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
    fn older_sessions_are_revoked_except_the_kept_one() {
        let at = |ms| DateTime::from_timestamp_millis(ms).unwrap();
        let (before, after) = (uuid_at(at(10_400)), uuid_at(at(10_600)));
        let ended = AccountSecurity { sessions_end: Some(at(10_500)), ..AccountSecurity::default() };
        assert!(ended.is_revoked(Some(before), 10) && !ended.is_revoked(Some(after), 10));
        assert!(
            ended.is_revoked(None, 9) && !ended.is_revoked(None, 10),
            "without a session id, the second of issue decides"
        );
        assert!(ended.is_revoked(Some(Uuid::nil()), 11), "an id without a timestamp");
        let kept = AccountSecurity { kept_session: Some(before), ..ended };
        assert!(!kept.is_revoked(Some(before), 10));
        assert!(!AccountSecurity::default().is_revoked(Some(before), 10));
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
