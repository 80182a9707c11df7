//! Keys against a real database. The tests call the steps of the refresh themselves.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tempfile::TempDir;
use trainyard_domain::user::AccountSecurity;
use trainyard_domain::{ApiKey, ApiKeyId, ApiKeyName, Email, Role, User, UserId};
use trainyard_storage::{ApiKeyInsertion, PoolOptions};

use super::*;

struct Fixture {
    db: Db,
    clock: Clock,
    keys: ApiKeys,
    owner: UserId,
    _folder: TempDir,
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000, 0).unwrap()
}

impl Fixture {
    /// A database with an administrator, and keys that are accepted during an outage of `max_outage`.
    async fn new(max_outage: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let db = Db::connect(&url, &PoolOptions::default()).await.unwrap();
        db.migrate().await.unwrap();
        let owner = User {
            id: UserId::at(start()),
            email: Email::parse("ada@example.com").unwrap(),
            password_hash: String::new(),
            role: Role::Admin,
            disabled: false,
            created_at: start(),
            security: AccountSecurity::default(),
        };
        let mut tx = db.begin().await.unwrap();
        tx.users().insert(&owner).await.unwrap();
        tx.commit().await.unwrap();
        let clock = Clock::manual(start());
        let keys = ApiKeys::without_refresh(db.clone(), clock.clone(), max_outage);
        Self { db, clock, keys, owner: owner.id, _folder: folder }
    }

    /// Creates a key.
    async fn create(&self, seed: u64, role: Role, expires_at: Option<DateTime<Utc>>) -> (String, ApiKeyId) {
        let text = ApiKeyText::generate(&mut StdRng::seed_from_u64(seed));
        let key = ApiKey {
            id: ApiKeyId::at(start()),
            user_id: self.owner,
            name: ApiKeyName::parse("test").unwrap(),
            prefix: text.prefix().to_owned(),
            role,
            created_at: start(),
            expires_at,
            last_used_at: None,
        };
        let mut tx = self.db.begin().await.unwrap();
        let inserted = tx.api_keys().insert_within(&key, &ApiKeyHash::of(&text).to_string(), 9).await.unwrap();
        assert_eq!(inserted, ApiKeyInsertion::Inserted);
        tx.commit().await.unwrap();
        (text.reveal().to_owned(), key.id)
    }

    async fn change_owner(&self, role: Option<Role>, disabled: Option<bool>) {
        let mut tx = self.db.begin().await.unwrap();
        tx.users().update(self.owner, role, disabled).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The role of the caller, or the status and the message of the refusal.
    async fn call(&self, key: &str) -> Result<Role, (u16, String)> {
        let called = self.keys.principal(key).await;
        called
            .map(|principal| principal.role)
            .map_err(|problem| (problem.code().status().as_u16(), problem.detail().to_owned()))
    }

    async fn refresh(&self) {
        self.keys.0.refresh().await.unwrap();
    }

    async fn last_used(&self) -> Option<DateTime<Utc>> {
        self.keys.0.record_uses().await.unwrap();
        self.db.read().await.unwrap().api_keys().list(self.owner, None, 1).await.unwrap()[0].last_used_at
    }

    /// The entry in the cache, as if it was confirmed `age` ago.
    fn cached(&self, key: &str, age: Duration) -> Cached {
        let hash = ApiKeyHash::of(&ApiKeyText::parse(key).unwrap());
        self.keys.0.cache.get(&hash, Instant::now() + age, self.keys.0.max_unconfirmed)
    }
}

fn refusal(result: Result<Role, (u16, String)>) -> String {
    let (status, detail) = result.unwrap_err();
    assert_eq!(status, 401, "{detail}");
    detail
}

#[tokio::test]
async fn a_key_has_the_lower_role_and_follows_its_account_after_a_refresh() {
    let fixture = Fixture::new(Duration::ZERO).await;
    let (admin, id) = fixture.create(1, Role::Admin, None).await;
    let (user, _) = fixture.create(2, Role::User, None).await;
    assert_eq!((fixture.call(&admin).await, fixture.call(&user).await), (Ok(Role::Admin), Ok(Role::User)));
    let principal = fixture.keys.principal(&admin).await.unwrap();
    assert_eq!((principal.user_id, principal.api_key, principal.session), (fixture.owner, Some(id), None));
    assert_eq!(principal.email, "ada@example.com");

    fixture.change_owner(Some(Role::User), None).await;
    fixture.refresh().await;
    assert_eq!(fixture.call(&admin).await, Ok(Role::User));
    fixture.change_owner(Some(Role::Admin), Some(true)).await;
    fixture.refresh().await;
    assert!(refusal(fixture.call(&admin).await).contains("disabled"));
    fixture.change_owner(None, Some(false)).await;
    fixture.refresh().await;
    assert_eq!(fixture.call(&admin).await, Ok(Role::Admin));
}

#[tokio::test]
async fn a_deleted_key_is_refused_after_a_refresh_and_an_expired_key_at_once() {
    let fixture = Fixture::new(Duration::ZERO).await;
    let (deleted, id) = fixture.create(1, Role::User, None).await;
    let (expiring, _) = fixture.create(2, Role::User, Some(start() + TimeDelta::hours(1))).await;
    assert!(fixture.call(&deleted).await.is_ok() && fixture.call(&expiring).await.is_ok());
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.api_keys().delete(fixture.owner, id).await.unwrap().is_some());
    tx.commit().await.unwrap();
    fixture.refresh().await;
    assert!(refusal(fixture.call(&deleted).await).contains("deleted"));
    assert!(matches!(fixture.cached(&deleted, Duration::ZERO), Cached::Unknown), "no query for a deleted key");

    fixture.clock.advance(TimeDelta::hours(1));
    assert!(refusal(fixture.call(&expiring).await).contains("expired"));
    for other in ["ty_", "ty_short", &format!("ty_{}", "é".repeat(20))] {
        assert!(refusal(fixture.call(other).await).contains("not valid"), "{other}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_confirmed_is_read_again() {
    let fixture = Fixture::new(Duration::ZERO).await;
    let (key, id) = fixture.create(1, Role::User, None).await;
    fixture.call(&key).await.unwrap();
    assert!(matches!(fixture.cached(&key, CONFIRMED_WITHIN / 2), Cached::Known(_)));
    assert!(matches!(fixture.cached(&key, CONFIRMED_WITHIN + Duration::from_secs(1)), Cached::Absent));

    // The result of a lookup that began before a deletion is stored after the refresh that followed the deletion.
    let Cached::Known(before) = fixture.cached(&key, Duration::ZERO) else { panic!("not cached") };
    let mut tx = fixture.db.begin().await.unwrap();
    tx.api_keys().delete(fixture.owner, id).await.unwrap();
    tx.commit().await.unwrap();
    fixture.refresh().await;
    let state =
        cache::KeyState { grant: Some(before.grant.clone()), revision: before.revision, read_at: before.read_at };
    let hash = ApiKeyHash::of(&ApiKeyText::parse(&key).unwrap());
    fixture.keys.0.cache.store(hash, state, Instant::now());
    assert!(fixture.call(&key).await.is_ok(), "accepted until the next refresh");
    fixture.refresh().await;
    assert!(fixture.call(&key).await.is_err(), "the revision of the entry is old");
}

#[tokio::test]
async fn during_an_outage_known_keys_are_accepted_for_a_limited_time() {
    let outage = Duration::from_secs(3_600);
    let fixture = Fixture::new(outage).await;
    let (known, _) = fixture.create(1, Role::User, None).await;
    let (unknown, _) = fixture.create(2, Role::User, None).await;
    fixture.call(&known).await.unwrap();
    fixture.refresh().await;
    fixture.db.close().await;
    assert!(fixture.keys.0.refresh().await.is_err());
    assert_eq!(fixture.call(&known).await, Ok(Role::User));
    assert!(matches!(fixture.cached(&known, outage - Duration::from_secs(60)), Cached::Known(_)));
    assert!(matches!(fixture.cached(&known, outage + Duration::from_secs(60)), Cached::Absent));
    assert_eq!(fixture.call(&unknown).await.unwrap_err().0, 503, "its existence can't be checked");
}

#[tokio::test]
async fn a_use_is_recorded_once_a_minute() {
    let fixture = Fixture::new(Duration::ZERO).await;
    let (key, _) = fixture.create(1, Role::User, None).await;
    fixture.call(&key).await.unwrap();
    assert_eq!(fixture.last_used().await, Some(start()));
    fixture.clock.advance(TimeDelta::seconds(59));
    fixture.call(&key).await.unwrap();
    assert_eq!(fixture.last_used().await, Some(start()), "within a minute");
    fixture.clock.advance(TimeDelta::seconds(2));
    assert_eq!(fixture.last_used().await, Some(start() + TimeDelta::seconds(61)), "the use is not lost");
    fixture.clock.advance(TimeDelta::seconds(120));
    assert_eq!(fixture.last_used().await, Some(start() + TimeDelta::seconds(61)), "not used since");
}

#[tokio::test]
async fn concurrent_unknown_keys_share_queries_and_do_not_displace_known_keys() {
    let fixture = Fixture::new(Duration::ZERO).await;
    let (known, _) = fixture.create(1, Role::User, None).await;
    fixture.call(&known).await.unwrap();
    let invented: Vec<_> = (100..700).map(|seed| ApiKeyText::generate(&mut StdRng::seed_from_u64(seed))).collect();
    let answers = join_all(invented.iter().map(|key| fixture.call(key.reveal()))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err((401, _)))));
    for key in &invented {
        assert!(matches!(fixture.cached(key.reveal(), Duration::ZERO), Cached::Unknown), "cached as unknown");
    }
    assert!(matches!(fixture.cached(&known, Duration::ZERO), Cached::Known(_)));
}

#[tokio::test]
async fn too_many_lookups_are_refused() {
    let fixture = Fixture::new(Duration::ZERO).await;
    let invented: Vec<_> = (0..2_000).map(|seed| ApiKeyText::generate(&mut StdRng::seed_from_u64(seed))).collect();
    let answers = join_all(invented.iter().map(|key| fixture.call(key.reveal()))).await;
    let refused = |status| answers.iter().filter(|answer| matches!(answer, Err((code, _)) if *code == status)).count();
    assert!(refused(401) >= 1_024 && refused(503) > 0, "{} checked, {} refused", refused(401), refused(503));
    assert_eq!(refused(401) + refused(503), 2_000);
}
