//! One function per role: opens the dependencies, starts the components, serves requests.

use std::path::Path;

use anyhow::Context as _;
use trainyard_api::with_documentation;
use trainyard_http::Authenticator;
use trainyard_http::auth::Passwords;
use trainyard_http::ops::Ops;
use trainyard_worker::Health;

use crate::checks::{Critical, database_liveness, stores};
use crate::components::{
    bind, bind_grpc, finish, finish_inference, run_grpc, run_server, run_sweep, run_worker, seed, start_inference,
    start_lifecycle, worker_liveness,
};
use crate::config::Config;
use crate::console::console;
use crate::data_dir::DataDir;
use crate::documents::contract;
use crate::migrations;
use crate::startup_message::StartupMessage;
use crate::wiring::{Backends, Dependencies, open_database};

/// Default number of database connections per role. The API has many concurrent requests; a worker batches its calls;
/// the inference role polls counters.
const API_CONNECTIONS: u32 = 16;
const WORKER_CONNECTIONS: u32 = 8;
const INFERENCE_CONNECTIONS: u32 = 4;

/// Runs all roles in one process.
///
/// # Errors
/// If the process can't start, or does not stop cleanly.
pub async fn up(mut config: Config, data_dir: &Path) -> anyhow::Result<()> {
    let folder = DataDir::open(data_dir)?;
    folder.fill_defaults(&mut config)?;
    let lifecycle = start_lifecycle(&config)?;
    let deps = Dependencies::open(config.with_connections(API_CONNECTIONS), Backends::Embedded).await?;
    deps.db.migrate().await.context("the database could not be brought up to date")?;
    let reclaimed = trainyard_worker::reclaim_orphans(&deps.db).await?;
    if reclaimed > 0 {
        tracing::info!(jobs = reclaimed, "requeued the jobs of the previous process");
    }
    let jwt = deps.jwt()?;
    let state = deps.api_state(jwt.clone(), &lifecycle)?;
    let password = seed(&deps, &state, true).await?;
    let issuers = deps.issuers()?;
    let authenticator = deps.authenticator(&jwt, issuers.clone()).await?;
    let inference = start_inference(&deps, &lifecycle, jwt, issuers)?;
    let health = Health::new();
    run_worker(&deps, &lifecycle, health.clone())?;
    run_sweep(&deps, &lifecycle);
    let mut checks = stores(&deps.db, &deps.queue, &deps.store, Critical::API);
    checks.extend(inference.checks());
    let ops = Ops::new(deps.metrics.clone())
        .ready(checks)
        .until(lifecycle.stopping.clone())
        .alive(worker_liveness(&deps.config, health))
        .alive(database_liveness(&deps.config, &deps.db));
    // The authenticator of the inference role verifies tokens without a database query.
    let inference_authenticator = deps.inference_authenticator(&inference).await?;
    let predictions = inference.routes().authenticated_by(&inference_authenticator);
    let routes = with_documentation(
        trainyard_api::routes(state).merge(console(&deps.config)).merge(predictions).merge(ops.routes()),
        &contract(&deps.config),
    );
    let (listener, grpc_listener) = (bind(&deps, "up").await?, bind_grpc(&deps).await?);
    let grpc_address = grpc_listener.as_ref().map(|listener| listener.local_addr()).transpose()?;
    StartupMessage { address: listener.local_addr()?, grpc_address, data_dir, auth: &deps.config.auth, password }
        .print();
    let router = routes.into_router(authenticator, deps.limits());
    let answered_grpc = run_grpc(&deps, &lifecycle, &inference, inference_authenticator, grpc_listener)?;
    let answered = run_server(&deps.config, &lifecycle, listener, router, lifecycle.closing.clone())?;
    finish_inference(&lifecycle, inference, answered_grpc.into_iter().chain([answered]));
    finish(deps, lifecycle).await
}

/// Runs the API role.
///
/// # Errors
/// If the process can't start, or does not stop cleanly.
pub async fn api(config: Config) -> anyhow::Result<()> {
    let lifecycle = start_lifecycle(&config)?;
    let deps = Dependencies::open(config.with_connections(API_CONNECTIONS), Backends::Required).await?;
    let jwt = deps.jwt()?;
    let ops = || {
        let checks = stores(&deps.db, &deps.queue, &deps.store, Critical::API);
        Ops::new(deps.metrics.clone()).ready(checks).until(lifecycle.stopping.clone())
    };
    let listener = bind(&deps, "api").await?;
    let Some(listener) = migrations::wait_until_migrated(&deps, &lifecycle, listener, ops()).await? else {
        return finish(deps, lifecycle).await;
    };
    let state = deps.api_state(jwt.clone(), &lifecycle)?;
    seed(&deps, &state, false).await?;
    run_sweep(&deps, &lifecycle);
    let routes = trainyard_api::routes(state).merge(console(&deps.config)).merge(ops().routes());
    let routes = with_documentation(routes, &contract(&deps.config));
    let authenticator = deps.authenticator(&jwt, deps.issuers()?).await?;
    let router = routes.into_router(authenticator, deps.limits());
    run_server(&deps.config, &lifecycle, listener, router, lifecycle.closing.clone())?;
    finish(deps, lifecycle).await
}

/// Runs a worker role. Its server answers only health checks and metrics requests.
///
/// # Errors
/// If the process can't start, or does not stop cleanly.
pub async fn worker(config: Config) -> anyhow::Result<()> {
    let lifecycle = start_lifecycle(&config)?;
    let deps = Dependencies::open(config.with_connections(WORKER_CONNECTIONS), Backends::Required).await?;
    let health = Health::new();
    let ops = || {
        let checks = stores(&deps.db, &deps.queue, &deps.store, Critical::WORKER);
        Ops::new(deps.metrics.clone()).ready(checks).until(lifecycle.stopping.clone())
    };
    let listener = bind(&deps, "worker").await?;
    let Some(listener) = migrations::wait_until_migrated(&deps, &lifecycle, listener, ops()).await? else {
        return finish(deps, lifecycle).await;
    };
    let ops = ops().alive(worker_liveness(&deps.config, health.clone()));
    let close_server = run_worker(&deps, &lifecycle, health)?;
    run_sweep(&deps, &lifecycle);
    let router = ops.routes().into_router(Authenticator::reject_all(), deps.limits());
    run_server(&deps.config, &lifecycle, listener, router, close_server)?;
    finish(deps, lifecycle).await
}

/// Runs the inference role. Nothing before the start of the server waits for database, queue or object store, so that the
/// cached models answer requests at once.
///
/// # Errors
/// If the process can't start, or does not stop cleanly.
pub async fn inference(config: Config) -> anyhow::Result<()> {
    let lifecycle = start_lifecycle(&config)?;
    let deps = Dependencies::open(config.with_connections(INFERENCE_CONNECTIONS), Backends::RequiredLater).await?;
    let jwt = deps.jwt()?;
    // The models are loaded on other threads meanwhile.
    let inference = start_inference(&deps, &lifecycle, jwt, deps.issuers()?)?;
    let listener = bind(&deps, "inference").await?;
    let mut checks = stores(&deps.db, &deps.queue, &deps.store, Critical::INFERENCE);
    checks.extend(inference.checks());
    let routes = inference
        .routes()
        .merge(Ops::new(deps.metrics.clone()).ready(checks).until(lifecycle.stopping.clone()).routes());
    let authenticator = deps.inference_authenticator(&inference).await?;
    let grpc_listener = bind_grpc(&deps).await?;
    let answered_grpc = run_grpc(&deps, &lifecycle, &inference, authenticator.clone(), grpc_listener)?;
    let router = routes.into_router(authenticator, deps.limits());
    let answered = run_server(&deps.config, &lifecycle, listener, router, lifecycle.closing.clone())?;
    migrations::warn_while_unmigrated(deps.db.clone());
    finish_inference(&lifecycle, inference, answered_grpc.into_iter().chain([answered]));
    finish(deps, lifecycle).await
}

/// Applies the database migrations.
///
/// # Errors
/// If the database is unavailable or a migration fails.
pub async fn migrate(config: Config) -> anyhow::Result<()> {
    let db = open_database(&config).await?;
    db.migrate().await?;
    tracing::info!("all migrations are applied");
    db.close().await;
    Ok(())
}

/// Sets and prints a one-time password for an administrator.
///
/// # Errors
/// If the account does not exist, or the database is unavailable.
#[expect(clippy::print_stdout, reason = "the command prints the password")]
pub async fn reset_admin_password(
    mut config: Config,
    email: Option<String>,
    data_dir: Option<&Path>,
) -> anyhow::Result<()> {
    let folder = data_dir.map(DataDir::open).transpose()?;
    if let Some(folder) = &folder {
        folder.fill_defaults(&mut config)?;
    }
    let db = open_database(&config).await?;
    let email = email.unwrap_or_else(|| config.auth.admin_email().to_owned());
    let passwords = Passwords::new(config.auth.bcrypt_cost);
    let reset = trainyard_api::reset_password(&db, &passwords, &config.auth.accounts(), &email).await;
    db.close().await;
    let password = reset?.with_context(|| format!("there is no account with the e-mail address {email}"))?;
    println!("{password}");
    tracing::info!(
        email,
        "password reset; sign in once with the printed password, then set a new one with `trainyard passwd`"
    );
    Ok(())
}
