//! Which ids go to the queue next, fairly among users, and which have gone.

use chrono::{DateTime, Utc};
use trainyard_domain::{JobId, PriorityClass};
use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::rows::{Each, execute_each, for_ids};
use crate::sql::{all, execute, optional};

/// The priorities of a class, both ends included.
pub(super) fn priorities(class: PriorityClass) -> (i64, i64) {
    match class {
        PriorityClass::High => (1, i64::MAX),
        PriorityClass::Normal => (0, 0),
        PriorityClass::Low => (i64::MIN, -1),
    }
}

const MARK: Each =
    for_ids!("UPDATE jobs SET dispatched_at = $1 WHERE status = 'queued' AND dispatched_at IS NULL AND id", "$2", "");
const UNMARK: Each = for_ids!("UPDATE jobs SET dispatched_at = NULL WHERE status = 'queued' AND id", "$1", "");

impl Jobs<'_> {
    /// The ids to send next, with their priorities: queued, due, not sent yet; highest priority first, then oldest.
    ///
    /// Also whether more jobs are due than may go now.
    ///
    /// Within a priority class no user gets more than `window` ids into the queue, those already there counted; the
    /// rest wait. So another user's next job never waits behind more than that. Empty while the queue is paused.
    ///
    /// # Errors
    /// As every query.
    pub async fn undispatched(
        &mut self,
        now: DateTime<Utc>,
        limit: i64,
        window: i64,
    ) -> Result<(Vec<(JobId, i64)>, bool)> {
        if self.paused().await? {
            return Ok((Vec::new(), false));
        }
        // User by user over an index that holds the waiting jobs alone: ranking them all in one query would read a
        // million rows to choose a hundred.
        let (mut chosen, mut more) = (Vec::new(), false);
        let mut after = Uuid::nil();
        while let Some(user) = self.next_waiting_user(after).await? {
            for class in PriorityClass::ALL {
                let (share, held_back) = self.share_of(user, class, now, window, limit).await?;
                chosen.extend(share);
                more |= held_back;
            }
            after = user;
        }
        chosen.sort_by_key(|(id, priority)| (-priority, *id));
        more |= chosen.len() as i64 > limit;
        chosen.truncate(usize::try_from(limit).unwrap_or(0));
        Ok((chosen, more))
    }

    async fn next_waiting_user(&mut self, after: Uuid) -> Result<Option<Uuid>> {
        let row: Option<(Uuid,)> = optional!(
            self.0,
            "SELECT created_by FROM jobs WHERE status = 'queued' AND dispatched_at IS NULL AND created_by > $1 \
             ORDER BY created_by LIMIT 1",
            after,
        )?;
        Ok(row.map(|(user,)| user))
    }

    /// What one user may still send in one class, and whether the window holds others back.
    async fn share_of(
        &mut self,
        user: Uuid,
        class: PriorityClass,
        now: DateTime<Utc>,
        window: i64,
        limit: i64,
    ) -> Result<(Vec<(JobId, i64)>, bool)> {
        let (lowest, highest) = priorities(class);
        let rows: Vec<(Uuid, i64, i64)> = all!(
            self.0,
            "SELECT id, priority, (SELECT COUNT(*) FROM jobs WHERE status = 'queued' AND dispatched_at IS NOT NULL \
             AND created_by = $1 AND priority BETWEEN $2 AND $3) FROM jobs \
             WHERE status = 'queued' AND dispatched_at IS NULL AND created_by = $1 AND priority BETWEEN $2 AND $3 \
             AND run_at <= $4 AND cancel_requested_at IS NULL ORDER BY priority DESC, id LIMIT $5",
            user,
            lowest,
            highest,
            now,
            window.min(limit) + 1,
        )?;
        let sent = rows.first().map_or(0, |(_, _, sent)| *sent);
        let free = usize::try_from(window - sent).unwrap_or(0);
        let held_back = rows.len() > free;
        Ok((rows.into_iter().take(free).map(|(id, priority, _)| (JobId(id), priority)).collect(), held_back))
    }

    /// Notes that these ids went to the queue. Those claimed or ended meanwhile are left as they are.
    ///
    /// # Errors
    /// As every query.
    pub async fn mark_dispatched(&mut self, ids: &[JobId], now: DateTime<Utc>) -> Result<()> {
        execute_each!(self.0, MARK, [now], ids, |id| [id.0])?;
        Ok(())
    }

    /// Notes that these ids did not go to the queue after all.
    ///
    /// # Errors
    /// As every query.
    pub async fn unmark_dispatched(&mut self, ids: &[JobId]) -> Result<()> {
        execute_each!(self.0, UNMARK, [], ids, |id| [id.0])?;
        Ok(())
    }

    /// Has ids of a class sent again that went to the queue before `older_than` and are still waiting: the queue may have
    /// lost them. A second delivery does no harm. Answers how many.
    ///
    /// # Errors
    /// As every query.
    pub async fn forget_dispatches(&mut self, class: PriorityClass, older_than: DateTime<Utc>) -> Result<u64> {
        let (lowest, highest) = priorities(class);
        execute!(
            self.0,
            "UPDATE jobs SET dispatched_at = NULL WHERE status = 'queued' AND dispatched_at < $1 \
             AND priority BETWEEN $2 AND $3",
            older_than,
            lowest,
            highest,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_agree_with_the_classes() {
        for class in PriorityClass::ALL {
            let (lowest, highest) = priorities(class);
            assert!((lowest..=highest).contains(&lowest));
            assert_eq!((PriorityClass::of(lowest), PriorityClass::of(highest)), (class, class));
        }
    }
}
