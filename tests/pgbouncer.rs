//! All roles behind PgBouncer in transaction mode, with fewer server connections than client connections.

use futures::future::join_all;
use serde_json::json;
use trainyard_testkit::{System, distributed_settings, pgbouncer, unique};

use crate::support::{BINARY, quick_job};

const CLIENTS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_submit_train_and_predict_over_four_sessions() {
    let start = || {
        let mut settings = distributed_settings();
        let (_, database) = settings.iter_mut().find(|(name, _)| name == "DATABASE_URL").unwrap();
        *database = pgbouncer().url(database);
        settings.push(("TRAINYARD__DATABASE__PGBOUNCER".to_owned(), "true".to_owned()));
        System::start_roles(BINARY, &["api", "api", "inference", "worker", "worker"], settings)
    };
    let system = tokio::task::spawn_blocking(start).await.unwrap();
    let (admin, name) = (system.client().admin().await, unique("bounced"));
    let apis = [system.client_of(0).with_token(admin.token()), system.client_of(1).with_token(admin.token())];
    let trained = join_all((0..CLIENTS).map(|n| apis[n % 2].trained(quick_job(&name)))).await;
    let mut versions: Vec<_> = trained.iter().map(|view| view["model"]["version"].as_u64().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=CLIENTS as u64).collect::<Vec<_>>());
    let features = json!({"model": name, "version": CLIENTS, "features": {"sex": "female", "age": 29, "pclass": 1}});
    assert_eq!(admin.served(features, &json!(CLIENTS)).await["survived"], true);
}
