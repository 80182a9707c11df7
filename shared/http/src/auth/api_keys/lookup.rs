//! Looks up keys that are not cached.
//!
//! Requests with invented keys must not reach the database one by one. Concurrent lookups share a query, the number of
//! waiting lookups is limited, and after a query with an unknown key the next one waits for [`PAUSE`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};
use trainyard_storage::{Batcher, Db, Result, StorageError};
use trainyard_telemetry::catalogue::AUTH_API_KEY_QUERIES_TOTAL;

use super::cache::KeyState;
use super::{ApiKeyHash, QUERY_TIMEOUT};
use crate::problem::{Code, Problem};

/// Maximum number of keys in a query.
const MAX_BATCH: usize = 256;
/// Maximum number of lookups that wait or run.
const MAX_LOOKUPS: usize = 1_024;
/// Time between the end of a query with an unknown key and the start of the next one. A flood of invented keys thus causes at
/// most twenty queries a second, because two batches may run at the same time.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Lookups {
    batches: Batcher<ApiKeyHash, KeyState>,
    permits: Semaphore,
}

impl Lookups {
    pub(super) fn start(db: Db) -> Self {
        let pause = Arc::new(Pause::default());
        let batches = Batcher::start(MAX_BATCH, move |hashes| batch(db.clone(), Arc::clone(&pause), hashes));
        Self { batches, permits: Semaphore::new(MAX_LOOKUPS) }
    }

    /// The state of the key with this hash.
    ///
    /// # Errors
    /// 503 while the database is unavailable, or too many lookups wait.
    pub(super) async fn find(&self, hash: ApiKeyHash) -> std::result::Result<KeyState, Problem> {
        let busy = || Problem::new(Code::Unavailable, "too many unknown API keys are checked now; try again shortly");
        let _permit = self.permits.try_acquire().map_err(|_| busy())?;
        Ok(self.batches.call(hash).await?)
    }
}

async fn batch(db: Db, pause: Arc<Pause>, hashes: Vec<ApiKeyHash>) -> Result<Vec<KeyState>> {
    pause.wait().await;
    metrics::counter!(AUTH_API_KEY_QUERIES_TOTAL).increment(1);
    let read = timeout(QUERY_TIMEOUT, read(&db, &hashes)).await;
    let states = read.unwrap_or_else(|slow| Err(StorageError::Unavailable(slow.into())))?;
    if states.iter().any(|state| state.grant.is_none()) {
        pause.begin();
    }
    Ok(states)
}

async fn read(db: &Db, hashes: &[ApiKeyHash]) -> Result<Vec<KeyState>> {
    let mut distinct = hashes.to_vec();
    distinct.sort();
    distinct.dedup();
    let texts: Vec<String> = distinct.iter().map(ToString::to_string).collect();
    let read_at = Instant::now();
    let mut tx = db.read().await?;
    // The transaction is a snapshot, so the revision belongs to the keys.
    let revision = tx.models().revision().await?;
    let found: HashMap<_, _> = tx.api_keys().by_hashes(&texts).await?.into_iter().collect();
    // A commit returns the connection to the pool for reuse.
    tx.commit().await?;
    let state = |hash: &ApiKeyHash| KeyState { grant: found.get(&hash.to_string()).cloned(), revision, read_at };
    Ok(hashes.iter().map(state).collect())
}

/// The earliest start of the next query.
#[derive(Debug, Default)]
struct Pause(Mutex<Option<Instant>>);

impl Pause {
    async fn wait(&self) {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until {
            sleep_until(until).await;
        }
    }

    fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
    }
}
