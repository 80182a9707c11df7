//! What can go wrong with a queue.

/// Why the queue did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The address is none that can be used: a mistake in the configuration. The text says what was expected.
    #[error("invalid Redis address: {0}")]
    BadUrl(String),
    /// Redis is away, refuses, or took too long. Worth another try.
    #[error("the queue is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The answer of a queue.
pub type Result<T> = std::result::Result<T, QueueError>;

impl From<redis::RedisError> for QueueError {
    fn from(error: redis::RedisError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
