//! The domain rules of Trainyard, without I/O and without async.
//!
//! Functions take the time and random draws as arguments, so that tests need no server and no clock.

pub mod access;
pub mod algorithm;
pub mod alias;
pub mod api_key;
pub mod clock;
pub mod dataset;
pub mod field;
pub mod guard;
pub mod identity;
pub mod ids;
pub mod job;
pub mod job_action;
pub mod job_filter;
pub mod log;
pub mod model;
pub mod outcome;
pub mod params;
pub mod promotion;
pub mod schedule;
pub mod session;
pub mod spec;
pub mod table;
pub mod traffic;
pub mod training_memory;
pub mod user;
pub mod webhook;

pub use access::Access;
pub use algorithm::Algorithm;
pub use alias::{AliasMove, MoveCause, MoveReason};
pub use api_key::{ApiKey, ApiKeyGrant, ApiKeyName, ApiKeyRefusal, ApiKeyText};
pub use clock::Clock;
pub use dataset::{ColumnProfile, Dataset, DatasetName, Dtype, IndexedDataset};
pub use field::{FieldError, shown};
pub use guard::{Guard, GuardCounts, GuardLimits, GuardVerdict, Guarded};
pub use identity::{ExternalIdentity, LinkDecision, LinkRules, RoleChange};
pub use ids::{ActionId, ApiKeyId, DatasetId, DeliveryId, GuardId, JobId, ScheduleId, UserId};
pub use job::{Job, JobStatus, PriorityClass};
pub use job_action::{ActionKind, ActionProgress, ActionStatus, JobAction, SkipReason, SkippedJob};
pub use job_filter::{Condition, JobFilter};
pub use log::{LogEntry, LogLevel, LogLine};
pub use model::{ModelName, ModelVersion, PRODUCTION};
pub use outcome::{FailureCode, JobError};
pub use promotion::{AutoPromote, Promotion, PromotionDecision, PromotionMetric};
pub use schedule::{Schedule, ScheduleRun};
pub use spec::{JobKind, JobSpec, Prediction, Training, Work};
pub use table::{
    BooleanForm, CellReading, ColumnSchema, DateOrder, DecimalMark, Delimiter, Header, NumberStyle, TableFormat,
    TableSchema, TaskKind,
};
pub use traffic::Traffic;
pub use user::{Email, Password, Role, User};
