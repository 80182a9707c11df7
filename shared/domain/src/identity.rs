//! Identities of external token issuers: the account of an identity, and the role that a token grants.

use chrono::{DateTime, Utc};

use crate::ids::UserId;
use crate::user::{Role, User};

/// A user of an external issuer, linked to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// `iss` of the issuer's tokens, or the issuer's configured name if its tokens have no `iss`.
    pub issuer: String,
    /// The user's id at the issuer.
    pub subject: String,
    /// The account.
    pub user_id: UserId,
    /// Whether the token stated a verified e-mail address when the identity was linked.
    pub email_verified: bool,
    /// `iat` of the token that last set the account's role. `None`: administrators set the role.
    pub role_as_of: Option<DateTime<Utc>>,
    /// When the identity was linked.
    pub created_at: DateTime<Utc>,
}

/// The decision about an identity that is not linked to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkDecision {
    /// Create an account.
    Create,
    /// Link the identity to the account with the same e-mail address.
    Link,
    /// Refuse: the issuer's settings do not allow new accounts.
    RefuseUnknown,
    /// Refuse: an account has the e-mail address, and linking to this account is not allowed.
    RefuseEmailTaken,
}

/// An issuer's settings for identities that are not linked to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkRules {
    /// Whether an unknown e-mail address creates an account.
    pub create: bool,
    /// Whether an identity may be linked to an existing account by a verified e-mail address.
    pub link_by_email: bool,
}

impl LinkRules {
    /// Decides about an identity of `issuer` that is not linked. `email_verified` comes from the token. `owner` is the
    /// account with the token's e-mail address, and the identities that are linked to the account.
    ///
    /// An unverified address never links: an attacker could state any address and take over the account. A verified
    /// address does not link either if the account has another identity of the same issuer, because the address may have
    /// been reassigned, or if the account has an unverified identity.
    pub fn decide(
        self,
        issuer: &str,
        email_verified: bool,
        owner: Option<(&User, &[ExternalIdentity])>,
    ) -> LinkDecision {
        match owner {
            None if self.create => LinkDecision::Create,
            None => LinkDecision::RefuseUnknown,
            Some((_, linked)) => {
                let safe = linked.iter().all(|other| other.email_verified && other.issuer != issuer);
                if self.link_by_email && email_verified && safe {
                    LinkDecision::Link
                } else {
                    LinkDecision::RefuseEmailTaken
                }
            }
        }
    }
}

/// The effect of a token on the role of a linked account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleChange {
    /// The stored role applies.
    Keep,
    /// The token's role applies and replaces the stored role. The time is the token's `iat`.
    Set(Role, DateTime<Utc>),
    /// The issuer no longer maps roles: the stored role applies, and administrators may change it.
    Release,
}

impl RoleChange {
    /// Decides from the token's mapped role (`None` if the issuer maps no roles), the token's `iat` and the stored role.
    /// Of two tokens with different roles the one issued later applies, in any order of arrival.
    pub fn decide(
        mapped: Option<Role>,
        issued_at: DateTime<Utc>,
        stored: Role,
        role_as_of: Option<DateTime<Utc>>,
    ) -> Self {
        match (mapped, role_as_of) {
            (None, None) => Self::Keep,
            (None, Some(_)) => Self::Release,
            (Some(_), Some(set_at)) if issued_at <= set_at => Self::Keep,
            (Some(role), Some(_)) if role == stored => Self::Keep,
            (Some(role), _) => Self::Set(role, issued_at),
        }
    }

    /// The role that applies; `stored` is the account's role.
    pub fn effective(self, stored: Role) -> Role {
        match self {
            Self::Keep | Self::Release => stored,
            Self::Set(role, _) => role,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::user::Email;

    fn person() -> User {
        User {
            id: UserId::at(DateTime::UNIX_EPOCH),
            email: Email::parse("ada@example.com").unwrap(),
            password_hash: String::new(),
            role: Role::User,
            disabled: false,
            created_at: DateTime::UNIX_EPOCH,
            security: crate::user::AccountSecurity::default(),
        }
    }

    fn identity(issuer: &str, email_verified: bool) -> ExternalIdentity {
        ExternalIdentity {
            issuer: issuer.into(),
            subject: "1".into(),
            user_id: person().id,
            email_verified,
            role_as_of: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn unknown_identities_get_an_account_or_are_refused() {
        let rules = |create| LinkRules { create, link_by_email: true };
        assert_eq!(rules(true).decide("a", true, None), LinkDecision::Create);
        assert_eq!(rules(true).decide("a", false, None), LinkDecision::Create);
        assert_eq!(rules(false).decide("a", true, None), LinkDecision::RefuseUnknown);
    }

    #[test]
    fn an_existing_account_is_linked_only_by_a_verified_address_and_where_allowed() {
        let person = person();
        let decide = |link_by_email, verified, linked: &[ExternalIdentity]| {
            LinkRules { create: true, link_by_email }.decide("a", verified, Some((&person, linked)))
        };
        assert_eq!(decide(true, true, &[]), LinkDecision::Link);
        assert_eq!(decide(true, true, &[identity("b", true)]), LinkDecision::Link);
        assert_eq!(decide(false, true, &[]), LinkDecision::RefuseEmailTaken);
        assert_eq!(decide(true, false, &[]), LinkDecision::RefuseEmailTaken);
        assert_eq!(
            decide(true, true, &[identity("b", false)]),
            LinkDecision::RefuseEmailTaken,
            "the account has an unverified identity"
        );
        assert_eq!(
            decide(true, true, &[identity("a", true)]),
            LinkDecision::RefuseEmailTaken,
            "the address may have been reassigned"
        );
    }

    #[test]
    fn the_later_issued_token_decides_the_role() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let decide = RoleChange::decide;
        assert_eq!(decide(None, at(5), Role::Admin, None), RoleChange::Keep);
        assert_eq!(decide(None, at(5), Role::Admin, Some(at(1))), RoleChange::Release);
        assert_eq!(decide(Some(Role::User), at(5), Role::User, None), RoleChange::Set(Role::User, at(5)));
        assert_eq!(decide(Some(Role::Admin), at(5), Role::User, Some(at(4))), RoleChange::Set(Role::Admin, at(5)));
        assert_eq!(decide(Some(Role::User), at(5), Role::User, Some(at(4))), RoleChange::Keep);
        assert_eq!(decide(Some(Role::Admin), at(4), Role::User, Some(at(4))), RoleChange::Keep, "an older token");
        assert_eq!(RoleChange::Keep.effective(Role::Admin), Role::Admin);
        assert_eq!(RoleChange::Release.effective(Role::User), Role::User);
        assert_eq!(RoleChange::Set(Role::Admin, at(5)).effective(Role::User), Role::Admin);
    }
}
