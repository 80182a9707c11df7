//! The components of the roles. Each function starts one component and ties it to the lifecycle of the process.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::{TcpListener, TcpSocket, lookup_host};
use tokio_util::sync::CancellationToken;
use trainyard_api::{Admin, ApiState, SeedError};
use trainyard_domain::ids::uuid_at;
use trainyard_http::Authenticator;
use trainyard_http::auth::{Issuers, Jwt};
use trainyard_http::ops::{Check, CheckError};
use trainyard_http::serve::{Exempt, ServeLimits, serve};
use trainyard_inference::{Inference, InferenceDeps};
use trainyard_worker::{Health, SweepDeps};

use crate::allocator;
use crate::config::{Config, ConfigError};
use crate::data_dir::random_text;
use crate::lifecycle::Lifecycle;
use crate::open_files;
use crate::wiring::Dependencies;

/// Maximum number of connections of a listener that wait to be accepted; `net.core.somaxconn` is a limit, too. The kernel drops
/// the first packet of a further connection, and its client repeats the packet after a second.
const BACKLOG: u32 = 4_096;
/// Time that stopping may take in addition to the grace periods.
const STOP_MARGIN: Duration = Duration::from_secs(20);

/// Binds the listener of a role.
pub async fn bind(deps: &Dependencies, role: &'static str) -> anyhow::Result<TcpListener> {
    let listener = bind_to(&deps.config.server.listen, "--listen").await?;
    deps.metrics.record_build(role, env!("CARGO_PKG_VERSION"));
    tracing::info!(role, address = %listener.local_addr()?, "listening");
    Ok(listener)
}

/// Binds the gRPC listener of the inference role, if the settings have one.
pub async fn bind_grpc(deps: &Dependencies) -> anyhow::Result<Option<TcpListener>> {
    let address = &deps.config.inference.grpc_listen;
    if address.is_empty() {
        return Ok(None);
    }
    let listener = bind_to(address, "inference.grpc_listen").await?;
    tracing::info!(address = %listener.local_addr()?, "listening for gRPC");
    Ok(Some(listener))
}

async fn bind_to(address: &str, setting: &str) -> anyhow::Result<TcpListener> {
    listen(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("{address} is already in use; choose another address with {setting}")
        }
        _ => anyhow::anyhow!("can't listen on {address}: {error}"),
    })
}

/// Listens on the first address that `address` resolves to and that is free.
async fn listen(address: &str) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for address in lookup_host(address).await? {
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As in `TcpListener::bind`: a restarted process must not wait until the old connections of the port have timed out.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Starts the lifecycle of a process.
pub fn start_lifecycle(config: &Config) -> anyhow::Result<Lifecycle> {
    open_files::raise_limit();
    Ok(Lifecycle::until_signalled(Duration::from_secs(config.server.drain_delay_s))?)
}

/// Runs the server until `close` is cancelled, then waits for requests in flight. The returned token is cancelled when the
/// last one has been answered.
///
/// # Errors
/// If a trusted proxy is not a network.
pub fn run_server(
    config: &Config,
    lifecycle: &Lifecycle,
    listener: TcpListener,
    router: Router,
    close: CancellationToken,
) -> anyhow::Result<CancellationToken> {
    let grace = Duration::from_secs(config.server.shutdown_grace_s);
    let proxies = config.server.trusted_proxies().map_err(ConfigError)?;
    let router = proxies.layer(router);
    // One proxy has the connections of many clients.
    let exempt = Exempt::when(move |address| proxies.contains(address));
    let limits = ServeLimits { exempt, ..config.server.connections() };
    open_files::warn_if_fewer_than(limits.max_connections);
    let answered = CancellationToken::new();
    let end = answered.clone().drop_guard();
    lifecycle.run("server", async move {
        let outcome = serve(listener, router, close, grace, limits).await;
        drop(end);
        Ok(outcome?)
    });
    Ok(answered)
}

/// Runs the gRPC server of the inference role if there is a listener for it. See [`run_server`].
///
/// # Errors
/// If a trusted proxy is not a network.
pub fn run_grpc(
    deps: &Dependencies,
    lifecycle: &Lifecycle,
    inference: &Inference,
    authenticator: Authenticator,
    listener: Option<TcpListener>,
) -> anyhow::Result<Option<CancellationToken>> {
    let Some(listener) = listener else { return Ok(None) };
    let router = inference.grpc_routes()?.into_router(authenticator, deps.limits());
    run_server(&deps.config, lifecycle, listener, router, lifecycle.closing.clone()).map(Some)
}

/// Ends the tasks of the inference role when each of its servers has `answered` its last request: the request log contains all
/// requests.
pub fn finish_inference(
    lifecycle: &Lifecycle,
    inference: Inference,
    answered: impl IntoIterator<Item = CancellationToken>,
) {
    let answered: Vec<_> = answered.into_iter().collect();
    lifecycle.run("inference", async move {
        for server in answered {
            server.cancelled().await;
        }
        inference.stopped().await;
        Ok(())
    });
}

/// Runs a worker until the process stops. The returned token is cancelled when the worker has ended and the listener
/// should close: until then health and metrics are served.
pub fn run_worker(deps: &Dependencies, lifecycle: &Lifecycle, health: Health) -> anyhow::Result<CancellationToken> {
    let (worker_deps, config) = (deps.worker_deps()?, deps.config.worker.clone());
    let (stopping, closing, close_server) =
        (lifecycle.stopping.clone(), lifecycle.closing.clone(), CancellationToken::new());
    let close_after_worker = close_server.clone();
    lifecycle.run("worker", async move {
        let ended = CancellationToken::new();
        let end = ended.clone().drop_guard();
        tokio::spawn(async move {
            ended.cancelled().await;
            closing.cancelled().await;
            close_after_worker.cancel();
        });
        let outcome = trainyard_worker::run(worker_deps, config, stopping, health).await;
        drop(end);
        outcome
    });
    Ok(close_server)
}

/// Runs the sweep until the process stops. One process at a time is the leader.
pub fn run_sweep(deps: &Dependencies, lifecycle: &Lifecycle) {
    let owner = uuid_at(deps.clock.now()).to_string();
    let config = deps.config.sweep.clone();
    let sweep_deps = SweepDeps {
        db: deps.db.clone(),
        queue: deps.queue.clone(),
        store: deps.store.clone(),
        clock: deps.clock.clone(),
        webhooks: deps.config.webhooks.clone(),
        job_limits: deps.config.api.job_limits(),
    };
    let stopping = lifecycle.stopping.clone();
    lifecycle.run("sweep", async move {
        trainyard_worker::sweep::run(sweep_deps, config, owner, stopping).await;
        Ok(())
    });
}

/// Starts the inference role, which begins to load models.
pub fn start_inference(
    deps: &Dependencies,
    lifecycle: &Lifecycle,
    jwt: Arc<Jwt>,
    issuers: Arc<Issuers>,
) -> anyhow::Result<Inference> {
    let inference_deps = InferenceDeps {
        db: deps.db.clone(),
        queue: deps.queue.clone(),
        store: deps.store.clone(),
        clock: deps.clock.clone(),
        jwt,
        issuers,
        stopping: lifecycle.stopping.clone(),
        return_free_memory: allocator::return_free_memory,
    };
    let config = deps.config.inference.clone();
    let folder = config.cache_dir.clone();
    Inference::start(inference_deps, config, lifecycle.closing.clone())
        .with_context(|| format!("inference.cache_dir: can't use {}", folder.display()))
}

/// Liveness of a worker: it polls its queue and renews its leases.
pub fn worker_liveness(config: &Config, health: Health) -> Check {
    let limit = Duration::from_secs(config.worker.unhealthy_after_s);
    Check::new("worker", true, Duration::from_secs(1), move || {
        let alive = health.check(limit);
        async move { alive.map_err(|stalled| CheckError::new("a loop of the worker has stalled", stalled)) }
    })
}

/// What is known of the administrator's password after the start.
pub enum AdminPassword {
    /// This start generated the password.
    Generated(String),
    /// The password of the settings is valid.
    Configured,
    /// The account has another password.
    Unknown,
}

/// Creates the built-in datasets, and the administrator's account if there is none. `generate_admin` allows an
/// administrator with a random password.
pub async fn seed(deps: &Dependencies, state: &ApiState, generate_admin: bool) -> anyhow::Result<AdminPassword> {
    trainyard_api::seed_datasets(state).await?;
    let auth = &deps.config.auth;
    if auth.admin_password.is_empty() && !generate_admin && !auth.skip_auth {
        return match auth.admin_email.as_str() {
            "" => Ok(AdminPassword::Unknown),
            _ => Err(ConfigError("auth.admin_email is set without auth.admin_password (ADMIN_PASSWORD)".into()).into()),
        };
    }
    let generated = auth.admin_password.is_empty().then(|| random_text(20));
    let password = generated.as_deref().unwrap_or(&auth.admin_password);
    match trainyard_api::seed_admin(state, auth.admin_email(), password).await {
        Ok(Admin::Created) => Ok(generated.map_or(AdminPassword::Configured, AdminPassword::Generated)),
        Ok(Admin::Kept) if generated.is_none() => Ok(AdminPassword::Configured),
        Ok(Admin::KeptOtherPassword) if generated.is_none() => {
            let email = auth.admin_email();
            tracing::warn!(
                email,
                "auth.admin_password (ADMIN_PASSWORD) differs from the password of this account and is ignored; change the password \
                 with `trainyard passwd`, or replace a forgotten password with `trainyard reset-admin-password`"
            );
            Ok(AdminPassword::Unknown)
        }
        Ok(Admin::Kept | Admin::KeptOtherPassword) => Ok(AdminPassword::Unknown),
        Err(error @ (SeedError::Email(_) | SeedError::Password(_))) => Err(ConfigError(error.to_string()).into()),
        Err(error) => Err(error.into()),
    }
}

/// Waits for the components, then closes the database.
pub async fn finish(deps: Dependencies, lifecycle: Lifecycle) -> anyhow::Result<()> {
    let config = &deps.config;
    let (server, worker) = (&config.server, &config.worker);
    let limits = Duration::from_secs(server.drain_delay_s + server.shutdown_grace_s + worker.grace_s);
    let outcome = lifecycle.finish(limits + STOP_MARGIN).await;
    deps.db.close().await;
    outcome
}
