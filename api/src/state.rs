//! The state that all handlers share.

use std::ops::Deref;
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
use crate::action_runner::ActionRunner;
use crate::config::ApiConfig;
use crate::job_lookup::{self, JobLookup};
use crate::job_watcher::JobWatcher;
use crate::session_watcher::SessionWatcher;
use crate::submission::{self, Quota, Submissions};

/// The clients and settings that the API is built from.
#[derive(Clone)]
pub struct Dependencies {
    /// The database.
    pub db: Db,
    /// Delivers job ids to workers.
    pub queue: Queue,
    /// Holds datasets and artifacts.
    pub store: Store,
    /// The time of sessions. Jobs use the database's time.
    pub clock: Clock,
    /// Issues access tokens.
    pub jwt: Arc<Jwt>,
    /// Hashes passwords on blocking threads.
    pub passwords: Arc<Passwords>,
    /// The settings and limits of the API.
    pub config: ApiConfig,
    /// The settings of accounts and sessions.
    pub accounts: AccountsConfig,
    /// Which webhook URLs are accepted.
    pub webhooks: webhook::Rules,
    /// Cancelled when the process stops: long polls are answered at once, event streams end.
    pub stopping: CancellationToken,
}

/// The [`Dependencies`] and limits, shared by all requests. Cloning is cheap.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

struct Shared {
    dependencies: Dependencies,
    submissions: Submissions,
    quota: Arc<Quota>,
    job_lookup: JobLookup,
    uploads: Arc<Semaphore>,
    exports: Arc<Semaphore>,
    long_polls: Semaphore,
    event_streams: Arc<Semaphore>,
    job_watcher: JobWatcher,
    password_checks: PasswordChecks,
    session_watcher: SessionWatcher,
    action_runner: ActionRunner,
}

impl ApiState {
    /// The state of an API. Call it within a Tokio runtime.
    pub fn new(dependencies: Dependencies) -> Self {
        let config = &dependencies.config;
        let quota = Arc::new(Quota::new(config.job_limits()));
        let submissions = submission::start(&dependencies, &quota);
        let uploads = Arc::new(Semaphore::new(dependencies.config.max_concurrent_uploads));
        let exports = Arc::new(Semaphore::new(dependencies.config.max_concurrent_exports));
        let long_polls = Semaphore::new(dependencies.config.max_long_polls);
        let event_streams = Arc::new(Semaphore::new(dependencies.config.max_event_streams));
        let job_watcher = JobWatcher::new(dependencies.db.clone(), dependencies.config.watch_every());
        // The dashboard then shows 0 before the first stream, not a missing series.
        metrics::gauge!(API_EVENT_STREAMS).increment(0.0);
        let job_lookup = job_lookup::start(&dependencies.db);
        let sign_in_limits = SignInLimits::new(dependencies.accounts.sign_in);
        let password_checks =
            PasswordChecks::new(sign_in_limits, dependencies.passwords.clone(), dependencies.clock.clone());
        let session_watcher = SessionWatcher::new(
            dependencies.db.clone(),
            dependencies.clock.clone(),
            dependencies.config.watch_sessions_every(),
        );
        let action_runner = ActionRunner::start(&dependencies);
        Self(Arc::new(Shared {
            dependencies,
            submissions,
            quota,
            job_lookup,
            uploads,
            exports,
            long_polls,
            event_streams,
            job_watcher,
            password_checks,
            session_watcher,
            action_runner,
        }))
    }

    /// Stores new jobs.
    pub(crate) fn submissions(&self) -> &Submissions {
        &self.0.submissions
    }

    /// Reads single jobs.
    pub(crate) fn job_lookup(&self) -> &JobLookup {
        &self.0.job_lookup
    }

    /// The limits on queued and running jobs.
    pub(crate) fn quota(&self) -> &Arc<Quota> {
        &self.0.quota
    }

    /// One permit per upload in progress.
    pub(crate) fn uploads(&self) -> &Arc<Semaphore> {
        &self.0.uploads
    }

    /// One permit per conversion to ONNX in progress.
    pub(crate) fn exports(&self) -> &Arc<Semaphore> {
        &self.0.exports
    }

    /// One permit per event stream in progress.
    pub(crate) fn event_streams(&self) -> &Arc<Semaphore> {
        &self.0.event_streams
    }

    /// Watches jobs for event streams and long polls.
    pub(crate) fn job_watcher(&self) -> &JobWatcher {
        &self.0.job_watcher
    }

    /// Checks the passwords of sign-ins.
    pub(crate) fn password_checks(&self) -> &PasswordChecks {
        &self.0.password_checks
    }

    /// Counts failed sign-ins and sign-ups.
    pub(crate) fn sign_in_limits(&self) -> &SignInLimits {
        self.0.password_checks.limits()
    }

    /// Ends event streams and long polls with their sessions.
    pub(crate) fn session_watcher(&self) -> &SessionWatcher {
        &self.0.session_watcher
    }

    /// Carries out bulk actions.
    pub(crate) fn action_runner(&self) -> &ActionRunner {
        &self.0.action_runner
    }

    /// Whether a caller may read everything in a section.
    pub(crate) fn may_read(&self, principal: &Principal, section: ReadSection) -> bool {
        principal.is_admin() || self.accounts.users_may_read.contains(&section)
    }

    /// One permit per long poll in progress.
    pub(crate) fn long_polls(&self) -> &Semaphore {
        &self.0.long_polls
    }
}

impl Deref for ApiState {
    type Target = Dependencies;
    fn deref(&self) -> &Dependencies {
        &self.0.dependencies
    }
}
