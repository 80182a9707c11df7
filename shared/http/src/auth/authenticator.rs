//! Authenticates the caller of a request, and checks the access of the route.

use std::collections::HashMap;
use std::sync::Arc;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};
use trainyard_domain::access::Refusal;
use trainyard_domain::api_key::KEY_START;
use trainyard_domain::{Access, Clock, User, UserId};
use trainyard_storage::{Batcher, Db};
use uuid::Uuid;

use super::external::External;
use super::{ApiKeys, AuthError, Claims, DisabledUsers, Issuers, Jwt, Principal};
use crate::problem::{Code, Problem};

/// How the claims of a token are checked.
#[derive(Debug, Clone)]
pub enum PrincipalCheck {
    /// By the account in the database: a changed role or a disabled account takes effect at once.
    Database(Db),
    /// By the set of disabled accounts, without a query. The role is that of the token.
    Claims(DisabledUsers),
}

/// Authenticates requests. Clones share the state.
#[derive(Debug, Clone)]
pub struct Authenticator(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    Tokens(Tokens),
    Fixed(Principal),
    RejectAll,
}

#[derive(Debug)]
struct Tokens {
    jwt: Arc<Jwt>,
    clock: Clock,
    lookup: Lookup,
    external: Option<External>,
    api_keys: Option<ApiKeys>,
}

impl Authenticator {
    /// Accepts tokens of `jwt` that are valid at the time of `clock` and pass `check`, and no API keys. Call it within a Tokio
    /// runtime.
    pub fn new(jwt: Arc<Jwt>, clock: Clock, check: PrincipalCheck) -> Self {
        let lookup = Lookup::of(check);
        Self(Arc::new(Kind::Tokens(Tokens { jwt, clock, lookup, external: None, api_keys: None })))
    }

    /// [`Authenticator::new`], with tokens of `issuers` and with `api_keys` as well. `db` holds the accounts of the issuers'
    /// users: they are read on each request with [`PrincipalCheck::Database`], and cached with [`PrincipalCheck::Claims`].
    pub fn with_issuers(
        jwt: Arc<Jwt>,
        clock: Clock,
        check: PrincipalCheck,
        issuers: Arc<Issuers>,
        db: Db,
        api_keys: ApiKeys,
    ) -> Self {
        let external = match (issuers.is_empty(), &check) {
            (true, _) => None,
            (false, PrincipalCheck::Database(_)) => Some(External::with_database(issuers, db)),
            (false, PrincipalCheck::Claims(disabled)) => {
                Some(External::with_cache(issuers, db, disabled.clone(), clock.clone()))
            }
        };
        let lookup = Lookup::of(check);
        Self(Arc::new(Kind::Tokens(Tokens { jwt, clock, lookup, external, api_keys: Some(api_keys) })))
    }

    /// Authenticates every caller as `principal`, without a token: `SKIP_AUTH` for development.
    pub fn fixed(principal: Principal) -> Self {
        Self(Arc::new(Kind::Fixed(principal)))
    }

    /// Accepts no token: for processes whose routes need no authentication.
    pub fn reject_all() -> Self {
        Self(Arc::new(Kind::RejectAll))
    }

    /// The caller of a route with this access. `None` on a route without authentication, which ignores tokens: an expired
    /// access token must not prevent its refresh.
    ///
    /// # Errors
    /// 401 without a valid token, 403 if the role does not suffice, 503 if the account can't be read.
    pub async fn authorize(&self, access: Access, headers: &HeaderMap) -> Result<Option<Principal>, Problem> {
        if access == Access::Anon {
            return Ok(None);
        }
        let principal = match &*self.0 {
            Kind::Fixed(principal) => Some(principal.clone()),
            Kind::RejectAll => None,
            Kind::Tokens(tokens) => match bearer(headers)? {
                Some(token) => Some(tokens.principal(token).await?),
                None => None,
            },
        };
        match access.check(principal.as_ref().map(|principal| principal.role)) {
            Ok(()) => Ok(principal),
            Err(Refusal::SignIn) => {
                let detail = "send an access token or an API key: Authorization: Bearer …";
                Err(Problem::new(Code::Unauthenticated, detail))
            }
            Err(Refusal::RoleTooLow) => Err(Problem::new(Code::Forbidden, "this request needs the role admin")),
        }
    }
}

impl Tokens {
    /// The caller with this token or API key.
    async fn principal(&self, token: &str) -> Result<Principal, Problem> {
        if let Some(api_keys) = self.api_keys.as_ref().filter(|_| token.starts_with(KEY_START)) {
            return api_keys.principal(token).await;
        }
        match (self.jwt.verify(token, self.clock.now()), &self.external) {
            (Ok(claims), _) => self.lookup.principal(&claims).await,
            (Err(AuthError::Invalid), Some(external)) => {
                // On the heap: it is large, and most requests have a token of our own.
                let principal = Box::pin(external.principal(token, &self.clock)).await;
                principal.map_err(|problem| problem.unwrap_or_else(|| refused(AuthError::Invalid)))
            }
            (Err(error), _) => Err(refused(error)),
        }
    }
}

/// Checks the claims of a token.
#[derive(Debug)]
enum Lookup {
    /// Concurrent requests share a query. No query starts before the requests that it serves.
    Accounts(Batcher<UserId, Option<User>>),
    Claims(DisabledUsers),
}

impl Lookup {
    fn of(check: PrincipalCheck) -> Self {
        match check {
            PrincipalCheck::Database(db) => Self::Accounts(accounts(db)),
            PrincipalCheck::Claims(disabled) => Self::Claims(disabled),
        }
    }

    async fn principal(&self, claims: &Claims) -> Result<Principal, Problem> {
        match self {
            Self::Accounts(accounts) => {
                let user = accounts.call(claims.sub).await?;
                let user = user.filter(|user| !user.disabled && !user.security.is_revoked(claims.sid, claims.iat));
                user.map(|user| principal(user, claims.sid)).ok_or_else(|| refused(AuthError::Invalid))
            }
            Self::Claims(disabled) if disabled.contains(claims.sub) => Err(refused(AuthError::Invalid)),
            Self::Claims(_) => {
                let email = claims.email.clone();
                Ok(Principal { user_id: claims.sub, email, role: claims.role, session: claims.sid, api_key: None })
            }
        }
    }
}

const MAX_LOOKUPS: usize = 256;

/// Reads accounts by id in batches.
fn accounts(db: Db) -> Batcher<UserId, Option<User>> {
    Batcher::start(MAX_LOOKUPS, move |ids: Vec<UserId>| {
        let db = db.clone();
        async move {
            let mut distinct = ids.clone();
            distinct.sort();
            distinct.dedup();
            let mut tx = db.read_autocommit().await?;
            let users = tx.users().by_ids(&distinct).await?;
            // A commit returns the connection to the pool for reuse.
            tx.commit().await?;
            let found: HashMap<_, _> = users.into_iter().map(|user| (user.id, user)).collect();
            Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
        }
    })
}

fn principal(user: User, session: Option<Uuid>) -> Principal {
    let email = user.email.as_str().to_owned();
    Principal { user_id: user.id, email, role: user.role, session, api_key: None }
}

/// The bearer token, if there is one (RFC 6750, section 2.1).
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
