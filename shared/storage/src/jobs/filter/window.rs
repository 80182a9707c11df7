//! Windows of the ids that the index scans of a clause return.

use uuid::Uuid;

/// The newest ids of a clause below a position.
#[derive(Debug)]
pub(super) struct Window {
    /// Distinct ids, newest first.
    pub(super) ids: Vec<Uuid>,
    /// Whether the clause has no older ids.
    pub(super) last: bool,
}

impl Window {
    /// Removes the candidates that this window shows not to meet the clause: those that it reaches and does not contain.
    /// `candidates` are newest first and start where the window starts. Returns how many of the remaining ones it reaches.
    pub(super) fn retain(&self, candidates: &mut Vec<Uuid>) -> usize {
        let end = if self.last { Some(Uuid::nil()) } else { self.ids.last().copied() };
        let reaches = |id: &Uuid| end.is_some_and(|end| *id >= end);
        candidates.retain(|id| !reaches(id) || self.ids.binary_search_by(|other| id.cmp(other)).is_ok());
        candidates.partition_point(reaches)
    }

    fn is_rarer_than(&self, other: &Self) -> bool {
        match (self.last, other.last) {
            (true, true) => self.ids.len() < other.ids.len(),
            (false, false) => self.ids.last() < other.ids.last(),
            (is_last, _) => is_last,
        }
    }
}

/// The position of the window of the rarest clause. Clauses without index scans have no window.
pub(super) fn rarest(windows: &[Option<Window>]) -> Option<usize> {
    let present = windows.iter().enumerate().filter_map(|(position, window)| Some((position, window.as_ref()?)));
    let rarest = present.reduce(|rarest, other| if other.1.is_rarer_than(rarest.1) { other } else { rarest });
    rarest.map(|(position, _)| position)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[u128]) -> Vec<Uuid> {
        ids.iter().map(|id| Uuid::from_u128(*id)).collect()
    }

    fn window(numbers: &[u128], last: bool) -> Window {
        Window { ids: ids(numbers), last }
    }

    #[test]
    fn a_window_decides_about_the_candidates_that_it_reaches() {
        for (window, remaining, reached) in [
            (window(&[9, 7, 4], false), vec![9, 4, 3, 1], 2),
            (window(&[9, 7, 4], true), vec![9, 4], 2),
            (window(&[], true), vec![], 0),
            (window(&[10], false), vec![9, 8, 4, 3, 1], 0),
        ] {
            let mut candidates = ids(&[9, 8, 4, 3, 1]);
            assert_eq!(window.retain(&mut candidates), reached, "{window:?}");
            assert_eq!(candidates, ids(&remaining), "{window:?}");
        }
    }

    #[test]
    fn the_rarest_clause_ends_first_or_reaches_furthest() {
        let rarest_of = |windows: [Option<Window>; 3]| rarest(&windows);
        assert_eq!(rarest_of([None, None, None]), None);
        assert_eq!(rarest_of([None, Some(window(&[9, 8], false)), Some(window(&[9, 5], false))]), Some(2));
        assert_eq!(rarest_of([Some(window(&[9, 5], false)), Some(window(&[9, 8], true)), None]), Some(1));
        assert_eq!(rarest_of([Some(window(&[9], true)), Some(window(&[], true)), None]), Some(1));
    }
}
