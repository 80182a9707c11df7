//! API keys: long-lived credentials of an account for scripts and services.
//!
//! A key never has more rights than its account: the effective role is the lower of both roles, and a disabled account
//! disables its keys.

use chrono::{DateTime, Datelike, Utc};
use rand::Rng;
use rand::distr::Alphanumeric;

use crate::ids::{ApiKeyId, UserId};
use crate::user::{Email, Role};

/// The start of every key, by which servers and secret scanners recognize one.
pub const KEY_START: &str = "ty_";
/// Random characters after [`KEY_START`], each one of 62: 238 bits of randomness.
const RANDOM_CHARS: usize = 40;
/// Random characters that lists show.
const SHOWN_CHARS: usize = 4;
/// The last year that both databases and RFC 3339 can express.
const LAST_YEAR: i32 = 9999;

/// The plain text of a key: `ty_` and 40 letters and digits. It exists only in the response that creates the key and in the
/// requests that use it. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyText(String);

impl ApiKeyText {
    /// A new key from a cryptographically secure random generator.
    pub fn generate(random: &mut impl Rng) -> Self {
        let characters = random.sample_iter(Alphanumeric).take(RANDOM_CHARS).map(char::from);
        Self(KEY_START.chars().chain(characters).collect())
    }

    /// Parses a presented key; `None` for a text that is no key.
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(KEY_START)?;
        let valid = random.len() == RANDOM_CHARS && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        valid.then(|| Self(text.to_owned()))
    }

    /// The whole key.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The first seven characters, such as `ty_AbCd`. The other 36 keep 214 bits secret.
    pub fn prefix(&self) -> &str {
        &self.0[..KEY_START.len() + SHOWN_CHARS]
    }
}

impl std::fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKeyText(…)")
    }
}

/// The name of a key, by which its owner recognizes it. Two keys may have the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyName(String);

impl ApiKeyName {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 64;

    /// Parses a name of 1 to 64 characters without control characters, after removing white space at both ends; the error
    /// is a message for the client.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let name = text.trim();
        let length = name.chars().count();
        if !(1..=Self::MAX_CHARS).contains(&length) || name.chars().any(char::is_control) {
            return Err("must have 1 to 64 characters, without control characters");
        }
        Ok(Self(name.to_owned()))
    }

    /// A name from the database, without validation.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key, as stored: without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The account.
    pub user_id: UserId,
    /// Its name.
    pub name: ApiKeyName,
    /// The first characters of the key.
    pub prefix: String,
    /// Its highest role.
    pub role: Role,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it expires; `None` for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, with a precision of about a minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Checks the requested role of a new key; the error is a message for the client.
pub fn check_role(requested: Role, owner: Role) -> Result<Role, &'static str> {
    if effective_role(requested, owner) == requested {
        Ok(requested)
    } else {
        Err("must not be higher than the role of the account")
    }
}

/// Checks the requested expiry of a new key; the error is a message for the client.
pub fn check_expiry(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>, &'static str> {
    if expires_at <= now {
        return Err("must be in the future");
    }
    if expires_at.year() > LAST_YEAR { Err("must be before the year 10000") } else { Ok(expires_at) }
}

/// The lower of both roles.
fn effective_role(key: Role, owner: Role) -> Role {
    match (key, owner) {
        (Role::Admin, Role::Admin) => Role::Admin,
        (Role::User, _) | (_, Role::User) => Role::User,
    }
}

/// What a key permits, with the state of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyGrant {
    /// The key.
    pub id: ApiKeyId,
    /// Its highest role.
    pub role: Role,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The account.
    pub user_id: UserId,
    /// The e-mail address of the account.
    pub email: Email,
    /// The role of the account.
    pub owner_role: Role,
    /// Whether the account is disabled or deleted.
    pub owner_disabled: bool,
}

/// Why an existing key is refused. The client may see the reason, because only the owner of a key can send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyRefusal {
    /// It has expired.
    #[error("the API key has expired; create another one")]
    Expired,
    /// Its account is disabled.
    #[error("the account of the API key is disabled")]
    OwnerDisabled,
}

impl ApiKeyGrant {
    /// The effective role at `now`.
    ///
    /// # Errors
    /// [`ApiKeyRefusal`] if the key has expired or its account is disabled.
    pub fn role_at(&self, now: DateTime<Utc>) -> Result<Role, ApiKeyRefusal> {
        if self.owner_disabled {
            return Err(ApiKeyRefusal::OwnerDisabled);
        }
        if self.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(ApiKeyRefusal::Expired);
        }
        Ok(effective_role(self.role, self.owner_role))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_generated_key_is_parsed_and_never_printed() {
        let mut random = StdRng::seed_from_u64(1);
        let (one, other) = (ApiKeyText::generate(&mut random), ApiKeyText::generate(&mut random));
        assert_ne!(one, other);
        assert_eq!(ApiKeyText::parse(one.reveal()), Some(one.clone()));
        assert_eq!((one.reveal().len(), one.prefix().len()), (43, 7));
        assert!(one.reveal().starts_with(one.prefix()) && one.prefix().starts_with(KEY_START));
        assert_eq!(format!("{one:?}"), "ApiKeyText(…)");
    }

    #[test]
    fn other_texts_are_no_keys() {
        let random = "a".repeat(40);
        assert!(ApiKeyText::parse(&format!("ty_{random}")).is_some());
        for text in [
            random.clone(),
            "ty_".into(),
            format!("TY_{random}"),
            format!("ty_{random}a"),
            format!("ty_{}", &random[1..]),
            format!("ty_{}-", &random[1..]),
            format!("ty_{}é", &random[2..]),
            "eyJhbGciOiJIUzI1NiJ9.e30.x".into(),
        ] {
            assert_eq!(ApiKeyText::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(ApiKeyName::parse(" ci of the shop ").unwrap().as_str(), "ci of the shop");
        assert!(ApiKeyName::parse(&"é".repeat(64)).is_ok());
        for bad in [String::new(), "  ".into(), "a\nb".into(), "nul\0".into(), "é".repeat(65)] {
            assert!(ApiKeyName::parse(&bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn a_key_has_at_most_the_role_of_its_account() {
        assert_eq!(check_role(Role::User, Role::Admin), Ok(Role::User));
        assert_eq!(check_role(Role::Admin, Role::Admin), Ok(Role::Admin));
        assert!(check_role(Role::Admin, Role::User).is_err());
        let now = DateTime::UNIX_EPOCH;
        for (role, owner_role, effective) in [
            (Role::Admin, Role::Admin, Role::Admin),
            (Role::Admin, Role::User, Role::User),
            (Role::User, Role::Admin, Role::User),
            (Role::User, Role::User, Role::User),
        ] {
            assert_eq!(ApiKeyGrant { role, owner_role, ..grant() }.role_at(now), Ok(effective));
        }
    }

    #[test]
    fn expired_keys_and_keys_of_disabled_accounts_are_refused() {
        let (now, second) = (DateTime::UNIX_EPOCH, TimeDelta::seconds(1));
        let expiring = ApiKeyGrant { expires_at: Some(now), ..grant() };
        assert_eq!(expiring.role_at(now - second), Ok(Role::User));
        assert_eq!(expiring.role_at(now), Err(ApiKeyRefusal::Expired));
        let disabled = ApiKeyGrant { owner_disabled: true, ..grant() };
        assert_eq!(disabled.role_at(now), Err(ApiKeyRefusal::OwnerDisabled));
        assert!(check_expiry(now, now).is_err() && check_expiry(now + second, now).is_ok());
        assert!(check_expiry(now.with_year(10_000).unwrap(), now).is_err());
    }

    fn grant() -> ApiKeyGrant {
        ApiKeyGrant {
            id: ApiKeyId::at(DateTime::UNIX_EPOCH),
            role: Role::User,
            expires_at: None,
            last_used_at: None,
            user_id: UserId::at(DateTime::UNIX_EPOCH),
            email: Email::stored("ada@example.com".into()),
            owner_role: Role::User,
            owner_disabled: false,
        }
    }
}
