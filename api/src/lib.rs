//! The HTTP API role: accounts, data sets, training jobs, the queue, models.
//!
//! [`routes`] lists every route with who may call it. A handler loads, decides by the rules of the domain, saves in one
//! transaction together with its audit record, and only after the commit tells the queue or the object store. It may use
//! everything below HTTP but training; it holds no state of its own.

mod accounts;
mod announce;
pub mod answer;
pub mod audit;
pub mod config;
mod feed;
mod hub;
pub mod idempotency;
mod intake;
mod looks;
mod new_account;
mod objects;
pub mod openapi;
mod recovery;
pub mod routes;
pub mod seed;
mod session;
mod session_watch;
mod sign_in;
pub mod state;
mod submission;
pub mod views;

use trainyard_http::Routes;
use utoipa::openapi::OpenApi;

pub use accounts::{AccountsConfig, Signup};
pub use config::ApiConfig;
pub use openapi::documented;
pub use recovery::reset_password;
pub use seed::{Admin, SeedError, seed_admin, seed_datasets};
pub use state::{ApiState, Ports};

/// Every route of the API, with its access. Give the routes of the whole process to [`documented`].
pub fn routes(state: ApiState) -> Routes {
    routes::table(&state.config, &state.accounts).with_state(state)
}

/// The API's OpenAPI document, made without a database or any settings.
pub fn openapi() -> OpenApi {
    openapi::describe(routes::table(&ApiConfig::default(), &AccountsConfig::default()).openapi())
}
