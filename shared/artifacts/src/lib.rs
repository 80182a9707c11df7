//! Data sets and model artifacts in an object store: a local folder, or S3 and what speaks like it.
//!
//! Every object has a typed [`Key`] and a SHA-256 that its reader knows from the database; what is read is checked against
//! it before anybody sees it, so a truncated or altered object is an error, never a model. The only crate that knows
//! `object_store`.

mod digest;
mod error;
mod key;
mod open;
mod read;
mod store;
mod write;

pub use error::{ArtifactError, Result};
pub use key::{BadKey, Key};
pub use store::{Store, Stored};
