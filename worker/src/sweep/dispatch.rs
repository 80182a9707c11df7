//! Enqueues due jobs that are not in the queue, for each user up to the window. The queue tracks its ids, so lost ids are
//! enqueued again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use trainyard_domain::{JobId, PriorityClass, UserId};
use trainyard_queue::{EnqueueFrom, Enqueued, ReadyJob, UserWindow};

use super::{Sweep, SweepError};

/// Most jobs that become due per statement, and most statements per round, so that the other duties are not delayed.
const PROMOTE_BATCH: i64 = 1_000;
const MAX_PROMOTE_BATCHES: usize = 20;
/// The first pause between two fills while jobs wait for room in a window, and its bounds. The pause is halved when half a
/// window was free, and doubled when nothing was enqueued.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const MIN_PAUSE: Duration = Duration::from_millis(2);
const MAX_PAUSE: Duration = Duration::from_millis(250);

type UserClass = (UserId, PriorityClass);
/// A position in the order of waiting jobs: priority and id. `None` is the start.
type Position = Option<(i64, JobId)>;
/// Users and classes with jobs that wait for room, and the position to continue from.
pub(super) type Backlog = HashMap<UserClass, Position>;

/// Marks jobs as due whose time has come.
pub(super) async fn promote(sweep: &Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    for _ in 0..MAX_PROMOTE_BATCHES {
        let mut tx = sweep.db.write_autocommit().await?;
        let promoted = tx.jobs().promote_due(now, PROMOTE_BATCH).await?;
        tx.commit().await?;
        if promoted < PROMOTE_BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(())
}

/// Reads the waiting jobs of every user from the start, and enqueues the missing ones.
pub(super) async fn run(sweep: &mut Sweep) -> Result<(), SweepError> {
    let repaired = sweep.queue.repair().await?;
    if repaired > 0 {
        tracing::warn!(classes = repaired, "keys of the queue were deleted or evicted; enqueueing the jobs again");
    }
    let (windows, users) = {
        let windows = sweep.queue.user_windows().await?;
        let mut tx = sweep.db.read_autocommit().await?;
        let users = if tx.jobs().paused().await? { None } else { Some(tx.jobs().users_with_due_jobs().await?) };
        tx.commit().await?;
        (windows, users)
    };
    sweep.state.backlog.clear();
    let Some(users) = users else { return Ok(()) };
    let waiting = users.into_iter().flat_map(|user| PriorityClass::ALL.map(|class| (user, class)));
    let refused = windows.iter().filter(|window| window.refusals > 0).map(|window| (window.user, window.class));
    let backlog = waiting.chain(refused).map(|user_class| (user_class, None)).collect();
    fill(sweep, backlog, windows).await.map(|_| ())
}

/// Fills windows repeatedly, as workers claim jobs, until `deadline` or until no job waits.
pub(super) async fn top_up(sweep: &mut Sweep, deadline: Instant) -> Result<(), SweepError> {
    let half = sweep.config.dispatch_window / 2;
    let mut pause = FIRST_PAUSE;
    while !sweep.state.backlog.is_empty() && Instant::now() + pause < deadline {
        tokio::time::sleep(pause).await;
        let backlog = std::mem::take(&mut sweep.state.backlog);
        let windows = sweep.queue.user_windows().await?;
        pause = match fill(sweep, backlog, windows).await? {
            0 => (pause * 2).min(MAX_PAUSE),
            added if added >= half => (pause / 2).max(MIN_PAUSE),
            _ => pause,
        };
    }
    Ok(())
}

/// The waiting jobs of one user and class.
struct UserJobs {
    window: UserWindow,
    /// The position of the read, then of the last job before which all jobs are enqueued.
    position: Position,
    /// Whether more jobs wait than were read.
    has_more: bool,
    /// Whether the queue refused a job.
    refused: bool,
}

/// The read jobs, in the order in which they should run: class, position, user.
#[derive(Default)]
struct Read {
    users: BTreeMap<(PriorityClass, UserId), UserJobs>,
    jobs: Vec<(PriorityClass, (i64, JobId), UserId)>,
}

/// Enqueues jobs of the backlog up to the windows, keeps the rest in the backlog, and returns the number of added jobs.
async fn fill(sweep: &mut Sweep, backlog: Backlog, windows: Vec<UserWindow>) -> Result<u64, SweepError> {
    let Read { mut users, jobs } = read(sweep, backlog, windows).await?;
    let ready: Vec<_> =
        jobs.iter().map(|(class, (_, job), user)| ReadyJob { job: *job, user: *user, class: *class }).collect();
    let results = match ready.as_slice() {
        [] => Vec::new(),
        ready => sweep.queue.enqueue(ready, sweep.config.dispatch_window, EnqueueFrom::Sweep).await?,
    };
    let mut added = 0;
    for ((class, position, user), result) in jobs.into_iter().zip(results) {
        let Some(jobs) = users.get_mut(&(class, user)) else { continue };
        jobs.refused |= result == Enqueued::Refused;
        if !jobs.refused {
            jobs.position = Some(position);
        }
        added += u64::from(result == Enqueued::Added);
    }
    let (waiting, done): (Vec<_>, Vec<_>) = users.into_values().partition(|jobs| jobs.has_more || jobs.refused);
    let waiting = waiting.into_iter().map(|jobs| ((jobs.window.user, jobs.window.class), jobs.position));
    sweep.state.backlog.extend(waiting);
    let done: Vec<_> = done.into_iter().map(|jobs| jobs.window).filter(|window| window.refusals > 0).collect();
    if !done.is_empty() {
        sweep.queue.clear_refusals(&done).await?;
    }
    if added > 0 {
        tracing::debug!(jobs = added, "enqueued jobs");
    }
    Ok(added)
}

/// Reads the next jobs of each user. Users without room in the window, or beyond the batch, stay in the backlog.
async fn read(sweep: &mut Sweep, backlog: Backlog, windows: Vec<UserWindow>) -> Result<Read, SweepError> {
    let windows: HashMap<UserClass, UserWindow> =
        windows.into_iter().map(|window| ((window.user, window.class), window)).collect();
    let window_of = |(user, class): UserClass| {
        windows.get(&(user, class)).copied().unwrap_or(UserWindow { user, class, enqueued: 0, refusals: 0 })
    };
    // Users with the fewest enqueued jobs come first, in case the batch is too small for all.
    let mut users: Vec<_> = backlog.into_iter().map(|(user_class, from)| (window_of(user_class), from)).collect();
    users.sort_by_key(|(window, _)| (window.class, window.enqueued, window.user));
    let (size, batch) = (sweep.config.dispatch_window, sweep.config.dispatch_batch);
    let mut read = Read::default();
    let mut tx = sweep.db.read_autocommit().await?;
    for (window, from) in users {
        let free = size.saturating_sub(window.enqueued);
        if read.jobs.len() as u64 >= batch || (free == 0 && from.is_some()) {
            sweep.state.backlog.insert((window.user, window.class), from);
            continue;
        }
        // A read from the start includes enqueued jobs. One job beyond the room shows whether more jobs wait.
        let limit = if from.is_some() { free } else { size }.min(batch).saturating_add(1);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let waiting = tx.jobs().next_jobs(window.user, window.class, from, limit).await?;
        let has_more = i64::try_from(waiting.len()) == Ok(limit);
        let jobs = UserJobs { window, position: from, has_more, refused: false };
        read.users.insert((window.class, window.user), jobs);
        read.jobs.extend(waiting.into_iter().map(|position| (window.class, position, window.user)));
    }
    tx.commit().await?;
    read.jobs.sort_by_key(|(class, (priority, id), _)| (*class, -priority, *id));
    Ok(read)
}
