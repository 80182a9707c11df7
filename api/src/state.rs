//! What every handler can reach.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use trainyard_artifacts::Store;
use trainyard_domain::access::ReadSection;
use trainyard_domain::{Clock, webhook};
use trainyard_http::Principal;
use trainyard_http::auth::{Jwt, PasswordChecks, Passwords, SignInLimits};
use trainyard_queue::Queue;
use trainyard_storage::Db;
use trainyard_telemetry::catalogue::API_EVENT_STREAMS;

use crate::accounts::AccountsConfig;
use crate::config::ApiConfig;
use crate::hub::Hub;
use crate::looks::{self, Looks};
use crate::session_watch::SessionWatch;
use crate::submission::{self, Quota, Submissions};

/// The ports and settings that the API is built from.
#[derive(Clone)]
pub struct Ports {
    /// The truth.
    pub db: Db,
    /// Carries job ids to workers.
    pub queue: Queue,
    /// Holds data sets and artifacts.
    pub store: Store,
    /// Times sessions. Jobs go by the database's time.
    pub clock: Clock,
    /// Issues access tokens.
    pub jwt: Arc<Jwt>,
    /// Hashes passwords off the async threads.
    pub passwords: Arc<Passwords>,
    /// Every limit.
    pub config: ApiConfig,
    /// Limits on sign-ins, and who may read what.
    pub accounts: AccountsConfig,
    /// Which webhooks are accepted.
    pub webhooks: webhook::Rules,
    /// Uploads and downloads pass through temporary files here; must exist.
    pub work_dir: PathBuf,
    /// Cancelled when the process stops: long polls are answered at once, streams end.
    pub stopping: CancellationToken,
}

/// The [`Ports`], shared by all requests, with what bounds them. Cloning is cheap.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

struct Shared {
    ports: Ports,
    submissions: Submissions,
    quota: Arc<Quota>,
    looks: Looks,
    uploads: Semaphore,
    long_polls: Semaphore,
    event_streams: Arc<Semaphore>,
    hub: Hub,
    password_checks: PasswordChecks,
    sessions: SessionWatch,
}

impl ApiState {
    /// The state of an API over `ports`. Call it within a Tokio runtime.
    pub fn new(ports: Ports) -> Self {
        let config = &ports.config;
        let quota = Arc::new(Quota::new(config.job_limits()));
        let submissions = submission::start(&ports, &quota);
        let uploads = Semaphore::new(ports.config.max_concurrent_uploads);
        let long_polls = Semaphore::new(ports.config.max_long_polls);
        let event_streams = Arc::new(Semaphore::new(ports.config.max_event_streams));
        let hub = Hub::new(ports.db.clone(), ports.config.watch_every());
        // A panel of streams shows none before the first one, not nothing.
        metrics::gauge!(API_EVENT_STREAMS).increment(0.0);
        let looks = looks::start(&ports.db);
        let sign_in_limits = SignInLimits::new(ports.accounts.sign_in);
        let password_checks = PasswordChecks::new(sign_in_limits, ports.passwords.clone(), ports.clock.clone());
        let sessions = SessionWatch::new(ports.db.clone(), ports.clock.clone(), ports.config.watch_sessions_every());
        Self(Arc::new(Shared {
            ports,
            submissions,
            quota,
            looks,
            uploads,
            long_polls,
            event_streams,
            hub,
            password_checks,
            sessions,
        }))
    }

    /// Takes new jobs.
    pub(crate) fn submissions(&self) -> &Submissions {
        &self.0.submissions
    }

    /// Looks at single jobs.
    pub(crate) fn looks(&self) -> &Looks {
        &self.0.looks
    }

    /// How many jobs there may be.
    pub(crate) fn quota(&self) -> &Arc<Quota> {
        &self.0.quota
    }

    /// One permit per upload in progress.
    pub(crate) fn uploads(&self) -> &Semaphore {
        &self.0.uploads
    }

    /// One permit per event stream in progress.
    pub(crate) fn event_streams(&self) -> &Arc<Semaphore> {
        &self.0.event_streams
    }

    /// Watches jobs for streams and long polls.
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Checks the passwords of sign-ins.
    pub(crate) fn password_checks(&self) -> &PasswordChecks {
        &self.0.password_checks
    }

    /// Counts failed sign-ins and sign-ups.
    pub(crate) fn sign_in_limits(&self) -> &SignInLimits {
        self.0.password_checks.limits()
    }

    /// Ends streams and long polls with their sessions.
    pub(crate) fn sessions(&self) -> &SessionWatch {
        &self.0.sessions
    }

    /// Whether a caller may read all of a section.
    pub(crate) fn may_read(&self, principal: &Principal, section: ReadSection) -> bool {
        principal.is_admin() || self.accounts.users_may_read.contains(&section)
    }

    /// One permit per long poll in progress.
    pub(crate) fn long_polls(&self) -> &Semaphore {
        &self.0.long_polls
    }
}

impl Deref for ApiState {
    type Target = Ports;
    fn deref(&self) -> &Ports {
        &self.0.ports
    }
}
