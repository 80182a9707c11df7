//! The set of disabled accounts, for a role that does not query the database on each request.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use trainyard_domain::UserId;

/// The set of disabled accounts. Clones share the set.
#[derive(Debug, Clone, Default)]
pub struct DisabledUsers(Arc<ArcSwap<HashSet<UserId>>>);

impl DisabledUsers {
    /// Replaces the whole set.
    pub fn replace(&self, users: impl IntoIterator<Item = UserId>) {
        self.0.store(Arc::new(users.into_iter().collect()));
    }

    /// Whether the account is disabled.
    pub fn contains(&self, user: UserId) -> bool {
        self.0.load().contains(&user)
    }
}
