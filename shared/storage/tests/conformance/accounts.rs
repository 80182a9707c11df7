//! Accounts and the audit trail.

use serde_json::json;
use trainyard_domain::{Role, UserId};
use trainyard_storage::{AuditEntry, Db, StorageError};
use uuid::Uuid;

use crate::bench::{Bench, user};

on_both!(
    an_address_belongs_to_one_account,
    changes_show_and_move_the_revision,
    two_administrators_cannot_demote_each_other,
    accounts_are_listed_newest_first,
    audit_entries_read_back,
);

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
