//! Identities of external token issuers.

use chrono::TimeDelta;
use trainyard_domain::{ExternalIdentity, Role, UserId};
use trainyard_storage::StorageError;

use crate::fixture::Fixture;

on_both!(
    an_identity_is_linked_to_one_account,
    an_account_has_one_identity_per_issuer,
    the_later_issued_token_sets_the_role,
);

const ISSUER: &str = "https://id.example.com/realms/test";

fn identity(fixture: &Fixture, issuer: &str, subject: &str, user_id: UserId) -> ExternalIdentity {
    ExternalIdentity {
        issuer: issuer.into(),
        subject: subject.into(),
        user_id,
        email_verified: true,
        role_as_of: None,
        created_at: fixture.now,
    }
}

async fn link(fixture: &Fixture, identity: &ExternalIdentity) -> Result<(), StorageError> {
    let mut tx = fixture.db.begin().await?;
    tx.identities().link(identity).await?;
    tx.commit().await
}

async fn an_identity_is_linked_to_one_account(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let first = identity(&fixture, ISSUER, "1", bob);
    link(&fixture, &first).await.unwrap();
    let again = link(&fixture, &identity(&fixture, ISSUER, "1", fixture.user)).await;
    assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");

    let mut tx = fixture.db.read().await.unwrap();
    let found = tx.identities().account(ISSUER, "1").await.unwrap().unwrap();
    assert_eq!((found.user.id, found.user.role, found.role_as_of), (bob, Role::User, None));
    assert!(tx.identities().account(ISSUER, "2").await.unwrap().is_none());
    assert!(tx.identities().account("another", "1").await.unwrap().is_none());
    assert_eq!(tx.identities().of_user(bob).await.unwrap(), [first]);
    assert!(tx.identities().of_user(fixture.user).await.unwrap().is_empty());
}

async fn an_account_has_one_identity_per_issuer(fixture: Fixture) {
    link(&fixture, &identity(&fixture, ISSUER, "1", fixture.user)).await.unwrap();
    link(&fixture, &identity(&fixture, "another", "1", fixture.user)).await.unwrap();
    let second = link(&fixture, &identity(&fixture, ISSUER, "2", fixture.user)).await;
    assert!(matches!(second, Err(StorageError::Conflict)), "{second:?}");
}

async fn the_later_issued_token_sets_the_role(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    link(&fixture, &identity(&fixture, ISSUER, "1", bob)).await.unwrap();
    let set = async |role, seconds| {
        let mut tx = fixture.db.begin().await.unwrap();
        let issued_at = fixture.now + TimeDelta::seconds(seconds);
        let changed = tx.identities().set_role(ISSUER, "1", bob, role, issued_at).await.unwrap();
        tx.commit().await.unwrap();
        changed
    };
    let role = async || {
        let mut tx = fixture.db.read().await.unwrap();
        let found = tx.identities().account(ISSUER, "1").await.unwrap().unwrap();
        (found.user.role, found.role_as_of.map(|at| (at - fixture.now).num_seconds()))
    };
    assert!(set(Role::Admin, 10).await);
    assert_eq!(role().await, (Role::Admin, Some(10)));
    assert!(!set(Role::User, 5).await, "an older token");
    assert_eq!(role().await, (Role::Admin, Some(10)));
    assert!(set(Role::User, 11).await);
    assert_eq!(role().await, (Role::User, Some(11)));

    let mut tx = fixture.db.begin().await.unwrap();
    tx.identities().release_role(ISSUER, "1").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(role().await, (Role::User, None));
}
