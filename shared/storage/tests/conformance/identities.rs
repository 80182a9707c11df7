//! Identities of outside token issuers: one account each, one identity per account and issuer.

use chrono::TimeDelta;
use trainyard_domain::{ExternalIdentity, Role, UserId};
use trainyard_storage::StorageError;

use crate::bench::Bench;

on_both!(
    an_identity_leads_to_one_account,
    an_account_has_one_identity_per_issuer,
    the_later_issued_token_sets_the_role,
);

const ISSUER: &str = "https://id.example.com/realms/yard";

fn identity(bench: &Bench, issuer: &str, subject: &str, user_id: UserId) -> ExternalIdentity {
    ExternalIdentity {
        issuer: issuer.into(),
        subject: subject.into(),
        user_id,
        email_verified: true,
        role_as_of: None,
        created_at: bench.now,
    }
}

async fn link(bench: &Bench, identity: &ExternalIdentity) -> Result<(), StorageError> {
    let mut tx = bench.db.begin().await?;
    tx.identities().link(identity).await?;
    tx.commit().await
}

async fn an_identity_leads_to_one_account(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let first = identity(&bench, ISSUER, "1", bob);
    link(&bench, &first).await.unwrap();
    let again = link(&bench, &identity(&bench, ISSUER, "1", bench.user)).await;
    assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");

    let mut tx = bench.db.read().await.unwrap();
    let found = tx.identities().account(ISSUER, "1").await.unwrap().unwrap();
    assert_eq!((found.user.id, found.user.role, found.role_as_of), (bob, Role::User, None));
    assert!(tx.identities().account(ISSUER, "2").await.unwrap().is_none());
    assert!(tx.identities().account("another", "1").await.unwrap().is_none());
    assert_eq!(tx.identities().of_user(bob).await.unwrap(), [first]);
    assert!(tx.identities().of_user(bench.user).await.unwrap().is_empty());
}

async fn an_account_has_one_identity_per_issuer(bench: Bench) {
    link(&bench, &identity(&bench, ISSUER, "1", bench.user)).await.unwrap();
    link(&bench, &identity(&bench, "another", "1", bench.user)).await.unwrap();
    let second = link(&bench, &identity(&bench, ISSUER, "2", bench.user)).await;
    assert!(matches!(second, Err(StorageError::Conflict)), "{second:?}");
}

async fn the_later_issued_token_sets_the_role(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::User).await;
    link(&bench, &identity(&bench, ISSUER, "1", bob)).await.unwrap();
    let set = async |role, seconds| {
        let mut tx = bench.db.begin().await.unwrap();
        let issued_at = bench.now + TimeDelta::seconds(seconds);
        let changed = tx.identities().set_role(ISSUER, "1", bob, role, issued_at).await.unwrap();
        tx.commit().await.unwrap();
        changed
    };
    let role = async || {
        let mut tx = bench.db.read().await.unwrap();
        let found = tx.identities().account(ISSUER, "1").await.unwrap().unwrap();
        (found.user.role, found.role_as_of.map(|at| (at - bench.now).num_seconds()))
    };
    assert!(set(Role::Admin, 10).await);
    assert_eq!(role().await, (Role::Admin, Some(10)));
    assert!(!set(Role::User, 5).await, "an older token");
    assert_eq!(role().await, (Role::Admin, Some(10)));
    assert!(set(Role::User, 11).await);
    assert_eq!(role().await, (Role::User, Some(11)));

    let mut tx = bench.db.begin().await.unwrap();
    tx.identities().release_role(ISSUER, "1").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(role().await, (Role::User, None));
}
