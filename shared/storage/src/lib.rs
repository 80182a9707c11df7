//! The only crate with SQL, for Postgres and SQLite. Each query is one text for both drivers, except bulk statements, which
//! use arrays on Postgres (`bulk`).
//!
//! A [`Db`] opens a [`Tx`], whose repositories run the queries (`tx.jobs().claim(…)`). [`Tx::commit`] makes the changes
//! durable. State changes are compare-and-sets that return `false` or `None` if another process was first.
//!
//! Every call can fail with [`StorageError::Unavailable`]. `# Errors` sections list further errors only.
//!
//! Not allowed in a query, because one driver lacks it: `FOR UPDATE`, arrays (outside `bulk`), SQL enums, `now()` and
//! intervals (outside the bulk statements of `jobs`), JSON operators, `LISTEN`.

mod api_keys;
mod arguments;
mod audit;
mod batcher;
mod bulk;
mod checkpoints;
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
mod job_actions;
mod jobs;
mod known_addresses;
mod leaders;
mod logs;
mod migrations;
mod models;
mod parse;
mod predictions;
mod queue_history;
mod retention;
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

pub use api_keys::{ApiKeyInsertion, ApiKeys};
pub use audit::{Audit, AuditEntry, AuditFilter, AuditSearch};
pub use batcher::Batcher;
pub use checkpoints::{Checkpoint, Checkpoints, RecordOutcome};
pub use connect::{PoolOptions, check_url};
pub use datasets::{DatasetDeletion, Datasets};
pub use db::Db;
pub use error::{Result, StorageError};
pub use idempotency::{Idempotency, Record};
pub use identities::{Identities, LinkedAccount};
pub use job_actions::{JobActions, MAX_RUNNING_ACTIONS};
pub use jobs::{
    Admission, Cancelled, Expired, ExpiryCursor, FailureCursor, JobBatch, JobCount, JobDemand, JobLimits, JobPage,
    JobRevision, Jobs, QuotaCredit, Renewal, Reservation, Submission,
};
pub use known_addresses::KnownAddresses;
pub use leaders::Leaders;
pub use logs::{LogPage, Logs, NumberedLine};
pub use models::{Model, ModelDeletion, Models, NewVersion, Published, Rollback, ServedVersion, StoredTraffic};
pub use predictions::{PredictionPart, Predictions};
pub use queue_history::{QueueHistory, QueueSample, SAMPLE_INTERVAL, SAMPLES_KEPT, sample_time};
pub use retention::Retention;
pub use schedules::{ScheduleResult, Schedules};
pub use tokens::RefreshTokens;
pub use tx::Tx;
pub use users::{NewPassword, Users};
pub use webhooks::{DeliveryFilter, MAX_BUSY, Webhooks};
pub use workers::{LiveWorker, WorkerRow, Workers};
