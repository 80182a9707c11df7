//! Disk errors of the database.
//!
//! On a full disk a small write may succeed where a job does not fit: SQLite reuses space in its write-ahead log, Postgres
//! in its pages. So readiness depends on the errors of statements and commits, and not only on its own write.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::StorageError;
use crate::fault::Fault;

/// The database counts as not writable for this long after the last disk error.
const UNREADY_FOR: Duration = Duration::from_secs(2);

/// The last disk error of a statement or a commit.
#[derive(Debug, Default)]
pub(crate) struct DiskFaults(Mutex<Option<(Instant, Fault)>>);

impl DiskFaults {
    /// Records `error` if it is a disk error.
    pub(crate) fn note(&self, error: &StorageError, now: Instant) {
        if let Some(fault @ Fault::Disk(_)) = error.fault() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, fault));
        }
    }

    /// The last disk error, if it is recent.
    pub(crate) fn recent(&self, now: Instant) -> Option<Fault> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(at, _)| now.duration_since(*at) < UNREADY_FOR).map(|(_, fault)| fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnosed;
    use crate::fault::DISK_FULL;

    #[test]
    fn a_disk_error_counts_for_two_seconds_after_the_last_one() {
        let (faults, start) = (DiskFaults::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let full = StorageError::Unavailable(Diagnosed(Fault::Disk(DISK_FULL)).into());
        assert_eq!(faults.recent(at(0)), None);
        faults.note(&full, at(0));
        faults.note(&full, at(1_500));
        assert_eq!(faults.recent(at(3_499)), Some(Fault::Disk(DISK_FULL)));
        assert_eq!(faults.recent(at(3_500)), None);
    }

    #[test]
    fn other_errors_do_not_count() {
        let (faults, now) = (DiskFaults::default(), Instant::now());
        faults.note(&StorageError::Conflict, now);
        faults.note(&StorageError::Unavailable(Diagnosed(Fault::ReadOnly).into()), now);
        assert_eq!(faults.recent(now), None);
    }
}
