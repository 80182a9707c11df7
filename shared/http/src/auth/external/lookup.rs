//! Looks up the user of a token: the linked account, or else the account with the e-mail address.

use trainyard_domain::{ExternalIdentity, User};
use trainyard_storage::{Batcher, Db, LinkedAccount, Result, Tx};

use crate::auth::issuers::{ExternalToken, Issuer};

const MAX_LOOKUPS: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct IdentityQuery {
    pub(super) issuer: String,
    pub(super) subject: String,
    email: String,
}

impl IdentityQuery {
    pub(super) fn about(issuer: &Issuer, token: &ExternalToken) -> Self {
        Self {
            issuer: issuer.identity_issuer.clone(),
            subject: token.subject.clone(),
            email: token.email.as_str().to_owned(),
        }
    }
}

/// The result of a lookup.
#[derive(Debug, Clone, Default)]
pub(super) struct IdentityLookup {
    pub(super) linked: Option<LinkedAccount>,
    /// Without a linked account: the account with the e-mail address, and the identities that are linked to it.
    pub(super) owner: Option<(User, Vec<ExternalIdentity>)>,
}

impl IdentityLookup {
    pub(super) async fn read(tx: &mut Tx, query: &IdentityQuery) -> Result<Self> {
        if let Some(linked) = tx.identities().account(&query.issuer, &query.subject).await? {
            return Ok(Self { linked: Some(linked), owner: None });
        }
        let Some(user) = tx.users().by_email(&query.email).await? else { return Ok(Self::default()) };
        let identities = tx.identities().of_user(user.id).await?;
        // A concurrent request of this user has created or linked the account since the first statement.
        let own = |identity: &&ExternalIdentity| identity.issuer == query.issuer && identity.subject == query.subject;
        if let Some(role_as_of) = identities.iter().find(own).map(|identity| identity.role_as_of) {
            return Ok(Self { linked: Some(LinkedAccount { user, role_as_of }), owner: None });
        }
        Ok(Self { linked: None, owner: Some((user, identities)) })
    }
}

/// Looks up users in batches: concurrent requests share a transaction.
pub(super) fn lookups(db: Db) -> Batcher<IdentityQuery, IdentityLookup> {
    Batcher::start(MAX_LOOKUPS, move |queries: Vec<IdentityQuery>| {
        let db = db.clone();
        async move {
            let mut tx = db.read_autocommit().await?;
            let mut found = Vec::with_capacity(queries.len());
            for query in &queries {
                found.push(IdentityLookup::read(&mut tx, query).await?);
            }
            // A commit returns the connection to the pool for reuse.
            tx.commit().await?;
            Ok(found)
        }
    })
}
