//! Who may be sent to next: a receiver that hangs holds some of the sender, never all of it.

use std::collections::HashMap;

use trainyard_storage::MAX_BUSY;

/// What is under way, by receiver.
#[derive(Debug)]
pub(crate) struct Turns {
    concurrency: usize,
    under_way: HashMap<String, usize>,
}

impl Turns {
    /// Of at most `concurrency` attempts at the same time.
    pub(crate) fn new(concurrency: usize) -> Self {
        Self { concurrency: concurrency.max(1), under_way: HashMap::new() }
    }

    /// How many attempts to begin now. All of them may turn out to go to one receiver that is not [`Turns::busy`], so no
    /// more than would make the busiest of those so.
    pub(crate) fn free(&self) -> usize {
        let share = self.share();
        let busiest = self.under_way.values().copied().filter(|count| *count < share).max().unwrap_or(0);
        (share - busiest).min(self.concurrency.saturating_sub(self.under_way.values().sum()))
    }

    /// The receivers that have their share, the busiest first; the rest is filled up with nobody.
    pub(crate) fn busy(&self) -> [&str; MAX_BUSY] {
        let share = self.share();
        let mut busy: Vec<_> = self.under_way.iter().filter(|(_, count)| **count >= share).collect();
        busy.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        std::array::from_fn(|i| busy.get(i).map_or("", |(receiver, _)| receiver.as_str()))
    }

    /// An attempt begins.
    pub(crate) fn begin(&mut self, receiver: &str) {
        *self.under_way.entry(receiver.to_owned()).or_default() += 1;
    }

    /// An attempt has ended.
    pub(crate) fn end(&mut self, receiver: &str) {
        if let Some(count) = self.under_way.get_mut(receiver) {
            *count -= 1;
            if *count == 0 {
                self.under_way.remove(receiver);
            }
        }
    }

    /// As many receivers as a claim can leave out share the sender.
    fn share(&self) -> usize {
        (self.concurrency / MAX_BUSY).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_receiver_gets_a_share_and_the_rest_stays_for_others() {
        let mut turns = Turns::new(16);
        assert_eq!((turns.free(), turns.busy()), (4, [""; 4]));
        (0..4).for_each(|_| turns.begin("slow"));
        turns.begin("quick");
        assert_eq!((turns.free(), turns.busy()), (3, ["slow", "", "", ""]), "quick has one of its four");
        (0..3).for_each(|_| turns.begin("quick"));
        assert_eq!(turns.free(), 4, "for somebody else");
        (0..7).for_each(|i| turns.begin(&format!("other {i}")));
        assert_eq!(turns.free(), 1, "the last of sixteen");
        turns.begin("other 0");
        assert_eq!(turns.free(), 0);
        turns.end("other 0");
        (0..7).for_each(|i| turns.end(&format!("other {i}")));
        (0..4).for_each(|_| turns.end("slow"));
        (0..4).for_each(|_| turns.end("quick"));
        assert_eq!((turns.free(), turns.busy(), turns.under_way.len()), (4, [""; 4], 0));
        assert_eq!(Turns::new(0).free(), 1);
    }
}
