//! Notes that processes push to each other: quick, and lost when nobody listens. What they tell is also in the database.

use std::future::pending;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

/// A stream of notes that never ends and never fails; it may lose some.
///
/// Where a lost note could be missed (model changes), it also yields once when it begins to listen and again after every
/// interruption, so that a listener that re-reads on each note is never left behind.
#[derive(Debug)]
pub struct Subscription<T> {
    first: Option<T>,
    /// Yielded in place of notes that were lost, if the kind of note has such a thing.
    lost: Option<T>,
    notes: Notes<T>,
}

#[derive(Debug)]
enum Notes<T> {
    Memory(broadcast::Receiver<T>),
    Redis(mpsc::Receiver<T>),
}

impl<T: Clone> Subscription<T> {
    pub(crate) fn memory(notes: broadcast::Receiver<T>, lost: Option<T>) -> Self {
        Self { first: lost.clone(), lost, notes: Notes::Memory(notes) }
    }

    pub(crate) fn redis(notes: mpsc::Receiver<T>) -> Self {
        Self { first: None, lost: None, notes: Notes::Redis(notes) }
    }

    /// The next note. Safe to drop and call again, as in `select!`.
    pub async fn next(&mut self) -> T {
        if let Some(first) = self.first.take() {
            return first;
        }
        loop {
            match &mut self.notes {
                Notes::Memory(notes) => match (notes.recv().await, &self.lost) {
                    (Ok(note), _) => return note,
                    (Err(RecvError::Lagged(_)), Some(lost)) => return lost.clone(),
                    (Err(RecvError::Lagged(_)), None) => {}
                    (Err(RecvError::Closed), _) => pending().await,
                },
                Notes::Redis(notes) => match notes.recv().await {
                    Some(note) => return note,
                    None => pending().await,
                },
            }
        }
    }
}
