//! Postgres over TLS, with a private certificate authority.

use trainyard_storage::{Db, StorageError};
use trainyard_testkit::{Authority, PostgresServer, error_chain};

use crate::fixture::pool;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_trusted_by_the_authority_that_the_address_names() {
    let (ours, other) = (Authority::create(), Authority::create());
    let server = PostgresServer::start_with_tls(&ours);
    let url = server.fresh_database();
    let verified =
        |authority: &Authority| format!("{url}?sslmode=verify-full&sslrootcert={}", authority.ca().display());
    let db = Db::connect(&verified(&ours), &pool()).await.unwrap();
    db.migrate().await.unwrap();
    db.close().await;
    for wrong_url in [verified(&other), format!("{url}?sslmode=verify-full")] {
        let error = Db::connect(&wrong_url, &pool()).await.unwrap_err();
        let text = error_chain(&error);
        assert!(matches!(error, StorageError::Unavailable(_)) && text.contains("certificate"), "{text}");
    }
}
