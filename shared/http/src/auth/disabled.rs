//! The disabled accounts, as a role without a database at hand knows them.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use trainyard_domain::UserId;

/// A set of disabled accounts that is read on every request and replaced as a whole. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct DisabledUsers(Arc<ArcSwap<HashSet<UserId>>>);

impl DisabledUsers {
    /// Puts `users` in place of what was known.
    pub fn replace(&self, users: impl IntoIterator<Item = UserId>) {
        self.0.store(Arc::new(users.into_iter().collect()));
    }

    /// Whether this account is disabled.
    pub fn contains(&self, user: UserId) -> bool {
        self.0.load().contains(&user)
    }
}
