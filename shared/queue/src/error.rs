//! Errors of a queue.

/// Why a call to the queue failed.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The Redis URL is invalid: a mistake in the configuration. The text names the expected form.
    #[error("invalid Redis URL: {0}")]
    BadUrl(String),
    /// Redis is unreachable, refuses the command, or answered too late. The call may be retried.
    #[error("the queue is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The result of a call to the queue.
pub type Result<T> = std::result::Result<T, QueueError>;

impl From<redis::RedisError> for QueueError {
    fn from(error: redis::RedisError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
