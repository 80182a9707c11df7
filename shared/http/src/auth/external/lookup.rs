//! Reads what is known about the user of a token: the linked account, or else who has the e-mail address.

use trainyard_domain::{ExternalIdentity, User};
use trainyard_storage::{Coalesce, Db, LinkedAccount, Result, Tx};

use crate::auth::issuers::{ExternalToken, Issuer};

/// Most users that are looked up together.
const MAX_LOOKUPS: usize = 256;

/// A user to look up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) issuer: String,
    pub(super) subject: String,
    email: String,
}

impl Question {
    pub(super) fn about(issuer: &Issuer, token: &ExternalToken) -> Self {
        Self {
            issuer: issuer.identity_issuer.clone(),
            subject: token.subject.clone(),
            email: token.email.as_str().to_owned(),
        }
    }
}

/// What is known about a user.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    /// The account that the identity is linked to.
    pub(super) linked: Option<LinkedAccount>,
    /// Where it is not linked: the account that has the e-mail address, with the identities linked to that account.
    pub(super) owner: Option<(User, Vec<ExternalIdentity>)>,
}

impl Sight {
    pub(super) async fn read(tx: &mut Tx, question: &Question) -> Result<Self> {
        if let Some(linked) = tx.identities().account(&question.issuer, &question.subject).await? {
            return Ok(Self { linked: Some(linked), owner: None });
        }
        let Some(user) = tx.users().by_email(&question.email).await? else { return Ok(Self::default()) };
        let linked = tx.identities().of_user(user.id).await?;
        Ok(Self { linked: None, owner: Some((user, linked)) })
    }
}

/// Looks users up; requests that come at the same time ask together.
pub(super) fn lookups(db: Db) -> Coalesce<Question, Sight> {
    Coalesce::start(MAX_LOOKUPS, move |questions: Vec<Question>| {
        let db = db.clone();
        async move {
            let mut tx = db.glance().await?;
            let mut found = Vec::with_capacity(questions.len());
            for question in &questions {
                found.push(Sight::read(&mut tx, question).await?);
            }
            // Gives the connection back warm.
            tx.commit().await?;
            Ok(found)
        }
    })
}
