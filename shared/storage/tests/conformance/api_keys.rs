//! API keys.

use chrono::TimeDelta;
use trainyard_domain::{ApiKey, ApiKeyId, ApiKeyName, Role, UserId};
use trainyard_storage::{ApiKeyInsertion, StorageError};

use crate::fixture::Fixture;

on_both!(
    keys_are_listed_newest_first_for_their_account,
    keys_are_found_by_hash_and_by_id_with_their_account,
    the_number_of_keys_is_limited_under_concurrency,
    only_an_active_account_gets_a_key,
    a_deletion_is_limited_to_the_account_and_increases_the_revision,
    a_deleted_account_has_no_keys,
    uses_are_recorded_at_most_once_in_an_interval,
);

/// A key of `user` that is created `seconds` after the start.
fn key(fixture: &Fixture, user: UserId, seconds: i64) -> ApiKey {
    let created_at = fixture.later(seconds);
    ApiKey {
        id: ApiKeyId::at(created_at),
        user_id: user,
        name: ApiKeyName::parse(&format!("key {seconds}")).unwrap(),
        prefix: "ty_AbCd".into(),
        role: Role::User,
        created_at,
        expires_at: (seconds % 2 == 1).then(|| fixture.later(seconds + 60)),
        last_used_at: None,
    }
}

async fn insert(fixture: &Fixture, key: &ApiKey, hash: &str, most: i64) -> Result<ApiKeyInsertion, StorageError> {
    let mut tx = fixture.db.begin().await?;
    let inserted = tx.api_keys().insert_within(key, hash, most).await?;
    tx.commit().await?;
    Ok(inserted)
}

async fn stored(fixture: &Fixture, user: UserId, seconds: i64) -> ApiKey {
    let key = key(fixture, user, seconds);
    assert_eq!(insert(fixture, &key, &format!("hash {seconds}"), 100).await.unwrap(), ApiKeyInsertion::Inserted);
    key
}

async fn list(fixture: &Fixture, user: UserId) -> Vec<ApiKey> {
    fixture.db.read().await.unwrap().api_keys().list(user, None, 100).await.unwrap()
}

async fn keys_are_listed_newest_first_for_their_account(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let (first, second, third) =
        (stored(&fixture, bob, 1).await, stored(&fixture, bob, 2).await, stored(&fixture, bob, 3).await);
    let other = stored(&fixture, fixture.user, 4).await;
    assert_eq!(list(&fixture, bob).await, [third.clone(), second.clone(), first.clone()]);
    assert_eq!(list(&fixture, fixture.user).await, [other]);
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.api_keys().list(bob, None, 2).await.unwrap(), [third, second.clone()]);
    assert_eq!(tx.api_keys().list(bob, Some(second.id), 2).await.unwrap(), [first]);
}

async fn keys_are_found_by_hash_and_by_id_with_their_account(fixture: Fixture) {
    let mut keys = Vec::new();
    for n in 0..7 {
        keys.push(stored(&fixture, fixture.user, n).await);
    }
    let again = insert(&fixture, &key(&fixture, fixture.user, 9), "hash 1", 100).await;
    assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");
    let mut tx = fixture.db.begin().await.unwrap();
    tx.users().update(fixture.user, None, Some(true)).await.unwrap();
    // Few keys are read one by one, many together.
    for count in [0, 1, 3, 7] {
        let hashes: Vec<_> = (0..count).map(|n| format!("hash {n}")).chain(["hash 99".into()]).collect();
        let mut found = tx.api_keys().by_hashes(&hashes).await.unwrap();
        found.sort_by_key(|(_, grant)| grant.id);
        assert_eq!(found.iter().map(|(hash, _)| hash).collect::<Vec<_>>(), hashes[..count].iter().collect::<Vec<_>>());
        let missing = ApiKeyId::at(fixture.now - TimeDelta::seconds(1));
        let ids: Vec<_> = keys[..count].iter().map(|key| key.id).chain([missing]).collect();
        let mut by_id = tx.api_keys().by_ids(&ids).await.unwrap();
        by_id.sort_by_key(|grant| grant.id);
        assert_eq!(by_id, found.into_iter().map(|(_, grant)| grant).collect::<Vec<_>>(), "{count} keys");
        for (grant, key) in by_id.iter().zip(&keys) {
            assert_eq!((grant.id, grant.role, grant.expires_at), (key.id, key.role, key.expires_at));
            assert_eq!((grant.user_id, grant.email.as_str()), (fixture.user, "ada@example.com"));
            assert_eq!((grant.owner_role, grant.owner_disabled), (Role::Admin, true));
        }
    }
}

async fn the_number_of_keys_is_limited_under_concurrency(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let drafts: Vec<_> = (0..6).map(|n| (key(&fixture, bob, n), format!("hash {n}"))).collect();
    let inserts = drafts.iter().map(|(key, hash)| insert(&fixture, key, hash, 2));
    let results = futures::future::join_all(inserts).await;
    let inserted = results.iter().filter(|result| matches!(result, Ok(ApiKeyInsertion::Inserted))).count();
    let limited = results.iter().filter(|result| matches!(result, Ok(ApiKeyInsertion::LimitReached))).count();
    assert_eq!((inserted, limited), (2, 4), "{results:?}");
    assert_eq!(list(&fixture, bob).await.len(), 2);
    stored(&fixture, fixture.user, 9).await;
}

async fn only_an_active_account_gets_a_key(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.users().update(bob, None, Some(true)).await.unwrap();
    tx.commit().await.unwrap();
    for user in [bob, UserId::at(fixture.now)] {
        let refused = insert(&fixture, &key(&fixture, user, 1), "hash", 100).await.unwrap();
        assert_eq!(refused, ApiKeyInsertion::NoOwner);
    }
}

async fn a_deletion_is_limited_to_the_account_and_increases_the_revision(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let key = stored(&fixture, bob, 1).await;
    let mut tx = fixture.db.begin().await.unwrap();
    let before = tx.models().revision().await.unwrap();
    assert_eq!(tx.api_keys().delete(fixture.user, key.id).await.unwrap(), None);
    assert_eq!(tx.api_keys().delete(bob, key.id).await.unwrap(), Some(key.name));
    assert_eq!(tx.api_keys().delete(bob, key.id).await.unwrap(), None);
    assert!(tx.models().revision().await.unwrap() > before);
    tx.commit().await.unwrap();
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.api_keys().by_hashes(&["hash 1".into()]).await.unwrap(), []);
    assert_eq!(tx.api_keys().by_ids(&[key.id]).await.unwrap(), []);
}

async fn a_deleted_account_has_no_keys(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let (gone, kept) = (stored(&fixture, bob, 1).await, stored(&fixture, fixture.user, 2).await);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.users().delete(bob, fixture.now).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(list(&fixture, bob).await, []);
    let found = fixture.db.read().await.unwrap().api_keys().by_ids(&[gone.id, kept.id]).await.unwrap();
    assert_eq!(found.into_iter().map(|grant| grant.id).collect::<Vec<_>>(), [kept.id]);
}

async fn uses_are_recorded_at_most_once_in_an_interval(fixture: Fixture) {
    let (one, other) = (stored(&fixture, fixture.user, 1).await, stored(&fixture, fixture.user, 2).await);
    let record = async |ids: &[ApiKeyId], seconds| {
        let mut tx = fixture.db.begin().await.unwrap();
        let now = fixture.later(seconds);
        tx.api_keys().record_uses(ids, now, now - TimeDelta::seconds(60)).await.unwrap();
        tx.commit().await.unwrap();
        list(&fixture, fixture.user).await.into_iter().map(|key| key.last_used_at).collect::<Vec<_>>()
    };
    assert_eq!(record(&[one.id], 100).await, [None, Some(fixture.later(100))]);
    assert_eq!(record(&[one.id, other.id], 159).await, [Some(fixture.later(159)), Some(fixture.later(100))]);
    assert_eq!(record(&[one.id, other.id], 161).await, [Some(fixture.later(159)), Some(fixture.later(161))]);
    assert_eq!(record(&[], 999).await, [Some(fixture.later(159)), Some(fixture.later(161))]);
}
