//! Authentication: tokens, API keys, principals, passwords, limits on sign-ins.
//!
//! [`crate::routes`] checks the access of a route with an [`Authenticator`] before the body is read. Handlers get the
//! caller as a [`Principal`].

mod api_keys;
mod authenticator;
mod disabled;
mod external;
mod issuers;
mod jws;
mod jwt;
mod passwords;
mod principal;
mod session_keys;
mod sign_in;

pub use api_keys::{ApiKeyHash, ApiKeys};
pub use authenticator::{Authenticator, PrincipalCheck};
pub use disabled::DisabledUsers;
pub use issuers::{
    AccountPolicy, IssuerConfig, IssuerConfigError, IssuerKind, Issuers, OwnTokens, check as check_issuers,
};
pub use jws::install_jws_provider;
pub use jwt::{AuthError, Claims, Jwt, WeakSecret};
pub use passwords::{PasswordError, Passwords};
pub use principal::Principal;
pub use session_keys::SessionKeys;
pub use sign_in::{
    Attempt, AttemptCount, CheckRefused, HashPermit, Limited, PasswordCheck, PasswordChecks, QueueFull, Requester,
    SignInConfig, SignInLimits,
};
