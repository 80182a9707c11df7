//! Starts the threads of a training process. A memory limit that leaves no room for a thread's stack is an error with a
//! name here, where the standard library and rayon would panic.

use std::thread::{self, Builder, JoinHandle};

use trainyard_domain::FailureCode;

use super::Failure;

/// The stack of the thread that trains, as large as a main thread's usually may become. It is mapped at once: a main
/// thread that can't grow its stack under the memory limit is killed without a word.
const TRAINING_STACK: usize = 8 << 20;
/// The stack of a thread that only waits.
const WAITING_STACK: usize = 128 << 10;

/// Starts a thread that only waits.
///
/// # Errors
/// When there is no room for it.
pub(super) fn start_waiting(work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    start("worker-watch", WAITING_STACK, work).map(drop)
}

/// Runs `work` on a thread of its own, with rayon's threads beside it.
///
/// # Errors
/// When there is no room for the threads.
pub(super) fn train_with<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<thread::Result<T>, Failure> {
    rayon::ThreadPoolBuilder::new().build_global().map_err(|error| not_started(&error.to_string()))?;
    Ok(start("training", TRAINING_STACK, work)?.join())
}

fn start<T: Send + 'static>(
    name: &str,
    stack: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    let thread = Builder::new().name(name.to_owned()).stack_size(stack).spawn(work);
    thread.map_err(|error| not_started(&error.to_string()))
}

fn not_started(error: &str) -> Failure {
    // The system reports a stack that can't be mapped and a limit on the number of threads by the same error.
    if can_map(TRAINING_STACK) {
        (FailureCode::Internal, format!("a training thread can't be started: {error}"))
    } else {
        (FailureCode::OutOfMemory, "there is no memory for the training threads".to_owned())
    }
}

/// Whether the address space has room for `bytes` more.
fn can_map(bytes: usize) -> bool {
    // SAFETY: a new anonymous mapping overlaps nothing, is never accessed, and is removed by the address and length it
    // was made with.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let mapping = libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0);
        let mapped = mapping != libc::MAP_FAILED;
        if mapped {
            libc::munmap(mapping, bytes);
        }
        mapped
    }
}
