//! A role on a database whose schema is older than this program: it lives, is not ready, says what to do, and waits.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use trainyard_http::Authenticator;
use trainyard_http::ops::{Check, CheckError, Ops};
use trainyard_storage::{Db, StorageError};

use crate::lifecycle::Lifecycle;
use crate::wiring::Ports;

const ASK_EVERY: Duration = Duration::from_secs(1);
const SAY_EVERY: Duration = Duration::from_secs(60);

/// Waits until every migration is applied. Meanwhile the role serves `ops` alone, so that its orchestrator sees a process
/// that lives and is not ready. `None` when the process is stopped before.
///
/// # Errors
/// When the listener can't be shared.
pub async fn wait(
    ports: &Ports,
    life: &Lifecycle,
    listener: TcpListener,
    ops: Ops,
) -> anyhow::Result<Option<TcpListener>> {
    if !is_behind(&ports.db).await {
        return Ok(Some(listener));
    }
    let listener = listener.into_std()?;
    let shared = TcpListener::from_std(listener.try_clone().context("the listener can't be shared")?)?;
    // Also in the second between the last migration and the role's own start.
    let ops = ops.ready([Check::new("start", true, ASK_EVERY, || async {
        Err(CheckError::new("the role starts once the database's schema is up to date", "it waits"))
    })]);
    let router = ops.routes().into_router_with(Authenticator::reject_all(), ports.limits());
    let (close, grace) = (CancellationToken::new(), Duration::from_secs(ports.config.server.shutdown_grace_s));
    let server = tokio::spawn(trainyard_http::serve::serve(shared, router, close.clone(), grace));
    let migrated = tokio::select! {
        () = applied(&ports.db) => true,
        () = life.stopping.cancelled() => false,
    };
    close.cancel();
    server.await??;
    Ok(if migrated { Some(TcpListener::from_std(listener)?) } else { None })
}

/// Logs, for as long as it is so, that the schema is older than this program: for a role that goes on without its database.
pub fn report(db: Db) {
    tokio::spawn(async move {
        if is_behind(&db).await {
            applied(&db).await;
        }
    });
}

/// Whether a migration is missing. A database that is away says nothing about it.
async fn is_behind(db: &Db) -> bool {
    matches!(db.check_migrated().await, Err(StorageError::Unmigrated(_)))
}

async fn applied(db: &Db) {
    let mut said: Option<Instant> = None;
    loop {
        match db.check_migrated().await {
            Ok(()) => return tracing::info!("the database's schema is up to date"),
            Err(error) if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "not ready: {error}");
                said = Some(Instant::now());
            }
            Err(_) => {}
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}
