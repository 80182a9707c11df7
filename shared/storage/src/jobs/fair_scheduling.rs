//! Queries for fair scheduling: they read a few rows for each user.

use trainyard_domain::{JobId, PriorityClass, UserId};
use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::sql::{all, all_unprepared};

/// The priorities of a class, inclusive.
fn priorities(class: PriorityClass) -> (i64, i64) {
    match class {
        PriorityClass::High => (1, i64::MAX),
        PriorityClass::Normal => (0, 0),
        PriorityClass::Low => (i64::MIN, -1),
    }
}

// A loose index scan over `jobs_turns`: one step for each user.
const USERS: &str = "WITH RECURSIVE due_users (id) AS (\
     SELECT (SELECT created_by FROM jobs WHERE status = 'queued' AND due ORDER BY created_by LIMIT 1) \
     UNION ALL SELECT (SELECT created_by FROM jobs WHERE status = 'queued' AND due AND created_by > due_users.id \
     ORDER BY created_by LIMIT 1) FROM due_users WHERE due_users.id IS NOT NULL) \
     SELECT id FROM due_users WHERE id IS NOT NULL";

// If statistics say that one user owns all rows, the planner may choose `jobs_line`, which is slow
// for other users. Only `jobs_turns` supports a list of users and an order that begins with the user.
macro_rules! due_jobs {
    ($which:literal, $limit:literal) => {
        concat!(
            "SELECT priority, id FROM jobs WHERE status = 'queued' AND due AND created_by IN ($1, $1) AND ",
            $which,
            " AND cancel_requested_at IS NULL ORDER BY created_by, priority DESC, id LIMIT ",
            $limit
        )
    };
}
const IN_PRIORITY_RANGE: &str = due_jobs!("priority BETWEEN $2 AND $3", "$4");
const REST_OF_PRIORITY: &str = due_jobs!("priority = $2 AND id > $3", "$4");

impl Jobs<'_> {
    /// The users with due jobs, in no order.
    pub async fn users_with_due_jobs(&mut self) -> Result<Vec<UserId>> {
        let rows: Vec<(Uuid,)> = all!(self.0, USERS)?;
        Ok(rows.into_iter().map(|(id,)| UserId(id)).collect())
    }

    /// The due jobs of a user in a class, by priority and age, each with its priority. `after` is a job of the previous page,
    /// which may be gone.
    pub async fn next_jobs(
        &mut self,
        user: UserId,
        class: PriorityClass,
        after: Option<(i64, JobId)>,
        limit: i64,
    ) -> Result<Vec<(i64, JobId)>> {
        let (lowest, mut highest) = priorities(class);
        let mut rows: Vec<(i64, Uuid)> = Vec::new();
        // The order is descending by priority and ascending by id, so the rows after a job are two index ranges: the rest
        // of its priority, and the lower priorities.
        if let Some((priority, id)) = after {
            rows = all_unprepared!(self.0, REST_OF_PRIORITY, user.0, priority, id.0, limit)?;
            highest = highest.min(priority.saturating_sub(1));
        }
        let left = limit - i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if left > 0 && lowest <= highest {
            let lower: Vec<(i64, Uuid)> = all_unprepared!(self.0, IN_PRIORITY_RANGE, user.0, lowest, highest, left)?;
            rows.extend(lower);
        }
        Ok(rows.into_iter().map(|(priority, id)| (priority, JobId(id))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_agree_with_the_classes() {
        for class in PriorityClass::ALL {
            let (lowest, highest) = priorities(class);
            assert!((lowest..=highest).contains(&lowest));
            assert_eq!((PriorityClass::of(lowest), PriorityClass::of(highest)), (class, class));
        }
    }
}
