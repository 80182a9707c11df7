//! Sends jobs that are due and not in the queue to the queue, each user's up to the window. The queue knows what it has, so
//! whatever was lost on the way there, or there, is simply sent again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use trainyard_domain::{JobId, PriorityClass, UserId};
use trainyard_queue::{Offered, Ready, Share, Turn};

use super::{Sweep, SweepError};

/// Jobs that become due in one go, and how often in a round: no duty starves the others.
const PROMOTED: i64 = 1_000;
const PROMOTIONS: usize = 20;
/// Between two fillings, while jobs wait for room in a window: how long to begin with, and within which bounds it follows
/// the workers. A filling that finds half a window empty came late, one that finds nothing to do came early.
const PAUSE: Duration = Duration::from_millis(20);
const SHORTEST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(250);

/// Whose jobs of which class.
type Whose = (UserId, PriorityClass);
/// A place in a line: priority and id. `None` is its beginning.
type Place = Option<(i64, JobId)>;
/// The lines that wait for room in their windows, each with where it goes on.
pub(super) type Behind = HashMap<Whose, Place>;

/// Lets jobs whose time has come stand in line.
pub(super) async fn promote(sweep: &Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    for _ in 0..PROMOTIONS {
        let mut tx = sweep.db.act().await?;
        let promoted = tx.jobs().promote_due(now, PROMOTED).await?;
        tx.commit().await?;
        if promoted < PROMOTED.unsigned_abs() {
            break;
        }
    }
    Ok(())
}

/// Reads every line from its beginning, and sends what is not in the queue.
pub(super) async fn run(sweep: &mut Sweep) -> Result<(), SweepError> {
    let mended = sweep.queue.mend().await?;
    if mended > 0 {
        tracing::warn!(classes = mended, "ids were taken out of the queue by somebody else; sending them again");
    }
    let (shares, users) = {
        let shares = sweep.queue.shares().await?;
        let mut tx = sweep.db.glance().await?;
        let users = if tx.jobs().paused().await? { None } else { Some(tx.jobs().waiting_users().await?) };
        tx.commit().await?;
        (shares, users)
    };
    sweep.state.behind.clear();
    let Some(users) = users else { return Ok(()) };
    let waiting = users.into_iter().flat_map(|user| PriorityClass::ALL.map(|class| (user, class)));
    let refused = shares.iter().filter(|share| share.refusals > 0).map(|share| (share.user, share.class));
    let lines = waiting.chain(refused).map(|whose| (whose, None)).collect();
    fill(sweep, lines, shares).await.map(|_| ())
}

/// Fills the windows of the lines that wait again and again, as workers empty them, until `deadline` or until none waits.
pub(super) async fn top_up(sweep: &mut Sweep, deadline: Instant) -> Result<(), SweepError> {
    let half = sweep.config.dispatch_window / 2;
    let mut pause = PAUSE;
    while !sweep.state.behind.is_empty() && Instant::now() + pause < deadline {
        tokio::time::sleep(pause).await;
        let lines = std::mem::take(&mut sweep.state.behind);
        let shares = sweep.queue.shares().await?;
        pause = match fill(sweep, lines, shares).await? {
            0 => (pause * 2).min(LONGEST),
            sent if sent >= half => (pause / 2).max(SHORTEST),
            _ => pause,
        };
    }
    Ok(())
}

/// What was read of one line, and what the queue said to it.
struct Line {
    share: Share,
    /// Where it was read from, then the last job of it up to which all are in the queue.
    reached: Place,
    /// Whether more of it waits than was read.
    more: bool,
    /// Whether the queue had no room for some.
    refused: bool,
}

/// Lines that were read, and their jobs in the order in which they should run: class, place, whose.
#[derive(Default)]
struct Read {
    lines: BTreeMap<(PriorityClass, UserId), Line>,
    jobs: Vec<(PriorityClass, (i64, JobId), UserId)>,
}

/// Sends what `lines` have room for, and notes which of them have to wait; answers how many jobs went.
async fn fill(sweep: &mut Sweep, lines: Behind, shares: Vec<Share>) -> Result<u64, SweepError> {
    let Read { mut lines, jobs } = read(sweep, lines, shares).await?;
    let ready: Vec<_> =
        jobs.iter().map(|(class, (_, job), user)| Ready { job: *job, user: *user, class: *class }).collect();
    let window = sweep.config.dispatch_window;
    let offered = if ready.is_empty() { Vec::new() } else { sweep.queue.offer(&ready, window, Turn::Next).await? };
    let mut sent = 0;
    for ((class, place, user), answer) in jobs.into_iter().zip(offered) {
        let Some(line) = lines.get_mut(&(class, user)) else { continue };
        line.refused |= answer == Offered::Refused;
        if !line.refused {
            line.reached = Some(place);
        }
        sent += u64::from(answer == Offered::Sent);
    }
    let (waits, done): (Vec<_>, Vec<_>) = lines.into_values().partition(|line| line.more || line.refused);
    sweep.state.behind.extend(waits.into_iter().map(|line| ((line.share.user, line.share.class), line.reached)));
    let done: Vec<_> = done.into_iter().map(|line| line.share).filter(|share| share.refusals > 0).collect();
    if !done.is_empty() {
        sweep.queue.caught_up(&done).await?;
    }
    if sent > 0 {
        tracing::debug!(jobs = sent, "sent jobs to the queue");
    }
    Ok(sent)
}

/// Reads of each line what may go next; those for which there is no room, or no time, stay behind.
async fn read(sweep: &mut Sweep, lines: Behind, shares: Vec<Share>) -> Result<Read, SweepError> {
    let shares: HashMap<Whose, Share> = shares.into_iter().map(|share| ((share.user, share.class), share)).collect();
    let share_of = |(user, class): Whose| {
        shares.get(&(user, class)).copied().unwrap_or(Share { user, class, held: 0, refusals: 0 })
    };
    // Who has least in the queue comes first, should there be more than goes in one go.
    let mut lines: Vec<_> = lines.into_iter().map(|(whose, from)| (share_of(whose), from)).collect();
    lines.sort_by_key(|(share, _)| (share.class, share.held, share.user));
    let (window, batch) = (sweep.config.dispatch_window, sweep.config.dispatch_batch);
    let mut read = Read::default();
    let mut tx = sweep.db.glance().await?;
    for (share, from) in lines {
        let free = window.saturating_sub(share.held);
        if read.jobs.len() as u64 >= batch || (free == 0 && from.is_some()) {
            sweep.state.behind.insert((share.user, share.class), from);
            continue;
        }
        // From the beginning, those that are in the queue are read too; one more than fits tells whether more wait.
        let limit = if from.is_some() { free } else { window }.min(batch).saturating_add(1);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let waiting = tx.jobs().next_in_line(share.user, share.class, from, limit).await?;
        let more = i64::try_from(waiting.len()) == Ok(limit);
        read.lines.insert((share.class, share.user), Line { share, reached: from, more, refused: false });
        read.jobs.extend(waiting.into_iter().map(|place| (share.class, place, share.user)));
    }
    tx.commit().await?;
    read.jobs.sort_by_key(|(class, (priority, id), _)| (*class, -priority, *id));
    Ok(read)
}
