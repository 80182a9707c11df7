//! Sends the webhooks that are due, several at once, until none is left. Goes on beside the rounds of the sweep, which
//! start it again when something is due.
//!
//! Each attempt is a task of its own. An attempt holds a connection while it records its outcome, and on SQLite the right
//! to write; as a future that is polled only between claims, it would keep both while the next claim waits for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use metrics::{counter, histogram};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use trainyard_domain::webhook::{After, Delivery, after};
use trainyard_storage::Db;
use trainyard_telemetry::catalogue;

use super::{Sweep, SweepError};
use crate::webhooks::{Sender, Turns};

/// While something is under way, how often to look for what has become due meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What a leader keeps between rounds.
#[derive(Default)]
pub(super) struct Sending {
    sender: Option<Arc<Sender>>,
    task: Option<AbortOnDropHandle<Result<(), SweepError>>>,
}

/// Starts to send, if something is due and it is not being sent already. Also answers how the last time ended.
pub(super) async fn run(sweep: &mut Sweep) -> Result<(), SweepError> {
    if let Some(task) = sweep.state.sending.task.take_if(|task| task.is_finished()) {
        // A task that panicked has told so itself.
        task.await.unwrap_or(Ok(()))?;
    }
    if sweep.state.sending.task.is_some() {
        return Ok(());
    }
    let mut tx = sweep.db.read().await?;
    let now = tx.now().await?;
    if !tx.webhooks().any_due(now).await? {
        return Ok(());
    }
    drop(tx);
    let sender = match &sweep.state.sending.sender {
        Some(sender) => sender.clone(),
        None => {
            let config = sweep.config.webhooks.clone();
            if config.secret.is_none() {
                return Err(SweepError::NoSecret);
            }
            sweep.state.sending.sender.insert(Arc::new(Sender::new(config)?)).clone()
        }
    };
    sweep.state.sending.task = Some(AbortOnDropHandle::new(tokio::spawn(send_due(sweep.db.clone(), sender))));
    Ok(())
}

/// Keeps up to the configured number of attempts under way. After a failure of the database it starts none, but waits
/// for those under way, so that what the receivers took is recorded where it can be.
async fn send_due(db: Db, sender: Arc<Sender>) -> Result<(), SweepError> {
    let mut attempts = Attempts::new(sender.config.concurrency);
    let mut outcome = Ok(());
    loop {
        while outcome.is_ok() && attempts.turns.free() > 0 {
            match claim(&db, &sender, &attempts.turns).await {
                Ok((_, claimed)) if claimed.is_empty() => break,
                Ok((now, claimed)) => {
                    claimed.into_iter().for_each(|delivery| attempts.begin(&db, &sender, delivery, now));
                }
                Err(error) => outcome = Err(error),
            }
        }
        tokio::select! {
            ended = attempts.tasks.join_next_with_id() => match ended {
                Some(ended) => outcome = outcome.and(attempts.ended(ended)),
                None => return outcome,
            },
            () = sleep(LOOK_AGAIN), if outcome.is_ok() => {}
        }
    }
}

/// The attempts under way.
struct Attempts {
    turns: Turns,
    tasks: JoinSet<Result<(), SweepError>>,
    receivers: HashMap<Id, String>,
}

impl Attempts {
    fn new(concurrency: usize) -> Self {
        Self { turns: Turns::new(concurrency), tasks: JoinSet::new(), receivers: HashMap::new() }
    }

    fn begin(&mut self, db: &Db, sender: &Arc<Sender>, delivery: Delivery, now: DateTime<Utc>) {
        self.turns.begin(&delivery.receiver);
        let (db, sender, receiver) = (db.clone(), Arc::clone(sender), delivery.receiver.clone());
        let task = self.tasks.spawn(async move { send(&db, &sender, &delivery, now).await });
        self.receivers.insert(task.id(), receiver);
    }

    /// What came of recording an attempt. One that panicked has logged so itself; its claim runs out.
    fn ended(&mut self, ended: Result<(Id, Result<(), SweepError>), JoinError>) -> Result<(), SweepError> {
        let (id, recorded) = ended.unwrap_or_else(|panic| (panic.id(), Ok(())));
        if let Some(receiver) = self.receivers.remove(&id) {
            self.turns.end(&receiver);
        }
        recorded
    }
}

/// Claims deliveries, at the database's time.
async fn claim(db: &Db, sender: &Sender, turns: &Turns) -> Result<(DateTime<Utc>, Vec<Delivery>), SweepError> {
    let mut tx = db.begin().await?;
    let now = tx.now().await?;
    let until = now + sender.config.claim_time();
    let limit = i64::try_from(turns.free()).unwrap_or(i64::MAX);
    let claimed = tx.webhooks().claim(now, until, limit, &turns.busy()).await?;
    tx.commit().await?;
    Ok((now, claimed))
}

/// Sends a delivery that was claimed at `now`, and records what came of it. If that can't be recorded, its claim runs out
/// and it is sent again.
async fn send(db: &Db, sender: &Sender, delivery: &Delivery, now: DateTime<Utc>) -> Result<(), SweepError> {
    let started = Instant::now();
    let answer = sender.send(delivery, now).await;
    histogram!(catalogue::WEBHOOKS_DURATION_SECONDS).record(started.elapsed().as_secs_f64());

    let mut tx = db.begin().await?;
    let now = tx.now().await?;
    let next = after(&answer, delivery.attempts, &sender.config.retry_pauses_s.0, now, rand::random());
    let recorded = tx.webhooks().record(delivery.id, delivery.claim, &answer, next, now).await?;
    tx.commit().await?;
    if recorded {
        tell(delivery, next, answer.error.as_deref().unwrap_or_default());
    }
    Ok(())
}

fn tell(delivery: &Delivery, next: After, error: &str) {
    let (webhook_id, job_id, attempt) = (delivery.id, delivery.job_id, delivery.attempts);
    let outcome = match next {
        After::Delivered => {
            tracing::info!(%webhook_id, %job_id, attempt, "webhook delivered");
            "delivered"
        }
        After::Again(at) => {
            tracing::info!(%webhook_id, %job_id, attempt, error, again_at = %at, "webhook not delivered yet");
            "retried"
        }
        After::Failed => {
            tracing::warn!(%webhook_id, %job_id, attempt, error, "webhook given up");
            "failed"
        }
    };
    counter!(catalogue::WEBHOOKS_ATTEMPTS_TOTAL, "outcome" => outcome).increment(1);
}
