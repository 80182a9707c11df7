//! Starts the threads of a training process. If the memory limit leaves no room for a stack, these functions return an
//! error, where the standard library and rayon would panic.

use std::thread::{self, Builder, JoinHandle};

use trainyard_domain::FailureCode;

use super::Failure;

/// The stack size of the training thread, which is the usual limit of a main thread. A thread's stack is mapped at its
/// start. A main thread that can't grow its stack under the memory limit is killed by SIGSEGV.
const TRAINING_STACK: usize = 8 << 20;
/// The stack size of a thread that only waits.
const WAITING_STACK: usize = 128 << 10;

/// Starts a thread that only waits.
pub(super) fn start_waiting(work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    start("worker-watch", WAITING_STACK, work).map(drop)
}

/// Starts rayon's threads and runs `work` on a new thread.
pub(super) fn train_with<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<thread::Result<T>, Failure> {
    rayon::ThreadPoolBuilder::new().build_global().map_err(|error| start_failure(&error.to_string()))?;
    Ok(start("training", TRAINING_STACK, work)?.join())
}

fn start<T: Send + 'static>(
    name: &str,
    stack: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    let thread = Builder::new().name(name.to_owned()).stack_size(stack).spawn(work);
    thread.map_err(|error| start_failure(&error.to_string()))
}

fn start_failure(error: &str) -> Failure {
    // A stack that can't be mapped and a limit on the number of threads give the same error.
    if can_map(TRAINING_STACK) {
        (FailureCode::Internal, format!("a training thread can't be started: {error}"))
    } else {
        (FailureCode::OutOfMemory, "there is no memory for the training threads".to_owned())
    }
}

/// Whether `bytes` more can be mapped.
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
