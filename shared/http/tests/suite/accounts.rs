//! Tokens are checked against the accounts in the database.

use std::sync::Arc;

use axum::body::Body;
use http::header::AUTHORIZATION;
use trainyard_domain::{Clock, Role};
use trainyard_http::auth::{Authenticator, PrincipalCheck};
use trainyard_storage::{Db, PoolOptions};

use crate::support::{jwt, person, request, routes, send, settings, start};

#[tokio::test]
async fn the_account_is_read_on_every_request() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("t.db").display());
    let options = PoolOptions { max_connections: 2, ..PoolOptions::default() };
    let db = Db::connect(&url, &options).await.unwrap();
    db.migrate().await.unwrap();
    let admin = person(Role::Admin);
    let jwt = Arc::new(jwt());
    let bearer = format!("Bearer {}", jwt.issue(&admin, start()).unwrap());
    let app = routes().into_router(
        Authenticator::new(jwt, Clock::manual(start()), PrincipalCheck::Database(db.clone())),
        settings().requests(),
    );
    let forget = || {
        let path = "/things/0199c0de-0000-7000-8000-000000000000";
        send(app.clone(), request("DELETE", path).header(AUTHORIZATION, &bearer).body(Body::empty()).unwrap())
    };

    assert_eq!(forget().await.problem(), "unauthenticated", "the account does not exist");

    let mut tx = db.begin().await.unwrap();
    tx.users().insert(&admin).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(forget().await.status, 204);

    let mut tx = db.begin().await.unwrap();
    tx.users().update(admin.id, Some(Role::User), None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(forget().await.problem(), "forbidden");

    let mut tx = db.begin().await.unwrap();
    tx.users().update(admin.id, Some(Role::Admin), Some(true)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(forget().await.problem(), "unauthenticated");

    db.close().await;
    let away = forget().await;
    assert_eq!((away.status, away.problem().as_str()), (503, "unavailable"));
    assert!(!away.header("retry-after").is_empty());
}
