//! When the disk under the database was last found to be full or failing.
//!
//! A small write may still fit where a job does not: SQLite reuses the room in its write-ahead log, and Postgres the room
//! in its pages. So readiness goes by the statements and commits that failed, and not by its own write alone.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::StorageError;
use crate::fault::Fault;

/// The database counts as not writable for this long after the last fault of its disk.
const UNREADY_FOR: Duration = Duration::from_secs(2);

/// The last fault of the disk that a statement or a commit met.
#[derive(Debug, Default)]
pub(crate) struct DiskFaults(Mutex<Option<(Instant, Fault)>>);

impl DiskFaults {
    /// Records `error` if the database's disk is its cause.
    pub(crate) fn note(&self, error: &StorageError, now: Instant) {
        if let Some(fault @ Fault::Disk(_)) = error.fault() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, fault));
        }
    }

    /// The last fault, for as long as the database counts as not writable because of it.
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
    fn a_fault_of_the_disk_counts_for_two_seconds_after_the_last_one() {
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
