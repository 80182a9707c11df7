//! The only crate with SQL: every query is one text that runs on Postgres and on SQLite, but for those about many items
//! at once, which Postgres gets as arrays (`rows`).
//!
//! Callers hold a [`Db`], open a [`Tx`] and speak to its repositories (`tx.jobs().claim(…)`); nothing lasts until
//! [`Tx::commit`]. What differs between the drivers is told apart in `connect`, `session`, `db`, `tx`, `sql` and `rows`
//! alone. State changes are compare-and-sets that answer `false` or `None` when somebody else was first.
//!
//! Not allowed in a query, because one of the two drivers lacks it: `FOR UPDATE`, arrays (outside `rows`), SQL enums,
//! `now()` and intervals (outside `jobs`' statements about many runs), JSON operators, `LISTEN`.

mod audit;
mod coalesce;
mod connect;
mod datasets;
mod db;
mod demotion;
mod disk_faults;
mod error;
mod fault;
mod from_row;
mod health;
mod idempotency;
mod identities;
mod jobs;
mod known_addresses;
mod leaders;
mod logs;
mod migrations;
mod models;
mod read_back;
mod retention;
mod rows;
mod schedules;
mod session;
mod sql;
mod sqlite_session;
mod stored;
mod tokens;
mod tx;
mod users;
mod webhooks;
mod workers;

pub use audit::{Audit, AuditEntry};
pub use coalesce::Coalesce;
pub use connect::{PoolOptions, check_url};
pub use datasets::{DatasetDeletion, Datasets};
pub use db::Db;
pub use error::{Result, StorageError};
pub use idempotency::{Idempotency, Record};
pub use identities::{Identities, LinkedAccount};
pub use jobs::{
    Admission, Cancelled, ExpiryMark, JobBatch, JobDemand, JobFilter, JobHead, JobLimits, Jobs, Renewal, Submission,
};
pub use known_addresses::KnownAddresses;
pub use leaders::Leaders;
pub use logs::{LogPage, Logs, NumberedLine};
pub use models::{Model, ModelDeletion, Models, NewVersion, ServedVersion};
pub use retention::Retired;
pub use schedules::{Fired, Schedules};
pub use tokens::RefreshTokens;
pub use tx::Tx;
pub use users::{NewPassword, Users};
pub use webhooks::{DeliveryFilter, MAX_BUSY, Webhooks};
pub use workers::{LiveWorker, WorkerRow, Workers};
