//! Turns a panic of a task into an error of the task, so that whoever counts on its end learns of it.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

/// A task panicked; the panic hook has logged where.
#[derive(Debug, thiserror::Error)]
#[error("stopped with a panic: {0}")]
pub(crate) struct Panicked(String);

/// Runs `task`; its panic becomes an error.
pub(crate) async fn contained<T, E: From<Panicked>>(task: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    // Nothing that the task has changed half-way is used after its panic.
    AssertUnwindSafe(task).catch_unwind().await.unwrap_or_else(|panic| Err(Panicked(message(panic.as_ref())).into()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
