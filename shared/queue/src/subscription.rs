//! Messages between processes. A message is lost when nobody listens; the database holds the same information.

use std::future::pending;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

/// A stream of messages that never ends and never fails, but may lose messages.
///
/// A subscription to model changes also yields when it begins and after every interruption, so a listener that reads the
/// database at each message misses no change.
#[derive(Debug)]
pub struct Subscription<T> {
    first: Option<T>,
    /// Yielded in place of lost messages, for the kinds that have such a message.
    lost: Option<T>,
    messages: Messages<T>,
}

#[derive(Debug)]
enum Messages<T> {
    Memory(broadcast::Receiver<T>),
    Redis(mpsc::Receiver<T>),
}

impl<T: Clone> Subscription<T> {
    pub(crate) fn memory(messages: broadcast::Receiver<T>, lost: Option<T>) -> Self {
        Self { first: lost.clone(), lost, messages: Messages::Memory(messages) }
    }

    pub(crate) fn redis(messages: mpsc::Receiver<T>) -> Self {
        Self { first: None, lost: None, messages: Messages::Redis(messages) }
    }

    /// The next message. Cancel safe.
    pub async fn next(&mut self) -> T {
        if let Some(first) = self.first.take() {
            return first;
        }
        loop {
            match &mut self.messages {
                Messages::Memory(messages) => match (messages.recv().await, &self.lost) {
                    (Ok(message), _) => return message,
                    (Err(RecvError::Lagged(_)), Some(lost)) => return lost.clone(),
                    (Err(RecvError::Lagged(_)), None) => {}
                    (Err(RecvError::Closed), _) => pending().await,
                },
                Messages::Redis(messages) => match messages.recv().await {
                    Some(message) => return message,
                    None => pending().await,
                },
            }
        }
    }
}
