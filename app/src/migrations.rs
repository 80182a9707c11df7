//! Waiting for migrations: a role whose database schema is too old stays alive and not ready.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use trainyard_http::Authenticator;
use trainyard_http::ops::{Check, CheckError, Ops};
use trainyard_http::serve::serve;
use trainyard_storage::{Db, StorageError};

use crate::lifecycle::Lifecycle;
use crate::wiring::Dependencies;

const CHECK_INTERVAL: Duration = Duration::from_secs(1);
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Waits until every migration is applied. Meanwhile the role serves only `ops`, so that an orchestrator sees a live
/// process that is not ready. Returns `None` if the process is stopped first.
///
/// # Errors
/// If the listener can't be cloned.
pub async fn wait_until_migrated(
    deps: &Dependencies,
    lifecycle: &Lifecycle,
    listener: TcpListener,
    ops: Ops,
) -> anyhow::Result<Option<TcpListener>> {
    if !is_unmigrated(&deps.db).await {
        return Ok(Some(listener));
    }
    let listener = listener.into_std()?;
    let shared = TcpListener::from_std(listener.try_clone().context("the listener can't be cloned")?)?;
    // Also not ready between the last migration and the start of the role itself.
    let ops = ops.ready([Check::new("start", true, CHECK_INTERVAL, || async {
        Err(CheckError::new("the role starts after all migrations are applied", "waiting for migrations"))
    })]);
    let router = ops.routes().into_router(Authenticator::reject_all(), deps.limits());
    let (close, grace) = (CancellationToken::new(), Duration::from_secs(deps.config.server.shutdown_grace_s));
    let limits = deps.config.server.connections();
    let server = tokio::spawn(serve(shared, router, close.clone(), grace, limits));
    let migrated = tokio::select! {
        () = log_until_migrated(&deps.db) => true,
        () = lifecycle.stopping.cancelled() => false,
    };
    close.cancel();
    server.await??;
    Ok(if migrated { Some(TcpListener::from_std(listener)?) } else { None })
}

/// Logs a warning while the schema is too old, for a role that also works without its database.
pub fn warn_while_unmigrated(db: Db) {
    tokio::spawn(async move {
        if is_unmigrated(&db).await {
            log_until_migrated(&db).await;
        }
    });
}

/// Whether a migration is missing. An unavailable database counts as migrated.
async fn is_unmigrated(db: &Db) -> bool {
    matches!(db.check_migrated().await, Err(StorageError::Unmigrated(_)))
}

async fn log_until_migrated(db: &Db) {
    let mut logged_at: Option<Instant> = None;
    loop {
        match db.check_migrated().await {
            Ok(()) => return tracing::info!("the database's schema is up to date"),
            Err(error) if logged_at.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "not ready: {error}");
                logged_at = Some(Instant::now());
            }
            Err(_) => {}
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}
