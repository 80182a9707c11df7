//! The parts that roles are put together from; each starts one thing and ties it to the process's life.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use trainyard_api::{Admin, ApiState, SeedError};
use trainyard_domain::ids::uuid_at;
use trainyard_http::auth::{Issuers, Jwt};
use trainyard_http::ops::{Check, CheckError};
use trainyard_http::serve::{Exempt, ServeLimits, serve_with};
use trainyard_inference::{Inference, InferenceDeps};
use trainyard_worker::{Health, SweepConfig};

use crate::config::{Config, ConfigError};
use crate::data_dir::random_text;
use crate::lifecycle::Lifecycle;
use crate::open_files;
use crate::wiring::Ports;

/// What stopping may take beyond the limits of its parts.
const STOP_MARGIN: Duration = Duration::from_secs(20);

/// Takes the address before anything is promised on it.
pub async fn bind(ports: &Ports, role: &'static str) -> anyhow::Result<TcpListener> {
    let address = &ports.config.server.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!("{address} is in use; choose another with --listen"),
        _ => anyhow::anyhow!("can't listen on {address}: {error}"),
    })?;
    ports.metrics.tell_build(role, env!("CARGO_PKG_VERSION"));
    tracing::info!(role, address = %listener.local_addr()?, "listening");
    Ok(listener)
}

/// The life of a process with these settings.
pub fn life(config: &Config) -> anyhow::Result<Lifecycle> {
    open_files::raise_limit();
    Ok(Lifecycle::until_signalled(Duration::from_secs(config.server.drain_delay_s))?)
}

/// Serves until `close`, then lets requests in flight finish.
///
/// # Errors
/// For a proxy that is no network.
pub fn run_server(
    config: &Config,
    life: &Lifecycle,
    listener: TcpListener,
    router: Router,
    close: CancellationToken,
) -> anyhow::Result<()> {
    let grace = Duration::from_secs(config.server.shutdown_grace_s);
    let proxies = config.server.trusted_proxies()?;
    let router = proxies.layer(router);
    // A proxy forwards for many clients.
    let exempt = Exempt::when(move |address| proxies.contains(address));
    let limits = ServeLimits { exempt, ..config.server.connections() };
    open_files::warn_if_fewer_than(limits.max_connections);
    life.run("server", async move { Ok(serve_with(listener, router, close, grace, limits).await?) });
    Ok(())
}

/// Runs a worker until the process stops. The answer is cancelled when the process is closing and the worker has ended:
/// until then there is something to see of it.
pub fn run_worker(ports: &Ports, life: &Lifecycle, health: Health) -> anyhow::Result<CancellationToken> {
    let (deps, config) = (ports.worker_deps()?, ports.config.worker.clone());
    let (stopping, closing, gone) = (life.stopping.clone(), life.closing.clone(), CancellationToken::new());
    let gone_with_worker = gone.clone();
    life.run("worker", async move {
        let ended = CancellationToken::new();
        let end = ended.clone().drop_guard();
        tokio::spawn(async move {
            ended.cancelled().await;
            closing.cancelled().await;
            gone_with_worker.cancel();
        });
        let outcome = trainyard_worker::run(deps, config, stopping, health).await;
        drop(end);
        outcome
    });
    Ok(gone)
}

/// Offers to do the queue's housekeeping until the process stops.
pub fn run_sweep(ports: &Ports, life: &Lifecycle) {
    let owner = uuid_at(ports.clock.now()).to_string();
    let (db, queue, store) = (ports.db.clone(), ports.queue.clone(), ports.store.clone());
    let webhooks = ports.config.webhooks.clone();
    let (clock, config) = (
        ports.clock.clone(),
        SweepConfig { webhooks, job_limits: ports.config.api.job_limits(), ..ports.config.sweep.clone() },
    );
    let stopping = life.stopping.clone();
    life.run("sweep", async move {
        trainyard_worker::sweep::run(db, queue, store, clock, config, owner, stopping).await;
        Ok(())
    });
}

/// Starts to load what should be served.
pub fn start_inference(
    ports: &Ports,
    life: &Lifecycle,
    jwt: Arc<Jwt>,
    issuers: Arc<Issuers>,
) -> anyhow::Result<Inference> {
    let deps = InferenceDeps {
        db: ports.db.clone(),
        queue: ports.queue.clone(),
        store: ports.store.clone(),
        clock: ports.clock.clone(),
        jwt,
        issuers,
        cache_dir: ports.config.worker.work_dir.join("models"),
    };
    Ok(Inference::start(deps, ports.config.inference.clone(), life.closing.clone())?)
}

/// Liveness of a worker: it still polls its queue and renews its leases.
pub fn turning(config: &Config, health: Health) -> Check {
    let limit = Duration::from_secs(config.worker.unhealthy_after_s);
    Check::new("worker", true, Duration::from_secs(1), move || {
        let turning = health.check(limit);
        async move { turning.map_err(|silent| CheckError::new("a loop of the worker no longer comes round", silent)) }
    })
}

/// What is known of the administrator's password after the start.
pub enum AdminPassword {
    /// It was made up just now.
    MadeUp(String),
    /// It is the one in the settings.
    AsSet,
    /// It is another one, set earlier.
    Unknown,
}

/// Makes the built-in data sets, and the administrator's account if there is none yet. `make_up` allows an
/// administrator who is not in the settings, with a random password.
pub async fn seed(ports: &Ports, state: &ApiState, make_up: bool) -> anyhow::Result<AdminPassword> {
    trainyard_api::seed_datasets(state).await?;
    let auth = &ports.config.auth;
    if auth.admin_password.is_empty() && !make_up && !auth.skip_auth {
        return match auth.admin_email.as_str() {
            "" => Ok(AdminPassword::Unknown),
            _ => Err(ConfigError("auth.admin_email is set without auth.admin_password (ADMIN_PASSWORD)".into()).into()),
        };
    }
    let made_up = auth.admin_password.is_empty().then(|| random_text(20));
    let password = made_up.as_deref().unwrap_or(&auth.admin_password);
    match trainyard_api::seed_admin(state, auth.admin_email(), password).await {
        Ok(Admin::Created) => Ok(made_up.map_or(AdminPassword::AsSet, AdminPassword::MadeUp)),
        Ok(Admin::Kept) if made_up.is_none() => Ok(AdminPassword::AsSet),
        Ok(Admin::KeptOtherPassword) if made_up.is_none() => {
            let email = auth.admin_email();
            tracing::warn!(
                email,
                "auth.admin_password (ADMIN_PASSWORD) is not the password of this account, which keeps its own; change it \
                 with `trainyard passwd`, or replace a forgotten one with `trainyard reset-admin-password`"
            );
            Ok(AdminPassword::Unknown)
        }
        Ok(Admin::Kept | Admin::KeptOtherPassword) => Ok(AdminPassword::Unknown),
        Err(error @ (SeedError::Email(_) | SeedError::Password(_))) => Err(ConfigError(error.to_string()).into()),
        Err(error) => Err(error.into()),
    }
}

/// Waits for the end, in order: the parts, then the database.
pub async fn finish(ports: Ports, life: Lifecycle) -> anyhow::Result<()> {
    let config = &ports.config;
    let (server, worker) = (&config.server, &config.worker);
    let limits = Duration::from_secs(server.drain_delay_s + server.shutdown_grace_s + worker.grace_s);
    let outcome = life.finish(limits + STOP_MARGIN).await;
    ports.db.close().await;
    outcome
}
