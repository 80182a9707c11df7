//! Datasets and model artifacts in an object store: a local folder, or S3 and compatible services.
//!
//! Every object has a typed [`Key`]. The database has its SHA-256, which every full read verifies before it returns data.
//! Only this crate uses `object_store`.

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
