//! Refresh tokens.

use chrono::TimeDelta;
use futures::future::join_all;
use trainyard_domain::session::{RefreshDecision, RefreshToken};
use trainyard_storage::{Retention, StorageError};
use uuid::Uuid;

use crate::fixture::Fixture;

on_both!(
    one_of_many_concurrent_uses_of_a_token_succeeds,
    revoking_a_family_revokes_all_its_tokens,
    revoking_an_accounts_tokens_keeps_the_given_family,
    expired_tokens_are_deleted,
);

fn token(fixture: &Fixture, hash: &str, family: Uuid) -> RefreshToken {
    RefreshToken {
        id: Uuid::now_v7(),
        family,
        user_id: fixture.user,
        token_hash: hash.into(),
        created_at: fixture.now,
        expires_at: fixture.now + TimeDelta::days(30),
        used_at: None,
        used_from: None,
        repeated: false,
        revoked_at: None,
    }
}

async fn insert(fixture: &Fixture, token: &RefreshToken) {
    let mut tx = fixture.db.begin().await.unwrap();
    tx.refresh_tokens().insert(token).await.unwrap();
    tx.commit().await.unwrap();
}

async fn one_of_many_concurrent_uses_of_a_token_succeeds(fixture: Fixture) {
    let token = token(&fixture, "h", Uuid::now_v7());
    insert(&fixture, &token).await;
    let use_token = || {
        let (db, id, now) = (fixture.db.clone(), token.id, fixture.now);
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let won = tx.refresh_tokens().mark_used(id, "here", now).await.unwrap();
            tx.commit().await.unwrap();
            won
        })
    };
    let winners = join_all((0..20).map(|_| use_token())).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!(winners, 1);

    let mut tx = fixture.db.begin().await.unwrap();
    let used = tx.refresh_tokens().by_hash("h").await.unwrap().unwrap();
    assert_eq!(used.decide(fixture.now, "elsewhere"), RefreshDecision::Reused);
    assert_eq!(used.decide(fixture.now, "here"), RefreshDecision::Repeat);
    assert!(tx.refresh_tokens().mark_repeated(token.id).await.unwrap());
    assert!(!tx.refresh_tokens().mark_repeated(token.id).await.unwrap(), "once");
    let used = tx.refresh_tokens().by_hash("h").await.unwrap().unwrap();
    assert_eq!(used.decide(fixture.now, "here"), RefreshDecision::Reused);
    let again = tx.refresh_tokens().insert(&token).await;
    assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");
}

async fn revoking_a_family_revokes_all_its_tokens(fixture: Fixture) {
    let family = Uuid::now_v7();
    let (one, two) = (token(&fixture, "1", family), token(&fixture, "2", family));
    let other = token(&fixture, "3", Uuid::now_v7());
    for token in [&one, &two, &other] {
        insert(&fixture, token).await;
    }
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.refresh_tokens().revoke_family(family, fixture.now).await.unwrap(), 2);
    assert_eq!(tx.refresh_tokens().revoke_family(family, fixture.now).await.unwrap(), 0);
    assert!(
        !tx.refresh_tokens().mark_used(one.id, "here", fixture.now).await.unwrap(),
        "a revoked token cannot be used"
    );
    assert!(tx.refresh_tokens().mark_used(other.id, "here", fixture.now).await.unwrap());
    let ended = tx.refresh_tokens().by_hash("2").await.unwrap().unwrap();
    assert_eq!(ended.decide(fixture.now, "here"), RefreshDecision::Invalid);
}

async fn revoking_an_accounts_tokens_keeps_the_given_family(fixture: Fixture) {
    let (kept, other) = (Uuid::now_v7(), Uuid::now_v7());
    for (hash, family) in [("1", kept), ("2", other), ("3", other)] {
        insert(&fixture, &token(&fixture, hash, family)).await;
    }
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.refresh_tokens().revoke_user(fixture.user, Some(kept), fixture.now).await.unwrap(), 2);
    assert_eq!(tx.refresh_tokens().revoke_user(fixture.user, None, fixture.now).await.unwrap(), 1);
    assert_eq!(tx.refresh_tokens().revoke_user(fixture.user, None, fixture.now).await.unwrap(), 0);
}

async fn expired_tokens_are_deleted(fixture: Fixture) {
    insert(&fixture, &token(&fixture, "1", Uuid::now_v7())).await;
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.delete_expired(Retention::RefreshTokens, fixture.later(60), 9).await.unwrap(), 0);
    assert_eq!(tx.delete_expired(Retention::RefreshTokens, fixture.now + TimeDelta::days(31), 9).await.unwrap(), 1);
    assert!(tx.refresh_tokens().by_hash("1").await.unwrap().is_none());
}
