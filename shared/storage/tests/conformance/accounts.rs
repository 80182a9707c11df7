//! Accounts and the audit trail.

use serde_json::json;
use trainyard_domain::user::OneTimePassword;
use trainyard_domain::{Role, UserId};
use trainyard_storage::{AuditEntry, Db, NewPassword, Retired, StorageError};
use uuid::Uuid;

use crate::bench::{Bench, user};

on_both!(
    an_address_belongs_to_one_account,
    changes_show_and_move_the_revision,
    two_administrators_cannot_demote_each_other,
    accounts_are_listed_newest_first,
    a_new_password_ends_sessions_and_replaces_only_the_one_it_was_read_with,
    a_one_time_password_is_used_once,
    a_deleted_account_is_gone_but_its_id_stays_disabled,
    deleted_accounts_are_known_by_one_column,
    known_addresses_are_kept_for_their_time_and_bounded,
    audit_entries_read_back,
);

async fn a_new_password_ends_sessions_and_replaces_only_the_one_it_was_read_with(bench: Bench) {
    let mut tx = bench.db.begin().await.unwrap();
    let old = tx.users().by_id(bench.user).await.unwrap().unwrap().password_hash;
    let kept = Uuid::now_v7();
    let new = NewPassword { hash: "new", one_time_until: None, kept_session: Some(kept) };
    assert!(tx.users().hold(bench.user, &old).await.unwrap());
    assert!(tx.users().set_password(bench.user, &old, new, bench.now).await.unwrap());
    assert!(!tx.users().set_password(bench.user, &old, new, bench.now).await.unwrap(), "it was read before the change");
    assert!(!tx.users().hold(bench.user, &old).await.unwrap());
    let ada = tx.users().by_id(bench.user).await.unwrap().unwrap();
    assert_eq!(ada.password_hash, "new");
    assert_eq!((ada.security.sessions_end, ada.security.kept_session), (Some(bench.now), Some(kept)));
    tx.users().end_sessions(bench.user, bench.later(9)).await.unwrap();
    let ada = tx.users().by_id(bench.user).await.unwrap().unwrap();
    assert_eq!((ada.security.sessions_end, ada.security.kept_session), (Some(bench.later(9)), None));
    assert!(tx.users().by_ids(&[bench.user, UserId::at(bench.now)]).await.unwrap().len() == 1);
}

async fn a_one_time_password_is_used_once(bench: Bench) {
    let mut bob = user("bob@example.com", Role::User, bench.now);
    bob.security.one_time = Some(OneTimePassword { expires_at: bench.later(60), used_at: None });
    let mut tx = bench.db.begin().await.unwrap();
    tx.users().insert(&bob).await.unwrap();
    assert_eq!(tx.users().by_email("bob@example.com").await.unwrap().unwrap().security, bob.security);
    assert!(!tx.users().use_one_time_password(bob.id, bench.later(60)).await.unwrap(), "it has expired by then");
    assert!(tx.users().use_one_time_password(bob.id, bench.later(59)).await.unwrap());
    assert!(!tx.users().use_one_time_password(bob.id, bench.later(59)).await.unwrap());
    let used = tx.users().by_id(bob.id).await.unwrap().unwrap().security.one_time.unwrap();
    assert!(!used.signs_in(bench.now));
    let new = NewPassword { hash: "own", one_time_until: None, kept_session: None };
    assert!(tx.users().set_password(bob.id, &bob.password_hash, new, bench.now).await.unwrap());
    assert_eq!(tx.users().by_id(bob.id).await.unwrap().unwrap().security.one_time, None);
    assert!(!tx.users().use_one_time_password(bench.user, bench.now).await.unwrap(), "a password of one's own");
}

async fn a_deleted_account_is_gone_but_its_id_stays_disabled(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::Admin).await;
    let mut tx = bench.db.begin().await.unwrap();
    tx.known_addresses().remember(bob, "a", bench.later(60)).await.unwrap();
    let before = tx.models().revision().await.unwrap();
    assert!(tx.users().delete(bob, bench.now).await.unwrap());
    assert!(!tx.users().delete(bob, bench.now).await.unwrap());
    assert!(tx.models().revision().await.unwrap() > before, "inference hears of it");
    assert!(tx.users().by_id(bob).await.unwrap().is_none());
    assert!(tx.users().by_email("bob@example.com").await.unwrap().is_none());
    assert!(tx.users().update(bob, Some(Role::User), Some(false)).await.unwrap().is_none());
    assert_eq!(tx.users().list(None, 10).await.unwrap().len(), 1);
    assert_eq!(tx.users().disabled_ids().await.unwrap(), [bob]);
    assert_eq!(tx.users().active_admins().await.unwrap(), 1);
    assert!(!tx.known_addresses().contains(Some(bob), "a", bench.now).await.unwrap());
    tx.users().insert(&user("bob@example.com", Role::User, bench.later(1))).await.unwrap();
    tx.commit().await.unwrap();
}

async fn known_addresses_are_kept_for_their_time_and_bounded(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let mut tx = bench.db.begin().await.unwrap();
    for n in 0..150 {
        tx.known_addresses().remember(bob, &format!("a{n}"), bench.later(100 + n)).await.unwrap();
    }
    tx.known_addresses().remember(bench.user, "a0", bench.later(60)).await.unwrap();
    let mut known = async |user, address: &str, at| tx.known_addresses().contains(user, address, at).await.unwrap();
    assert!(!known(Some(bob), "a49", bench.now).await, "the oldest of more than a hundred is forgotten");
    assert!(known(Some(bob), "a50", bench.now).await);
    assert!(!known(None, "a50", bench.now).await);
    assert!(known(Some(bench.user), "a0", bench.later(59)).await);
    assert!(!known(Some(bench.user), "a0", bench.later(60)).await, "its time is up");
    assert_eq!(tx.retire(Retired::KnownAddresses, bench.later(61), 10).await.unwrap(), 1);
}

async fn an_address_belongs_to_one_account(bench: Bench) {
    let mut tx = bench.db.begin().await.unwrap();
    let again = tx.users().insert(&user("ada@example.com", Role::User, bench.now)).await;
    assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");
    drop(tx);

    let mut tx = bench.db.read().await.unwrap();
    let ada = tx.users().by_email("ada@example.com").await.unwrap().unwrap();
    assert_eq!((ada.id, ada.role, ada.disabled, ada.created_at), (bench.user, Role::Admin, false, bench.now));
    assert_eq!(tx.users().by_id(ada.id).await.unwrap().unwrap().email, ada.email);
    assert!(tx.users().by_email("bob@example.com").await.unwrap().is_none());
}

async fn changes_show_and_move_the_revision(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let mut tx = bench.db.begin().await.unwrap();
    let before = tx.models().revision().await.unwrap();
    assert!(tx.users().disabled_ids().await.unwrap().is_empty());
    let changed = tx.users().update(bob, None, Some(true)).await.unwrap().unwrap();
    assert_eq!((changed.role, changed.disabled), (Role::User, true));
    assert_eq!(tx.users().disabled_ids().await.unwrap(), [bob]);
    let changed = tx.users().update(bob, Some(Role::Admin), None).await.unwrap().unwrap();
    assert_eq!((changed.role, changed.disabled), (Role::Admin, true));
    assert!(tx.models().revision().await.unwrap() > before);
    assert_eq!(tx.users().active_admins().await.unwrap(), 1, "a disabled administrator is not active");
    assert!(tx.users().update(UserId::at(bench.now), None, Some(true)).await.unwrap().is_none());
    assert!(tx.users().any_admin().await.unwrap());
}

async fn two_administrators_cannot_demote_each_other(bench: Bench) {
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
        let eve = bench.add_user(&format!("eve{round}@example.com"), Role::Admin).await;
        let (a, b) = tokio::join!(
            tokio::spawn(demote(bench.db.clone(), eve)),
            tokio::spawn(demote(bench.db.clone(), bench.user)),
        );
        assert!(a.unwrap() != b.unwrap(), "exactly one demotion passes");
        let mut tx = bench.db.begin().await.unwrap();
        assert_eq!(tx.users().active_admins().await.unwrap(), 1);
        tx.users().update(eve, Some(Role::User), None).await.unwrap();
        tx.users().update(bench.user, Some(Role::Admin), None).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn accounts_are_listed_newest_first(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let cid = bench.add_user("cid@example.com", Role::User).await;
    let mut tx = bench.db.read().await.unwrap();
    let mut expected = vec![bench.user, bob, cid];
    expected.sort();
    expected.reverse();
    let first = tx.users().list(None, 2).await.unwrap();
    let rest = tx.users().list(Some(first[1].id), 2).await.unwrap();
    assert_eq!(first.iter().chain(&rest).map(|user| user.id).collect::<Vec<_>>(), expected);
}

async fn deleted_accounts_are_known_by_one_column(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.users().delete(bob, bench.now).await.unwrap());
    tx.commit().await.unwrap();
    bench.meddle("UPDATE users SET password_hash = 'x' WHERE password_hash = 'deleted'").await;
    bench.meddle("UPDATE users SET password_hash = 'deleted' WHERE email = 'ada@example.com'").await;
    let mut tx = bench.db.read().await.unwrap();
    let listed: Vec<_> = tx.users().list(None, 10).await.unwrap().into_iter().map(|user| user.id).collect();
    assert_eq!(listed, [bench.user]);
    assert!(tx.users().by_id(bench.user).await.unwrap().is_some());
    assert!(tx.users().by_id(bob).await.unwrap().is_none());
}

async fn audit_entries_read_back(bench: Bench) {
    let entry = |actor| AuditEntry {
        id: Uuid::now_v7(),
        at: bench.now,
        actor,
        action: "user.disable".into(),
        subject: "user:7".into(),
        request_id: actor.map(|_| "req-7".into()),
        detail: json!({"from": {"disabled": false}, "share": 0.25}),
    };
    let entries = [entry(None), entry(Some(bench.user))];
    let mut tx = bench.db.begin().await.unwrap();
    for entry in &entries {
        tx.audit().insert(entry).await.unwrap();
    }
    let listed = tx.audit().list(None, 10).await.unwrap();
    assert_eq!(listed, [entries[1].clone(), entries[0].clone()]);
    assert_eq!(tx.audit().list(Some(entries[1].id), 10).await.unwrap(), [entries[0].clone()]);
}
