//! Accounts and the audit trail.

use serde_json::json;
use trainyard_domain::user::OneTimePassword;
use trainyard_domain::{Role, UserId};
use trainyard_storage::{AuditEntry, AuditFilter, Db, NewPassword, Retention, StorageError};
use uuid::Uuid;

use crate::fixture::{Fixture, user};

on_both!(
    an_email_address_has_one_account,
    account_changes_increase_the_revision,
    two_administrators_cannot_demote_each_other,
    accounts_are_listed_newest_first,
    accounts_are_read_by_their_ids,
    a_new_password_revokes_sessions_and_fails_on_a_stale_hash,
    a_one_time_password_is_used_once,
    a_deleted_account_is_hidden_and_its_id_stays_disabled,
    deleted_accounts_are_those_with_deleted_at,
    known_addresses_expire_and_are_bounded,
    audit_entries_read_back,
    audit_entries_are_found_by_filters,
);

async fn a_new_password_revokes_sessions_and_fails_on_a_stale_hash(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    let old = tx.users().by_id(fixture.user).await.unwrap().unwrap().password_hash;
    let kept = Uuid::now_v7();
    let new = NewPassword { hash: "new", one_time_until: None, kept_session: Some(kept) };
    assert!(tx.users().lock_verified(fixture.user, &old).await.unwrap());
    assert!(tx.users().set_password(fixture.user, &old, new, fixture.now).await.unwrap());
    assert!(!tx.users().set_password(fixture.user, &old, new, fixture.now).await.unwrap(), "the hash is stale");
    assert!(!tx.users().lock_verified(fixture.user, &old).await.unwrap());
    let ada = tx.users().by_id(fixture.user).await.unwrap().unwrap();
    assert_eq!(ada.password_hash, "new");
    assert_eq!((ada.security.sessions_end, ada.security.kept_session), (Some(fixture.now), Some(kept)));
    tx.users().end_sessions(fixture.user, fixture.later(9)).await.unwrap();
    let ada = tx.users().by_id(fixture.user).await.unwrap().unwrap();
    assert_eq!((ada.security.sessions_end, ada.security.kept_session), (Some(fixture.later(9)), None));
}

async fn accounts_are_read_by_their_ids(fixture: Fixture) {
    let mut ids = vec![fixture.user];
    for n in 0..7 {
        ids.push(fixture.add_user(&format!("user{n}@example.com"), Role::User).await);
    }
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.users().delete(ids[1], fixture.now).await.unwrap());
    let missing = UserId::at(fixture.now);
    // Few accounts are read one by one, many together.
    for count in [0, 1, 3, 8] {
        let wanted: Vec<_> = ids[..count].iter().copied().chain([missing]).collect();
        let found = tx.users().by_ids(&wanted).await.unwrap();
        let mut found: Vec<_> = found.into_iter().map(|user| user.id).collect();
        found.sort();
        let mut expected: Vec<_> = ids[..count].iter().copied().filter(|id| *id != ids[1]).collect();
        expected.sort();
        assert_eq!(found, expected, "{count} accounts");
    }
}

async fn a_one_time_password_is_used_once(fixture: Fixture) {
    let mut bob = user("bob@example.com", Role::User, fixture.now);
    bob.security.one_time = Some(OneTimePassword { expires_at: fixture.later(60), used_at: None });
    let mut tx = fixture.db.begin().await.unwrap();
    tx.users().insert(&bob).await.unwrap();
    assert_eq!(tx.users().by_email("bob@example.com").await.unwrap().unwrap().security, bob.security);
    assert!(!tx.users().use_one_time_password(bob.id, fixture.later(60)).await.unwrap(), "it has expired");
    assert!(tx.users().use_one_time_password(bob.id, fixture.later(59)).await.unwrap());
    assert!(!tx.users().use_one_time_password(bob.id, fixture.later(59)).await.unwrap());
    let used = tx.users().by_id(bob.id).await.unwrap().unwrap().security.one_time.unwrap();
    assert!(!used.signs_in(fixture.now));
    let new = NewPassword { hash: "own", one_time_until: None, kept_session: None };
    assert!(tx.users().set_password(bob.id, &bob.password_hash, new, fixture.now).await.unwrap());
    assert_eq!(tx.users().by_id(bob.id).await.unwrap().unwrap().security.one_time, None);
    assert!(
        !tx.users().use_one_time_password(fixture.user, fixture.now).await.unwrap(),
        "the account has no one-time password"
    );
}

async fn a_deleted_account_is_hidden_and_its_id_stays_disabled(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::Admin).await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.known_addresses().remember(bob, "a", fixture.later(60)).await.unwrap();
    let before = tx.models().revision().await.unwrap();
    assert!(tx.users().delete(bob, fixture.now).await.unwrap());
    assert!(!tx.users().delete(bob, fixture.now).await.unwrap());
    assert!(tx.models().revision().await.unwrap() > before, "the inference role must reload");
    assert!(tx.users().by_id(bob).await.unwrap().is_none());
    assert!(tx.users().by_email("bob@example.com").await.unwrap().is_none());
    assert!(tx.users().update(bob, Some(Role::User), Some(false)).await.unwrap().is_none());
    assert_eq!(tx.users().list(None, 10).await.unwrap().len(), 1);
    assert_eq!(tx.users().disabled_ids().await.unwrap(), [bob]);
    assert_eq!(tx.users().active_admins().await.unwrap(), 1);
    assert!(!tx.known_addresses().contains(Some(bob), "a", fixture.now).await.unwrap());
    tx.users().insert(&user("bob@example.com", Role::User, fixture.later(1))).await.unwrap();
    tx.commit().await.unwrap();
}

async fn known_addresses_expire_and_are_bounded(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let mut tx = fixture.db.begin().await.unwrap();
    for n in 0..150 {
        tx.known_addresses().remember(bob, &format!("a{n}"), fixture.later(100 + n)).await.unwrap();
    }
    tx.known_addresses().remember(fixture.user, "a0", fixture.later(60)).await.unwrap();
    let mut known = async |user, address: &str, at| tx.known_addresses().contains(user, address, at).await.unwrap();
    assert!(!known(Some(bob), "a49", fixture.now).await, "the oldest of more than a hundred is deleted");
    assert!(known(Some(bob), "a50", fixture.now).await);
    assert!(!known(None, "a50", fixture.now).await);
    assert!(known(Some(fixture.user), "a0", fixture.later(59)).await);
    assert!(!known(Some(fixture.user), "a0", fixture.later(60)).await, "it has expired");
    assert_eq!(tx.delete_expired(Retention::KnownAddresses, fixture.later(61), 10).await.unwrap(), 1);
}

async fn an_email_address_has_one_account(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    let again = tx.users().insert(&user("ada@example.com", Role::User, fixture.now)).await;
    assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");
    drop(tx);

    let mut tx = fixture.db.read().await.unwrap();
    let ada = tx.users().by_email("ada@example.com").await.unwrap().unwrap();
    assert_eq!((ada.id, ada.role, ada.disabled, ada.created_at), (fixture.user, Role::Admin, false, fixture.now));
    assert_eq!(tx.users().by_id(ada.id).await.unwrap().unwrap().email, ada.email);
    assert!(tx.users().by_email("bob@example.com").await.unwrap().is_none());
}

async fn account_changes_increase_the_revision(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let mut tx = fixture.db.begin().await.unwrap();
    let before = tx.models().revision().await.unwrap();
    assert!(tx.users().disabled_ids().await.unwrap().is_empty());
    let changed = tx.users().update(bob, None, Some(true)).await.unwrap().unwrap();
    assert_eq!((changed.role, changed.disabled), (Role::User, true));
    assert_eq!(tx.users().disabled_ids().await.unwrap(), [bob]);
    let changed = tx.users().update(bob, Some(Role::Admin), None).await.unwrap().unwrap();
    assert_eq!((changed.role, changed.disabled), (Role::Admin, true));
    assert!(tx.models().revision().await.unwrap() > before);
    assert_eq!(tx.users().active_admins().await.unwrap(), 1, "a disabled administrator is not active");
    assert!(tx.users().update(UserId::at(fixture.now), None, Some(true)).await.unwrap().is_none());
    assert!(tx.users().any_admin().await.unwrap());
}

async fn two_administrators_cannot_demote_each_other(fixture: Fixture) {
    async fn demote(db: Db, id: UserId) -> bool {
        let mut tx = db.begin().await.unwrap();
        tx.users().update(id, Some(Role::User), None).await.unwrap();
        let allowed = tx.users().active_admins().await.unwrap() > 0;
        if allowed {
            tx.commit().await.unwrap();
        }
        allowed
    }
    for round in 0..10 {
        let eve = fixture.add_user(&format!("eve{round}@example.com"), Role::Admin).await;
        let (a, b) = tokio::join!(
            tokio::spawn(demote(fixture.db.clone(), eve)),
            tokio::spawn(demote(fixture.db.clone(), fixture.user)),
        );
        assert!(a.unwrap() != b.unwrap(), "exactly one demotion succeeds");
        let mut tx = fixture.db.begin().await.unwrap();
        assert_eq!(tx.users().active_admins().await.unwrap(), 1);
        tx.users().update(eve, Some(Role::User), None).await.unwrap();
        tx.users().update(fixture.user, Some(Role::Admin), None).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn accounts_are_listed_newest_first(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let cid = fixture.add_user("cid@example.com", Role::User).await;
    let mut tx = fixture.db.read().await.unwrap();
    let mut expected = vec![fixture.user, bob, cid];
    expected.sort();
    expected.reverse();
    let first = tx.users().list(None, 2).await.unwrap();
    let rest = tx.users().list(Some(first[1].id), 2).await.unwrap();
    assert_eq!(first.iter().chain(&rest).map(|user| user.id).collect::<Vec<_>>(), expected);
}

async fn deleted_accounts_are_those_with_deleted_at(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.users().delete(bob, fixture.now).await.unwrap());
    tx.commit().await.unwrap();
    fixture.execute_raw("UPDATE users SET password_hash = 'x' WHERE password_hash = 'deleted'").await;
    fixture.execute_raw("UPDATE users SET password_hash = 'deleted' WHERE email = 'ada@example.com'").await;
    let mut tx = fixture.db.read().await.unwrap();
    let listed: Vec<_> = tx.users().list(None, 10).await.unwrap().into_iter().map(|user| user.id).collect();
    assert_eq!(listed, [fixture.user]);
    assert!(tx.users().by_id(fixture.user).await.unwrap().is_some());
    assert!(tx.users().by_id(bob).await.unwrap().is_none());
}

async fn audit_entries_read_back(fixture: Fixture) {
    let entry = |actor| AuditEntry {
        id: Uuid::now_v7(),
        at: fixture.now,
        actor,
        action: "user.disable".into(),
        subject: "user:7".into(),
        request_id: actor.map(|_| "req-7".into()),
        detail: json!({"from": {"disabled": false}, "share": 0.25}),
    };
    let entries = [entry(None), entry(Some(fixture.user))];
    let mut tx = fixture.db.begin().await.unwrap();
    for entry in &entries {
        tx.audit().insert(entry).await.unwrap();
    }
    let listed = tx.audit().list(None, 10).await.unwrap();
    assert_eq!(listed, [entries[1].clone(), entries[0].clone()]);
    assert_eq!(tx.audit().list(Some(entries[1].id), 10).await.unwrap(), [entries[0].clone()]);
}

async fn audit_entries_are_found_by_filters(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    let actions = ["account.update", "account.delete", "accounts.count", "training.submit"];
    for (n, action) in actions.into_iter().enumerate() {
        let entry = AuditEntry {
            id: Uuid::now_v7(),
            at: fixture.now,
            actor: (n % 2 == 0).then_some(fixture.user),
            action: action.into(),
            subject: format!("user:{n}"),
            request_id: None,
            detail: json!({}),
        };
        tx.audit().insert(&entry).await.unwrap();
    }
    let mut found = async |filter: AuditFilter| {
        let search = tx.audit().search(&filter, None, 10).await.unwrap();
        assert_eq!(search.stopped_at, None);
        search.entries.into_iter().map(|entry| entry.action).collect::<Vec<_>>()
    };
    let prefix = AuditFilter { action_prefix: Some("account.".into()), ..AuditFilter::default() };
    assert_eq!(found(prefix.clone()).await, ["account.delete", "account.update"]);
    assert_eq!(found(AuditFilter { actor: Some(fixture.user), ..prefix }).await, ["account.update"]);
    let action = AuditFilter { action: Some("training.submit".into()), ..AuditFilter::default() };
    assert_eq!(found(action.clone()).await, ["training.submit"]);
    assert_eq!(found(AuditFilter { subject: Some("user:0".into()), ..action }).await, [""; 0]);
}
