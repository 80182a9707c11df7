//! Converts the panic of a task into an error.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

/// A task panicked. The panic hook has logged the location.
#[derive(Debug, thiserror::Error)]
#[error("stopped with a panic: {0}")]
pub(crate) struct Panicked(String);

/// Runs `task`. A panic becomes an error.
pub(crate) async fn catch_panic<T, E: From<Panicked>>(task: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    // Unwind safe: state that the task changed is dropped with the task.
    AssertUnwindSafe(task).catch_unwind().await.unwrap_or_else(|panic| Err(Panicked(message(panic.as_ref())).into()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
