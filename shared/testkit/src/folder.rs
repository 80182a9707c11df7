//! Temporary folders that are deleted at the end of the test process.
//!
//! Rust never drops statics, and shared servers are statics. An exit hook stops the servers and then lets another
//! process delete their folders.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, Once};

use tempfile::TempDir;

/// Servers to stop (process id, signal) and folders to delete.
struct Leftovers {
    servers: Vec<(i32, i32)>,
    folders: Vec<PathBuf>,
}

static LEFTOVERS: Mutex<Leftovers> = Mutex::new(Leftovers { servers: Vec::new(), folders: Vec::new() });

/// Creates a temporary folder.
pub(crate) fn temporary_folder(name: &str) -> TempDir {
    let folder = tempfile::Builder::new().prefix(&format!("trainyard-{name}-")).tempdir().unwrap();
    at_exit(|leftovers| leftovers.folders.push(folder.path().to_owned()));
    folder
}

/// Sends `signal` to the process `pid` at exit, before the folders are deleted.
pub(crate) fn stop_at_exit(pid: u32, signal: i32) {
    at_exit(|leftovers| leftovers.servers.push((i32::try_from(pid).unwrap(), signal)));
}

/// Removes a process that was reaped: its id can be reused.
pub(crate) fn forget_process(pid: u32) {
    at_exit(|leftovers| leftovers.servers.retain(|(known, _)| u32::try_from(*known) != Ok(pid)));
}

fn at_exit(note: impl FnOnce(&mut Leftovers)) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        // SAFETY: atexit only stores the function, which is safe to call from the exiting thread.
        let _ = unsafe { libc::atexit(clean_up) };
    });
    note(&mut LEFTOVERS.lock().unwrap());
}

extern "C" fn clean_up() {
    // A panic must not cross the C boundary, so errors are ignored.
    let Ok(leftovers) = LEFTOVERS.lock() else { return };
    for (pid, signal) in &leftovers.servers {
        // SAFETY: the processes are children of this process that were not reaped.
        unsafe {
            libc::kill(*pid, *signal);
            libc::waitpid(*pid, std::ptr::null_mut(), 0);
        }
    }
    // A Postgres with a database for each of hundreds of tests has so many files that deleting them takes minutes, for which
    // the next test program need not wait.
    if Command::new("rm").arg("-rf").args(&leftovers.folders).spawn().is_err() {
        for folder in &leftovers.folders {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
