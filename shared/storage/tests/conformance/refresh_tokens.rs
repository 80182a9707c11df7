//! Refresh tokens are spent once.

use chrono::TimeDelta;
use futures::future::join_all;
use trainyard_domain::session::{Presented, RefreshToken};
use trainyard_storage::{Retired, StorageError};
use uuid::Uuid;

use crate::bench::Bench;

on_both!(
    a_token_presented_by_many_at_once_is_spent_once,
    revoking_a_family_ends_all_of_it,
    ending_an_accounts_sessions_spares_the_one_to_keep,
    expired_tokens_are_forgotten,
);

fn token(bench: &Bench, hash: &str, family: Uuid) -> RefreshToken {
    RefreshToken {
        id: Uuid::now_v7(),
        family,
        user_id: bench.user,
        token_hash: hash.into(),
        created_at: bench.now,
        expires_at: bench.now + TimeDelta::days(30),
        used_at: None,
        used_from: None,
        repeated: false,
        revoked_at: None,
    }
}

async fn insert(bench: &Bench, token: &RefreshToken) {
    let mut tx = bench.db.begin().await.unwrap();
    tx.refresh_tokens().insert(token).await.unwrap();
    tx.commit().await.unwrap();
}

async fn a_token_presented_by_many_at_once_is_spent_once(bench: Bench) {
    let token = token(&bench, "h", Uuid::now_v7());
    insert(&bench, &token).await;
    let spend = || {
        let (db, id, now) = (bench.db.clone(), token.id, bench.now);
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let won = tx.refresh_tokens().mark_used(id, "here", now).await.unwrap();
            tx.commit().await.unwrap();
            won
        })
    };
    let winners = join_all((0..20).map(|_| spend())).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!(winners, 1);

    let mut tx = bench.db.begin().await.unwrap();
    let spent = tx.refresh_tokens().by_hash("h").await.unwrap().unwrap();
    assert_eq!(spent.present(bench.now, "elsewhere"), Presented::Reused);
    assert_eq!(spent.present(bench.now, "here"), Presented::Repeat);
    assert!(tx.refresh_tokens().mark_repeated(token.id).await.unwrap());
    assert!(!tx.refresh_tokens().mark_repeated(token.id).await.unwrap(), "once");
    let spent = tx.refresh_tokens().by_hash("h").await.unwrap().unwrap();
    assert_eq!(spent.present(bench.now, "here"), Presented::Reused);
    let again = tx.refresh_tokens().insert(&token).await;
    assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");
}

async fn revoking_a_family_ends_all_of_it(bench: Bench) {
    let family = Uuid::now_v7();
    let (one, two) = (token(&bench, "1", family), token(&bench, "2", family));
    let other = token(&bench, "3", Uuid::now_v7());
    for token in [&one, &two, &other] {
        insert(&bench, token).await;
    }
    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.refresh_tokens().revoke_family(family, bench.now).await.unwrap(), 2);
    assert_eq!(tx.refresh_tokens().revoke_family(family, bench.now).await.unwrap(), 0);
    assert!(!tx.refresh_tokens().mark_used(one.id, "here", bench.now).await.unwrap(), "a revoked token can't be spent");
    assert!(tx.refresh_tokens().mark_used(other.id, "here", bench.now).await.unwrap());
    let ended = tx.refresh_tokens().by_hash("2").await.unwrap().unwrap();
    assert_eq!(ended.present(bench.now, "here"), Presented::Over);
}

async fn ending_an_accounts_sessions_spares_the_one_to_keep(bench: Bench) {
    let (kept, other) = (Uuid::now_v7(), Uuid::now_v7());
    for (hash, family) in [("1", kept), ("2", other), ("3", other)] {
        insert(&bench, &token(&bench, hash, family)).await;
    }
    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.refresh_tokens().revoke_user(bench.user, Some(kept), bench.now).await.unwrap(), 2);
    assert_eq!(tx.refresh_tokens().revoke_user(bench.user, None, bench.now).await.unwrap(), 1);
    assert_eq!(tx.refresh_tokens().revoke_user(bench.user, None, bench.now).await.unwrap(), 0);
}

async fn expired_tokens_are_forgotten(bench: Bench) {
    insert(&bench, &token(&bench, "1", Uuid::now_v7())).await;
    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.retire(Retired::RefreshTokens, bench.later(60), 9).await.unwrap(), 0);
    assert_eq!(tx.retire(Retired::RefreshTokens, bench.now + TimeDelta::days(31), 9).await.unwrap(), 1);
    assert!(tx.refresh_tokens().by_hash("1").await.unwrap().is_none());
}
