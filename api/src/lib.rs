//! The HTTP API role: accounts, datasets, training jobs, the queue, models.
//!
//! [`routes`] lists every route with its access. A handler reads, applies the rules of the domain, and writes in one
//! transaction together with the audit record. Queue and object store change after the commit. Handlers keep no state.

mod accounts;
mod action_runner;
mod announce;
mod artifact_file;
pub mod audit;
pub mod config;
mod dataset_upload;
mod event_stream;
pub mod idempotency;
mod job_lookup;
mod job_watcher;
mod model_card;
mod new_account;
mod objects;
mod onnx_export;
pub mod openapi;
mod recovery;
pub mod response;
pub mod routes;
pub mod schemas;
pub mod seed;
mod session;
mod session_watcher;
mod sign_in;
pub mod state;
mod submission;

use trainyard_http::Routes;
use utoipa::openapi::OpenApi;

pub use accounts::{AccountsConfig, Signup};
pub use config::ApiConfig;
pub use openapi::with_documentation;
pub use recovery::reset_password;
pub use seed::{Admin, SeedError, seed_admin, seed_datasets};
pub use state::{ApiState, Dependencies};

/// Every route of the API, with its access. Pass all routes of the process to [`with_documentation`].
pub fn routes(state: ApiState) -> Routes {
    routes::table(&state.config, &state.accounts).with_state(state)
}

/// The OpenAPI document of the API with these settings.
pub fn openapi(config: &ApiConfig, accounts: &AccountsConfig) -> OpenApi {
    openapi::describe(routes::table(config, accounts).openapi())
}
