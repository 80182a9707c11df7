//! One short function per role: what it opens, what it runs, what it answers.

use std::path::Path;

use anyhow::Context as _;
use trainyard_api::with_documentation;
use trainyard_http::Authenticator;
use trainyard_http::auth::Passwords;
use trainyard_http::ops::Ops;
use trainyard_worker::Health;

use crate::checks::{Critical, connections, stores};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::documents::contract;
use crate::migrations;
use crate::parts::{bind, finish, life, run_server, run_sweep, run_worker, seed, start_inference, turning};
use crate::welcome::Welcome;
use crate::wiring::{Footing, Ports, open_database};

/// Connections to the database that a process of each role needs: the API answers many callers at once, what a worker asks
/// for its runs it asks together, and the inference role looks at one counter.
const API_CONNECTIONS: u32 = 16;
const WORKER_CONNECTIONS: u32 = 8;
const INFERENCE_CONNECTIONS: u32 = 4;

/// Everything in one process.
///
/// # Errors
/// What kept it from starting, or from ending well.
pub async fn up(mut config: Config, data_dir: &Path) -> anyhow::Result<()> {
    let folder = DataDir::open(data_dir)?;
    folder.fill_in(&mut config)?;
    let life = life(&config)?;
    let ports = Ports::open(config.with_connections(API_CONNECTIONS), Footing::Embedded).await?;
    ports.db.migrate().await.context("the database could not be brought up to date")?;
    let reclaimed = trainyard_worker::reclaim_orphans(&ports.db).await?;
    if reclaimed > 0 {
        tracing::info!(jobs = reclaimed, "jobs that were running when the last process ended go on");
    }
    let jwt = ports.jwt()?;
    let state = ports.api_state(jwt.clone(), &life)?;
    let password = seed(&ports, &state, true).await?;
    let issuers = ports.issuers()?;
    let authenticator = ports.authenticator(&jwt, issuers.clone()).await?;
    let pool = start_inference(&ports, &life, jwt, issuers)?;
    let health = Health::new();
    run_worker(&ports, &life, health.clone())?;
    run_sweep(&ports, &life);
    let mut checks = stores(&ports.db, &ports.queue, &ports.store, Critical::API);
    checks.extend(pool.checks());
    let ops = Ops::new(ports.metrics.clone())
        .ready(checks)
        .until(life.stopping.clone())
        .alive(turning(&ports.config, health))
        .alive(connections(&ports.config, &ports.db));
    // The pool's own authenticator spares it a look at the database, also here.
    let predictions = pool.routes().authenticated_by(&ports.pool_authenticator(&pool).await?);
    let routes = with_documentation(trainyard_api::routes(state).merge(predictions).merge(ops.routes()), &contract());
    let listener = bind(&ports, "up").await?;
    Welcome { address: listener.local_addr()?, data_dir, auth: &ports.config.auth, password }.print();
    let router = routes.into_router_with(authenticator, ports.limits());
    run_server(&ports.config, &life, listener, router, life.closing.clone())?;
    finish(ports, life).await
}

/// The API role.
///
/// # Errors
/// What kept it from starting, or from ending well.
pub async fn api(config: Config) -> anyhow::Result<()> {
    let life = life(&config)?;
    let ports = Ports::open(config.with_connections(API_CONNECTIONS), Footing::Servers).await?;
    let jwt = ports.jwt()?;
    let ops = || {
        let checks = stores(&ports.db, &ports.queue, &ports.store, Critical::API);
        Ops::new(ports.metrics.clone()).ready(checks).until(life.stopping.clone())
    };
    let listener = bind(&ports, "api").await?;
    let Some(listener) = migrations::wait(&ports, &life, listener, ops()).await? else {
        return finish(ports, life).await;
    };
    let state = ports.api_state(jwt.clone(), &life)?;
    seed(&ports, &state, false).await?;
    run_sweep(&ports, &life);
    let routes = with_documentation(trainyard_api::routes(state).merge(ops().routes()), &contract());
    let authenticator = ports.authenticator(&jwt, ports.issuers()?).await?;
    let router = routes.into_router_with(authenticator, ports.limits());
    run_server(&ports.config, &life, listener, router, life.closing.clone())?;
    finish(ports, life).await
}

/// A worker role. It answers for its health and metrics, and to nobody else.
///
/// # Errors
/// What kept it from starting, or from ending well.
pub async fn worker(config: Config) -> anyhow::Result<()> {
    let life = life(&config)?;
    let ports = Ports::open(config.with_connections(WORKER_CONNECTIONS), Footing::Servers).await?;
    let health = Health::new();
    let ops = || {
        let checks = stores(&ports.db, &ports.queue, &ports.store, Critical::WORKER);
        Ops::new(ports.metrics.clone()).ready(checks).until(life.stopping.clone())
    };
    let listener = bind(&ports, "worker").await?;
    let Some(listener) = migrations::wait(&ports, &life, listener, ops()).await? else {
        return finish(ports, life).await;
    };
    let ops = ops().alive(turning(&ports.config, health.clone()));
    let gone = run_worker(&ports, &life, health)?;
    run_sweep(&ports, &life);
    let router = ops.routes().into_router_with(Authenticator::reject_all(), ports.limits());
    run_server(&ports.config, &life, listener, router, gone)?;
    finish(ports, life).await
}

/// The inference role.
///
/// # Errors
/// What kept it from starting, or from ending well.
pub async fn inference(config: Config) -> anyhow::Result<()> {
    let life = life(&config)?;
    let ports = Ports::open(config.with_connections(INFERENCE_CONNECTIONS), Footing::ServersOrCache).await?;
    let jwt = ports.jwt()?;
    migrations::report(ports.db.clone());
    let pool = start_inference(&ports, &life, jwt, ports.issuers()?)?;
    let mut checks = stores(&ports.db, &ports.queue, &ports.store, Critical::INFERENCE);
    checks.extend(pool.checks());
    let routes =
        pool.routes().merge(Ops::new(ports.metrics.clone()).ready(checks).until(life.stopping.clone()).routes());
    let authenticator = ports.pool_authenticator(&pool).await?;
    let listener = bind(&ports, "inference").await?;
    let router = routes.into_router_with(authenticator, ports.limits());
    run_server(&ports.config, &life, listener, router, life.closing.clone())?;
    finish(ports, life).await
}

/// Brings the schema up to date, and ends.
///
/// # Errors
/// What kept it from doing so.
pub async fn migrate(config: Config) -> anyhow::Result<()> {
    let db = open_database(&config).await?;
    db.migrate().await?;
    tracing::info!("the database is up to date");
    db.close().await;
    Ok(())
}

/// Gives an administrator a one-time password, and prints it.
///
/// # Errors
/// When there is no such account, or the database is away.
#[expect(clippy::print_stdout, reason = "the password is what was asked for")]
pub async fn reset_admin_password(
    mut config: Config,
    email: Option<String>,
    data_dir: Option<&Path>,
) -> anyhow::Result<()> {
    let folder = data_dir.map(DataDir::open).transpose()?;
    if let Some(folder) = &folder {
        folder.fill_in(&mut config)?;
    }
    let db = open_database(&config).await?;
    let email = email.unwrap_or_else(|| config.auth.admin_email().to_owned());
    let passwords = Passwords::new(config.auth.bcrypt_cost);
    let reset = trainyard_api::reset_password(&db, &passwords, &config.auth.accounts(), &email).await;
    db.close().await;
    let password = reset?.with_context(|| format!("there is no account with the e-mail address {email}"))?;
    println!("{password}");
    tracing::info!(email, "the password is reset; it signs in once, then set another with `trainyard passwd`");
    Ok(())
}
