//! The HTTP layer that all roles share.
//!
//! [`routes::Routes`] lists every handler with its access. The [`middleware`], the access check of [`auth`] and the limits
//! run around each handler; [`in_flight`] refuses requests of overloaded routes before both. Handlers read requests with the strict extractors of [`json`], [`query`], [`page`] and
//! [`path`], and refuse requests with a [`problem::Problem`].

pub mod auth;
pub mod body;
pub mod bounded;
pub mod client_address;
mod deadline;
mod encoding;
mod error_mapping;
pub mod grpc;
pub mod in_flight;
pub mod integer;
pub mod json;
pub mod middleware;
pub mod ops;
pub mod page;
pub mod path;
pub mod problem;
pub mod query;
pub mod routes;
pub mod schema;
mod serde_message;
pub mod serve;
mod server_config;
mod unread_body;

pub use auth::{Authenticator, Principal};
pub use client_address::{ClientAddress, TrustedProxies};
pub use deadline::Deadline;
pub use in_flight::{InFlightLimit, InFlightPermit};
pub use json::Json;
pub use page::{List, Page};
pub use path::Path;
pub use problem::{Code, Problem};
pub use query::Query;
pub use routes::{Route, Routes};
pub use server_config::{Mode, ServerConfig};
