//! Accounts of external users in the API and in the inference role.

use chrono::TimeDelta;
use serde_json::json;
use trainyard_domain::{Email, Role, User, UserId};

use super::fixture::{Fixture, auth_js, signed};
use crate::support::{person, start};

impl Fixture {
    async fn account(&self, issuer: &str, subject: &str) -> Option<(UserId, Role)> {
        let mut tx = self.db.read().await.unwrap();
        let found = tx.identities().account(issuer, subject).await.unwrap();
        found.map(|account| (account.user.id, account.user.role))
    }

    async fn change(&self, user: UserId, role: Option<Role>, disabled: Option<bool>) {
        let mut tx = self.db.begin().await.unwrap();
        tx.users().update(user, role, disabled).await.unwrap();
        tx.commit().await.unwrap();
        if let Some(disabled) = disabled {
            self.disabled.replace(disabled.then_some(user));
        }
    }
}

#[tokio::test]
async fn concurrent_first_requests_create_one_account() {
    let fixture = Fixture::start(auth_js(json!({}))).await;
    let token = signed(json!({}));
    let answers = futures::future::join_all((0..20).map(|_| fixture.api(&token))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.users().list(None, 10).await.unwrap().len(), 1);
    let trail = tx.audit().list(None, 10).await.unwrap();
    assert_eq!(trail.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["account.create"]);
    assert_eq!((&trail[0].detail["issuer"], &trail[0].detail["subject"]), (&json!("web"), &json!("1")));
}

#[tokio::test]
async fn the_inference_role_creates_no_account_and_finds_a_new_one_soon() {
    let fixture = Fixture::start(auth_js(json!({}))).await;
    let token = signed(json!({}));
    assert_eq!(fixture.pool(&token).await.status, 200);
    assert!(fixture.account("web", "1").await.is_none());
    assert_eq!(fixture.api(&token).await.status, 200);
    let (user, _) = fixture.account("web", "1").await.unwrap();
    fixture.change(user, Some(Role::Admin), None).await;
    fixture.clock.advance(TimeDelta::seconds(2));
    assert_eq!(fixture.pool(&token).await.text, "ada@example.com admin");
    fixture.change(user, Some(Role::User), None).await;
    assert_eq!(fixture.pool(&token).await.text, "ada@example.com admin", "the account is cached");
    fixture.clock.advance(TimeDelta::seconds(30));
    assert_eq!(fixture.pool(&token).await.text, "ada@example.com user");
}

#[tokio::test]
async fn a_disabled_account_is_refused_until_it_is_enabled_again() {
    let fixture = Fixture::start(auth_js(json!({}))).await;
    let token = signed(json!({}));
    fixture.accepts(&token, "ada@example.com user").await;
    let (user, _) = fixture.account("web", "1").await.unwrap();
    fixture.change(user, None, Some(true)).await;
    fixture.refuses(&token, "unauthenticated", "its account is disabled").await;
    // Also before the set contains the account.
    fixture.disabled.replace([]);
    fixture.clock.advance(TimeDelta::seconds(30));
    fixture.refuses(&token, "unauthenticated", "its account is disabled").await;
    fixture.change(user, None, Some(false)).await;
    fixture.accepts(&token, "ada@example.com user").await;
}

#[tokio::test]
async fn the_policy_existing_refuses_users_without_an_account() {
    let fixture = Fixture::start(auth_js(json!({"accounts": "existing", "link_by_email": true}))).await;
    let stated = signed(json!({"email_verified": true}));
    fixture.refuses(&stated, "unauthenticated", "its user has no account here").await;
    let ada = User { email: Email::parse("ada@example.com").unwrap(), ..person(Role::Admin) };
    let mut tx = fixture.db.begin().await.unwrap();
    tx.users().insert(&ada).await.unwrap();
    tx.commit().await.unwrap();
    fixture.clock.advance(TimeDelta::seconds(2));
    let unverified = signed(json!({"email_verified": false}));
    fixture.refuses(&unverified, "unauthenticated", "its e-mail address belongs to an account").await;
    // The inference role uses the account that the API would link.
    fixture.clock.advance(TimeDelta::seconds(2));
    assert_eq!(fixture.pool(&stated).await.text, "ada@example.com admin");
    fixture.accepts(&signed(json!({"email_verified": "true"})), "ada@example.com admin").await;
    assert_eq!(fixture.account("web", "1").await, Some((ada.id, Role::Admin)));
    fixture.clock.advance(TimeDelta::seconds(2));
    let successor = signed(json!({"sub": "2", "email_verified": true}));
    fixture.refuses(&successor, "unauthenticated", "its e-mail address belongs to an account").await;
}

#[tokio::test]
async fn a_disabled_account_is_not_linked() {
    let fixture = Fixture::start(auth_js(json!({"link_by_email": true}))).await;
    let ada = User { email: Email::parse("ada@example.com").unwrap(), disabled: true, ..person(Role::User) };
    let mut tx = fixture.db.begin().await.unwrap();
    tx.users().insert(&ada).await.unwrap();
    tx.commit().await.unwrap();
    fixture.refuses(&signed(json!({"email_verified": true})), "unauthenticated", "its account is disabled").await;
    assert!(fixture.account("web", "1").await.is_none());
}

#[tokio::test]
async fn the_role_of_the_latest_token_applies_while_roles_are_mapped() {
    let now = start().timestamp();
    let fixture = Fixture::start(auth_js(json!({"role_claim": "roles", "admin_values": ["chief"]}))).await;
    let with = |roles: &[&str], iat: i64| signed(json!({"roles": roles, "iat": iat}));
    fixture.accepts(&with(&["chief"], now - 20), "ada@example.com admin").await;
    fixture.accepts(&with(&["chief"], now - 15), "ada@example.com admin").await;
    fixture.accepts(&with(&[], now - 10), "ada@example.com user").await;
    fixture.clock.advance(TimeDelta::seconds(31));
    fixture.accepts(&with(&["chief"], now - 20), "ada@example.com user").await;
    let identity = async || {
        let mut tx = fixture.db.read().await.unwrap();
        tx.identities().account("web", "1").await.unwrap().unwrap()
    };
    assert_eq!(identity().await.role_as_of.map(|at| at.timestamp()), Some(now - 10));
    let mut tx = fixture.db.read().await.unwrap();
    let trail = tx.audit().list(None, 10).await.unwrap();
    assert_eq!(trail[0].action, "account.update", "{trail:?}");
    drop(tx);
    // The same database, with an issuer that no longer maps roles.
    let released = fixture.without_mapping().await;
    assert_eq!(released.status, 200, "{released:?}");
    assert_eq!(identity().await.role_as_of, None);
}

#[tokio::test]
async fn the_inference_role_serves_cached_users_without_a_database() {
    let fixture = Fixture::start(auth_js(json!({}))).await;
    let token = signed(json!({}));
    fixture.accepts(&token, "ada@example.com user").await;
    fixture.db.close().await;
    fixture.clock.advance(TimeDelta::seconds(60));
    assert_eq!(fixture.pool(&token).await.text, "ada@example.com user");
    assert_eq!(fixture.pool(&token).await.text, "ada@example.com user");
    let stranger = signed(json!({"sub": "2", "email": "bob@example.com"}));
    let refused = fixture.pool(&stranger).await;
    assert!(refused.status >= 500, "{refused:?}");
}
