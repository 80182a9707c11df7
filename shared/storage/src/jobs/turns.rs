//! Whose jobs come next: what is needed to share the queue fairly among users without reading all of it.

use trainyard_domain::{JobId, PriorityClass, UserId};
use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::sql::{all, all_anew};

/// The priorities of a class, both ends included.
fn priorities(class: PriorityClass) -> (i64, i64) {
    match class {
        PriorityClass::High => (1, i64::MAX),
        PriorityClass::Normal => (0, 0),
        PriorityClass::Low => (i64::MIN, -1),
    }
}

// From user to user over `jobs_turns`, a step for each, however many jobs they have.
const USERS: &str = "WITH RECURSIVE waiting (id) AS (\
     SELECT (SELECT created_by FROM jobs WHERE status = 'queued' AND due ORDER BY created_by LIMIT 1) \
     UNION ALL SELECT (SELECT created_by FROM jobs WHERE status = 'queued' AND due AND created_by > waiting.id \
     ORDER BY created_by LIMIT 1) FROM waiting WHERE waiting.id IS NOT NULL) \
     SELECT id FROM waiting WHERE id IS NOT NULL";

// A plan may be made while one user seems to own every row. Then reading that user's jobs over `jobs_line` would look as
// good as over `jobs_turns`, and with that plan the next user's would be looked for in the whole line. A list of users,
// and an order that begins with them, only `jobs_turns` can serve.
macro_rules! turns {
    ($which:literal, $limit:literal) => {
        concat!(
            "SELECT priority, id FROM jobs WHERE status = 'queued' AND due AND created_by IN ($1, $1) AND ",
            $which,
            " AND cancel_requested_at IS NULL ORDER BY created_by, priority DESC, id LIMIT ",
            $limit
        )
    };
}
const WITHIN: &str = turns!("priority BETWEEN $2 AND $3", "$4");
const REST_OF_ONE: &str = turns!("priority = $2 AND id > $3", "$4");

impl Jobs<'_> {
    /// The users that have jobs waiting which are due, in no order.
    ///
    /// # Errors
    /// As every query.
    pub async fn waiting_users(&mut self) -> Result<Vec<UserId>> {
        let rows: Vec<(Uuid,)> = all!(self.0, USERS)?;
        Ok(rows.into_iter().map(|(id,)| UserId(id)).collect())
    }

    /// The waiting jobs of one user and class that are due, each with its priority, in the order they run: the highest
    /// priority first, then the oldest. Those that come after the one of that class named by `after`, which need not be there any more.
    ///
    /// # Errors
    /// As every query.
    pub async fn next_in_line(
        &mut self,
        user: UserId,
        class: PriorityClass,
        after: Option<(i64, JobId)>,
        limit: i64,
    ) -> Result<Vec<(i64, JobId)>> {
        let (lowest, mut highest) = priorities(class);
        let mut rows: Vec<(i64, Uuid)> = Vec::new();
        // The order falls in one column and rises in the other, so what comes after a job is two ranges of the index:
        // the rest of its own priority, and the priorities below.
        if let Some((priority, id)) = after {
            rows = all_anew!(self.0, REST_OF_ONE, user.0, priority, id.0, limit)?;
            highest = highest.min(priority.saturating_sub(1));
        }
        let left = limit - i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if left > 0 && lowest <= highest {
            let lower: Vec<(i64, Uuid)> = all_anew!(self.0, WITHIN, user.0, lowest, highest, left)?;
            rows.extend(lower);
        }
        Ok(rows.into_iter().map(|(priority, id)| (priority, JobId(id))).collect())
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
