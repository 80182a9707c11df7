//! The number of rows that repeat an earlier row.

/// Hashes of the rows seen, up to a limit. Two different rows are taken for equal with a probability of 1 to 10 million in a
/// file of two million rows.
#[derive(Debug)]
pub(crate) struct Duplicates {
    /// A hash table with open addressing; zero is an empty slot.
    slots: Vec<u64>,
    rows: usize,
    limit: usize,
    repeated: u64,
    is_bound: bool,
}

impl Duplicates {
    /// Remembers up to `limit` different rows.
    pub(crate) fn new(limit: usize) -> Self {
        Self { slots: vec![0; 1_024], rows: 0, limit, repeated: 0, is_bound: false }
    }

    /// Number of rows that repeat an earlier row.
    pub(crate) fn count(&self) -> u64 {
        self.repeated
    }

    /// Whether the count is a lower bound, because there were more different rows than the limit.
    pub(crate) fn is_bound(&self) -> bool {
        self.is_bound
    }

    /// Adds the hashes of rows.
    pub(crate) fn add(&mut self, hashes: &[u64]) {
        for hash in hashes {
            self.add_row((*hash).max(1));
        }
    }

    fn add_row(&mut self, hash: u64) {
        let slot = self.slot(hash);
        if self.slots[slot] == hash {
            self.repeated += 1;
        } else if self.rows >= self.limit {
            self.is_bound = true;
        } else {
            self.slots[slot] = hash;
            self.rows += 1;
            if self.rows * 2 > self.slots.len() {
                self.grow();
            }
        }
    }

    /// The slot of a hash, or the empty slot for it.
    fn slot(&self, hash: u64) -> usize {
        let mask = self.slots.len() - 1;
        #[allow(clippy::cast_possible_truncation, reason = "the mask keeps the low bits")]
        let mut slot = hash as usize & mask;
        while self.slots[slot] != 0 && self.slots[slot] != hash {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let larger = vec![0; self.slots.len() * 2];
        for hash in std::mem::replace(&mut self.slots, larger) {
            if hash != 0 {
                let slot = self.slot(hash);
                self.slots[slot] = hash;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash;

    #[test]
    fn repeated_rows_are_counted_up_to_a_limit() {
        let hashes: Vec<u64> = (0..5_000).map(|i| hash::number(i % 3_000)).collect();
        let mut duplicates = Duplicates::new(10_000);
        hashes.chunks(7).for_each(|chunk| duplicates.add(chunk));
        assert_eq!((duplicates.count(), duplicates.is_bound()), (2_000, false));
        let mut duplicates = Duplicates::new(1_000);
        duplicates.add(&hashes);
        assert_eq!((duplicates.count(), duplicates.is_bound()), (1_000, true));
    }
}
