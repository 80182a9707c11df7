//! Identities of outside token issuers: which account a token leads to, and which role it gives.

use chrono::{DateTime, Utc};

use crate::ids::UserId;
use crate::user::{Role, User};

/// A user of an outside issuer, linked to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// The issuer: `iss` of its tokens, or its configured name where tokens carry none.
    pub issuer: String,
    /// The user's id at the issuer.
    pub subject: String,
    /// The account.
    pub user_id: UserId,
    /// Whether the issuer vouched for the e-mail address when the identity was linked.
    pub email_verified: bool,
    /// `iat` of the token that last set the account's role; `None` while administrators set the role.
    pub role_as_of: Option<DateTime<Utc>>,
    /// When the identity was linked.
    pub created_at: DateTime<Utc>,
}

/// What a valid token of an unknown identity leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstSight {
    /// Make an account.
    Create,
    /// Link the identity to the account that has its e-mail address.
    Link,
    /// Refuse: the issuer's users must have an account already.
    RefuseUnknown,
    /// Refuse: another account has the e-mail address, and the rules forbid linking it.
    RefuseEmailTaken,
}

/// What an issuer's settings allow for identities that are not linked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstSightRules {
    /// Whether an account is made for an unknown e-mail address.
    pub create: bool,
    /// Whether a verified e-mail address may lead to an existing account.
    pub link_by_email: bool,
}

impl FirstSightRules {
    /// Decides about an identity of `issuer` that is not linked. `email_verified` is the token's statement; `owner` is
    /// the account that has the e-mail address, with the identities linked to that account.
    ///
    /// An e-mail address alone never leads to an account: whoever can make an issuer state somebody else's address would
    /// take over the account. Nor does a verified one lead to an account that another identity of the same issuer holds
    /// (the address was given to another person), or that an unverified identity made.
    pub fn decide(self, issuer: &str, email_verified: bool, owner: Option<(&User, &[ExternalIdentity])>) -> FirstSight {
        match owner {
            None if self.create => FirstSight::Create,
            None => FirstSight::RefuseUnknown,
            Some((_, linked)) => {
                let safe = linked.iter().all(|other| other.email_verified && other.issuer != issuer);
                if self.link_by_email && email_verified && safe {
                    FirstSight::Link
                } else {
                    FirstSight::RefuseEmailTaken
                }
            }
        }
    }
}

/// What a token does to the role of a linked account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleChange {
    /// The stored role counts.
    Keep,
    /// The token's role counts and replaces the stored one; its `iat` is the time of the change.
    Set(Role, DateTime<Utc>),
    /// The issuer no longer maps roles: the stored role counts, and administrators may change it again.
    Release,
}

impl RoleChange {
    /// Decides by the role that the token maps to (`None` where the issuer maps none), the token's `iat`, and what is
    /// stored. Of two tokens with different roles the later issued one counts, in whichever order they arrive.
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

    /// The role that counts, where `stored` is the account's.
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
        let rules = |create| FirstSightRules { create, link_by_email: true };
        assert_eq!(rules(true).decide("a", true, None), FirstSight::Create);
        assert_eq!(rules(true).decide("a", false, None), FirstSight::Create);
        assert_eq!(rules(false).decide("a", true, None), FirstSight::RefuseUnknown);
    }

    #[test]
    fn an_existing_account_is_linked_only_by_a_verified_address_and_where_allowed() {
        let person = person();
        let decide = |link_by_email, verified, linked: &[ExternalIdentity]| {
            FirstSightRules { create: true, link_by_email }.decide("a", verified, Some((&person, linked)))
        };
        assert_eq!(decide(true, true, &[]), FirstSight::Link);
        assert_eq!(decide(true, true, &[identity("b", true)]), FirstSight::Link);
        assert_eq!(decide(false, true, &[]), FirstSight::RefuseEmailTaken);
        assert_eq!(decide(true, false, &[]), FirstSight::RefuseEmailTaken);
        assert_eq!(decide(true, true, &[identity("b", false)]), FirstSight::RefuseEmailTaken, "made unverified");
        assert_eq!(decide(true, true, &[identity("a", true)]), FirstSight::RefuseEmailTaken, "a reused address");
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
