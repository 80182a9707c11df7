//! Settings of accounts and sessions.

use chrono::Duration;
use serde::{Deserialize, Serialize};
use trainyard_domain::access::ReadSection;
use trainyard_http::auth::SignInConfig;

/// Who may open an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signup {
    /// Everybody.
    Open,
    /// Only administrators, for other people.
    Closed,
}

/// Settings of accounts and sessions, from section `auth`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccountsConfig {
    /// Who may open an account.
    pub signup: Signup,
    /// Limits on sign-ins and sign-ups.
    #[serde(flatten)]
    pub sign_in: SignInConfig,
    /// Seconds for which the address of a sign-in is a known address of the account.
    pub known_address_ttl_s: i64,
    /// Seconds until a one-time password expires.
    pub one_time_password_ttl_s: i64,
    /// Maximum number of API keys of an account.
    pub max_api_keys_per_user: i64,
    /// Sections that accounts with the role `user` may read.
    pub users_may_read: Vec<ReadSection>,
}

impl AccountsConfig {
    pub(crate) fn known_address_ttl(&self) -> Duration {
        Duration::seconds(self.known_address_ttl_s)
    }

    pub(crate) fn one_time_password_ttl(&self) -> Duration {
        Duration::seconds(self.one_time_password_ttl_s)
    }
}
