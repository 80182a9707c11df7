//! Accounts of outside users, as the API and the inference role know them.

use chrono::TimeDelta;
use serde_json::json;
use trainyard_domain::{Email, Role, User, UserId};

use super::gate::{Gate, auth_js, signed};
use crate::support::{person, start};

impl Gate {
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
async fn many_first_requests_make_one_account() {
    let gate = Gate::open(auth_js(json!({}))).await;
    let token = signed(json!({}));
    let answers = futures::future::join_all((0..20).map(|_| gate.api(&token))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    let mut tx = gate.db.read().await.unwrap();
    assert_eq!(tx.users().list(None, 10).await.unwrap().len(), 1);
    let trail = tx.audit().list(None, 10).await.unwrap();
    assert_eq!(trail.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["account.create"]);
    assert_eq!((&trail[0].detail["issuer"], &trail[0].detail["subject"]), (&json!("web"), &json!("1")));
}

#[tokio::test]
async fn the_inference_role_makes_no_account_and_finds_it_soon_once_it_is_made() {
    let gate = Gate::open(auth_js(json!({}))).await;
    let token = signed(json!({}));
    assert_eq!(gate.pool(&token).await.status, 200);
    assert!(gate.account("web", "1").await.is_none());
    assert_eq!(gate.api(&token).await.status, 200);
    let (user, _) = gate.account("web", "1").await.unwrap();
    gate.change(user, Some(Role::Admin), None).await;
    gate.clock.advance(TimeDelta::seconds(2));
    assert_eq!(gate.pool(&token).await.text, "ada@example.com admin");
    gate.change(user, Some(Role::User), None).await;
    assert_eq!(gate.pool(&token).await.text, "ada@example.com admin", "remembered");
    gate.clock.advance(TimeDelta::seconds(30));
    assert_eq!(gate.pool(&token).await.text, "ada@example.com user");
}

#[tokio::test]
async fn a_disabled_account_is_refused_at_once_and_accepted_again() {
    let gate = Gate::open(auth_js(json!({}))).await;
    let token = signed(json!({}));
    gate.accepts(&token, "ada@example.com user").await;
    let (user, _) = gate.account("web", "1").await.unwrap();
    gate.change(user, None, Some(true)).await;
    gate.refuses(&token, "unauthenticated", "its account is disabled").await;
    // Also where the set has not heard of it yet.
    gate.disabled.replace([]);
    gate.clock.advance(TimeDelta::seconds(30));
    gate.refuses(&token, "unauthenticated", "its account is disabled").await;
    gate.change(user, None, Some(false)).await;
    gate.accepts(&token, "ada@example.com user").await;
}

#[tokio::test]
async fn users_without_an_account_are_refused_where_accounts_must_exist() {
    let gate = Gate::open(auth_js(json!({"accounts": "existing", "link_by_email": true}))).await;
    let stated = signed(json!({"email_verified": true}));
    gate.refuses(&stated, "unauthenticated", "its user has no account here").await;
    let ada = User { email: Email::parse("ada@example.com").unwrap(), ..person(Role::Admin) };
    let mut tx = gate.db.begin().await.unwrap();
    tx.users().insert(&ada).await.unwrap();
    tx.commit().await.unwrap();
    gate.clock.advance(TimeDelta::seconds(2));
    let unverified = signed(json!({"email_verified": false}));
    gate.refuses(&unverified, "unauthenticated", "its e-mail address belongs to an account").await;
    // The inference role reads the link that the API would make.
    gate.clock.advance(TimeDelta::seconds(2));
    assert_eq!(gate.pool(&stated).await.text, "ada@example.com admin");
    gate.accepts(&signed(json!({"email_verified": "true"})), "ada@example.com admin").await;
    assert_eq!(gate.account("web", "1").await, Some((ada.id, Role::Admin)));
    gate.clock.advance(TimeDelta::seconds(2));
    let successor = signed(json!({"sub": "2", "email_verified": true}));
    gate.refuses(&successor, "unauthenticated", "its e-mail address belongs to an account").await;
}

#[tokio::test]
async fn a_disabled_account_is_not_linked() {
    let gate = Gate::open(auth_js(json!({"link_by_email": true}))).await;
    let ada = User { email: Email::parse("ada@example.com").unwrap(), disabled: true, ..person(Role::User) };
    let mut tx = gate.db.begin().await.unwrap();
    tx.users().insert(&ada).await.unwrap();
    tx.commit().await.unwrap();
    gate.refuses(&signed(json!({"email_verified": true})), "unauthenticated", "its account is disabled").await;
    assert!(gate.account("web", "1").await.is_none());
}

#[tokio::test]
async fn the_role_of_the_later_issued_token_counts_until_the_mapping_ends() {
    let now = start().timestamp();
    let gate = Gate::open(auth_js(json!({"role_claim": "roles", "admin_values": ["chief"]}))).await;
    let with = |roles: &[&str], iat: i64| signed(json!({"roles": roles, "iat": iat}));
    gate.accepts(&with(&["chief"], now - 20), "ada@example.com admin").await;
    gate.accepts(&with(&["chief"], now - 15), "ada@example.com admin").await;
    gate.accepts(&with(&[], now - 10), "ada@example.com user").await;
    gate.clock.advance(TimeDelta::seconds(31));
    gate.accepts(&with(&["chief"], now - 20), "ada@example.com user").await;
    let identity = async || {
        let mut tx = gate.db.read().await.unwrap();
        tx.identities().account("web", "1").await.unwrap().unwrap()
    };
    assert_eq!(identity().await.role_as_of.map(|at| at.timestamp()), Some(now - 10));
    let mut tx = gate.db.read().await.unwrap();
    let trail = tx.audit().list(None, 10).await.unwrap();
    assert_eq!(trail[0].action, "account.update", "{trail:?}");
    drop(tx);
    // The same database, with an issuer that maps no roles any more.
    let released = gate.without_mapping().await;
    assert_eq!(released.status, 200, "{released:?}");
    assert_eq!(identity().await.role_as_of, None);
}

#[tokio::test]
async fn the_inference_role_goes_on_without_a_database_for_users_it_has_seen() {
    let gate = Gate::open(auth_js(json!({}))).await;
    let token = signed(json!({}));
    gate.accepts(&token, "ada@example.com user").await;
    gate.db.close().await;
    gate.clock.advance(TimeDelta::seconds(60));
    assert_eq!(gate.pool(&token).await.text, "ada@example.com user");
    assert_eq!(gate.pool(&token).await.text, "ada@example.com user");
    let stranger = signed(json!({"sub": "2", "email": "bob@example.com"}));
    let refused = gate.pool(&stranger).await;
    assert!(refused.status >= 500, "{refused:?}");
}
