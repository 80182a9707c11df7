//! Decides who a request comes from, and whether that is enough for the route.

use std::collections::HashMap;
use std::sync::Arc;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};
use trainyard_domain::access::Refusal;
use trainyard_domain::{Access, Clock, User, UserId};
use trainyard_storage::{Coalesce, Db};
use uuid::Uuid;

use super::external::External;
use super::{AuthError, Claims, DisabledUsers, Issuers, Jwt, Principal};
use crate::problem::{Code, Problem};

/// What a token's claims are checked against.
#[derive(Debug, Clone)]
pub enum PrincipalCheck {
    /// The account as the database has it now: a changed role or a disabled account counts at once.
    Database(Db),
    /// The set of disabled accounts, without a database on the way; the role is the token's.
    Claims(DisabledUsers),
}

/// Turns a request's headers into a [`Principal`]. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Authenticator(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    Tokens { jwt: Arc<Jwt>, clock: Clock, lookup: Lookup, external: Option<External> },
    Everybody(Principal),
    Nobody,
}

impl Authenticator {
    /// Believes tokens of `jwt` that are in time by `clock` and pass `check`. Call it within a Tokio runtime.
    pub fn new(jwt: Arc<Jwt>, clock: Clock, check: PrincipalCheck) -> Self {
        let lookup = Lookup::of(check);
        Self(Arc::new(Kind::Tokens { jwt, clock, lookup, external: None }))
    }

    /// The same, and tokens of `issuers` too. `db` holds the accounts of their users: read on each request where `check`
    /// asks the database, and now and then where it goes by claims.
    pub fn with_issuers(jwt: Arc<Jwt>, clock: Clock, check: PrincipalCheck, issuers: Arc<Issuers>, db: Db) -> Self {
        let external = match (issuers.is_empty(), &check) {
            (true, _) => return Self::new(jwt, clock, check),
            (false, PrincipalCheck::Database(_)) => External::with_database(issuers, db),
            (false, PrincipalCheck::Claims(disabled)) => {
                External::with_pool(issuers, db, disabled.clone(), clock.clone())
            }
        };
        let lookup = Lookup::of(check);
        Self(Arc::new(Kind::Tokens { jwt, clock, lookup, external: Some(external) }))
    }

    /// Takes every caller for `principal`, token or not. For `SKIP_AUTH` in development; only the wiring may choose it.
    pub fn everybody_is(principal: Principal) -> Self {
        Self(Arc::new(Kind::Everybody(principal)))
    }

    /// Believes nobody: for processes whose only routes are open ones.
    pub fn nobody() -> Self {
        Self(Arc::new(Kind::Nobody))
    }

    /// Who calls a route that asks for `access`: `None` on open routes, where a token is not even looked at, so that
    /// an expired one can't stand in the way of refreshing it.
    ///
    /// # Errors
    /// 401 without a good token, 403 when the role is too low, 503 when the account can't be looked up.
    pub async fn admit(&self, access: Access, headers: &HeaderMap) -> Result<Option<Principal>, Problem> {
        if access == Access::Anon {
            return Ok(None);
        }
        let principal = match &*self.0 {
            Kind::Everybody(principal) => Some(principal.clone()),
            Kind::Nobody => None,
            Kind::Tokens { jwt, clock, lookup, external } => match bearer(headers)? {
                Some(token) => Some(match (jwt.verify(token, clock.now()), external) {
                    (Ok(claims), _) => lookup.principal(claims).await?,
                    (Err(AuthError::Invalid), Some(external)) => {
                        let outside = external.principal(token, clock).await;
                        outside.map_err(|problem| problem.unwrap_or_else(|| refused(AuthError::Invalid)))?
                    }
                    (Err(error), _) => return Err(refused(error)),
                }),
                None => None,
            },
        };
        match access.check(principal.as_ref().map(|principal| principal.role)) {
            Ok(()) => Ok(principal),
            Err(Refusal::SignIn) => Err(Problem::new(Code::Unauthenticated, "sign in and send the access token")),
            Err(Refusal::RoleTooLow) => Err(Problem::new(Code::Forbidden, "this takes an administrator")),
        }
    }
}

/// How a token's claims are checked.
#[derive(Debug)]
enum Lookup {
    /// Requests that come at the same time ask together, and none is answered from before it came.
    Accounts(Coalesce<UserId, Option<User>>),
    Claims(DisabledUsers),
}

impl Lookup {
    fn of(check: PrincipalCheck) -> Self {
        match check {
            PrincipalCheck::Database(db) => Self::Accounts(accounts(db)),
            PrincipalCheck::Claims(disabled) => Self::Claims(disabled),
        }
    }

    async fn principal(&self, claims: Claims) -> Result<Principal, Problem> {
        match self {
            Self::Accounts(accounts) => {
                let user = accounts.call(claims.sub).await?;
                let user = user.filter(|user| !user.disabled && !user.security.is_over(claims.sid, claims.iat));
                user.map(|user| principal(user, claims.sid)).ok_or_else(|| refused(AuthError::Invalid))
            }
            Self::Claims(disabled) if disabled.contains(claims.sub) => Err(refused(AuthError::Invalid)),
            Self::Claims(_) => {
                Ok(Principal { user_id: claims.sub, email: claims.email, role: claims.role, session: claims.sid })
            }
        }
    }
}

/// Most requests whose accounts are looked up together.
const MAX_LOOKUPS: usize = 256;

/// Finds the accounts behind tokens, unless they are gone.
fn accounts(db: Db) -> Coalesce<UserId, Option<User>> {
    Coalesce::start(MAX_LOOKUPS, move |ids: Vec<UserId>| {
        let db = db.clone();
        async move {
            let mut distinct = ids.clone();
            distinct.sort();
            distinct.dedup();
            let mut tx = db.glance().await?;
            let users = tx.users().by_ids(&distinct).await?;
            // Gives the connection back warm.
            tx.commit().await?;
            let found: HashMap<_, _> = users.into_iter().map(|user| (user.id, user)).collect();
            Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
        }
    })
}

fn principal(user: User, session: Option<Uuid>) -> Principal {
    Principal { user_id: user.id, email: user.email.as_str().to_owned(), role: user.role, session }
}

/// The bearer token, if one was sent (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| refused(AuthError::Invalid))?;
    match text.split_once(' ') {
        _ if values.next().is_some() => Err(refused(AuthError::Invalid)),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Ok(None),
    }
}

fn refused(error: AuthError) -> Problem {
    let problem = match error {
        AuthError::Expired => Problem::new(Code::TokenExpired, "the access token has expired; refresh it"),
        AuthError::Invalid => Problem::new(Code::Unauthenticated, "the access token is not valid"),
    };
    problem.header(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer error="invalid_token""#))
}
