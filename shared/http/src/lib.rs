//! What every HTTP role shares.
//!
//! Handlers are listed in [`routes::Routes`], the one table that names who may call what; around each stand the
//! [`middleware`], the access check of [`auth`], and limits. Handlers read requests with the strict extractors of
//! [`json`], [`query`], [`page`] and [`path`], and refuse with a [`problem::Problem`].

pub mod auth;
pub mod body;
pub mod bounded;
pub mod client_address;
mod encoding;
mod explain;
mod failures;
pub mod json;
mod linger;
pub mod middleware;
pub mod ops;
pub mod page;
pub mod path;
pub mod problem;
pub mod query;
pub mod routes;
pub mod schema;
pub mod serve;
pub mod whole;

pub use auth::{Authenticator, Principal};
pub use client_address::{ClientAddress, TrustedProxies};
pub use json::Json;
pub use page::{List, Page};
pub use path::Path;
pub use problem::{Code, Problem};
pub use query::Query;
pub use routes::{Route, Routes};
