//! Checks passwords, within the limits and the fair queue of [`trainyard_http::auth`].

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::json;
use trainyard_domain::{Email, User};
use trainyard_http::auth::{CheckRefused, Limited, PasswordError};
use trainyard_http::middleware::RequestId;
use trainyard_http::{ClientAddress, Code, Principal, Problem};
use trainyard_telemetry::catalogue;

use crate::audit::Actor;
use crate::state::ApiState;

/// The client of a request that is not authenticated yet.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) address: ClientAddress,
    pub(crate) request_id: RequestId,
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let address = ClientAddress::from_request_parts(parts, state).await?;
        let request_id = RequestId::from_request_parts(parts, state).await?;
        Ok(Self { address, request_id })
    }
}

/// Why a sign-in was refused. The reason goes to the log and the audit trail, never to the client.
#[derive(Debug, Clone, Copy)]
enum RefusalReason {
    UnknownAccount,
    WrongPassword,
    Disabled,
    OneTimePasswordInvalid,
}

impl RefusalReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown account",
            Self::WrongPassword => "wrong password",
            Self::Disabled => "disabled account",
            Self::OneTimePasswordInvalid => "one-time password used or expired",
        }
    }
}

/// The account with the e-mail address `name`, if `password` is correct and the account may sign in.
///
/// # Errors
/// 401 with the same body for every reason, 429 after too many failures, 503 under overload.
pub(crate) async fn verify(state: &ApiState, client: &Client, name: &str, password: &str) -> Result<User, Problem> {
    let email = Email::parse(name).ok();
    check(state, client, name, email, password, None).await
}

/// The caller's account, if `password` is correct. The one-time password that began the session counts as correct.
///
/// # Errors
/// As for [`verify`].
pub(crate) async fn verify_own(
    state: &ApiState,
    client: &Client,
    principal: &Principal,
    password: &str,
) -> Result<User, Problem> {
    let email = Some(Email::stored(principal.email.clone()));
    check(state, client, &principal.email, email, password, Some(principal)).await
}

async fn check(
    state: &ApiState,
    client: &Client,
    name: &str,
    email: Option<Email>,
    password: &str,
    signed_in: Option<&Principal>,
) -> Result<User, Problem> {
    let now = state.clock.now();
    let folded = email.as_ref().map_or_else(|| name.trim().to_lowercase(), |email| email.as_str().to_owned());
    let address = client.address.limit_key();
    let (found, known) = {
        let mut tx = state.db.read().await?;
        let found = match &email {
            Some(email) => tx.users().by_email(email.as_str()).await?,
            None => None,
        };
        let hashed = state.jwt.keys().address(address);
        let known = tx.known_addresses().contains(found.as_ref().map(|user| user.id), &hashed, now).await?;
        (found, known)
    };
    let checks = state.password_checks();
    let attempt = checks.limits().attempt(&folded, address, known);
    // For an unknown account a dummy hash is checked: the response time does not reveal whether the account exists.
    let hash = found.as_ref().map(|user| user.password_hash.as_str());
    let checked = checks.check(attempt, password, hash).await.map_err(|refused| refuse_check(client, refused))?;
    let reason = match &found {
        None => RefusalReason::UnknownAccount,
        Some(_) if !checked.is_right() => RefusalReason::WrongPassword,
        Some(user) if user.disabled => RefusalReason::Disabled,
        Some(user) if signed_in.is_none() && user.security.one_time.is_some_and(|one_time| !one_time.signs_in(now)) => {
            RefusalReason::OneTimePasswordInvalid
        }
        Some(user) => {
            checks.succeeded(&checked);
            return Ok(user.clone());
        }
    };
    refuse(state, client, email, found.as_ref(), reason).await
}

/// Records a refused sign-in. A name that is not an e-mail address is left out: it may be a password in the wrong field.
async fn refuse<T>(
    state: &ApiState,
    client: &Client,
    email: Option<Email>,
    user: Option<&User>,
    reason: RefusalReason,
) -> Result<T, Problem> {
    count(if matches!(reason, RefusalReason::Disabled) { "disabled" } else { "refused" });
    let (address, reason) = (client.address.to_string(), reason.as_str());
    let user_id = user.map(|user| user.id.to_string());
    tracing::warn!(address, account = user_id, reason, "sign-in refused");
    let subject = user_id.map_or_else(|| "user:unknown".to_owned(), |id| format!("user:{id}"));
    let detail = json!({"address": address, "email": email.as_ref().map(Email::as_str), "reason": reason});
    let mut tx = state.db.begin().await?;
    Actor::anonymous(&client.request_id).record(&mut tx, "session.refuse", subject, detail).await?;
    tx.commit().await?;
    Err(invalid_credentials())
}

/// The one response to every refused sign-in.
pub(crate) fn invalid_credentials() -> Problem {
    Problem::new(Code::InvalidCredentials, "the e-mail address or the password is wrong")
}

fn refuse_check(client: &Client, refused: CheckRefused) -> Problem {
    match refused {
        CheckRefused::Limited(limited) => refuse_limited(client, limited),
        CheckRefused::Password(error) => {
            if matches!(*error, PasswordError::Busy(_)) {
                count("busy");
            }
            error.into()
        }
    }
}

fn refuse_limited(client: &Client, limited: Limited) -> Problem {
    count("limited");
    // At the level of the access log, which has a line for every request.
    tracing::info!(address = %client.address, retry_after_s = limited.retry_after_s, "sign-in limited");
    limited.into()
}

/// Counts a sign-in by its outcome.
pub(crate) fn count(outcome: &'static str) {
    metrics::counter!(catalogue::AUTH_LOGINS_TOTAL, "outcome" => outcome).increment(1);
}
