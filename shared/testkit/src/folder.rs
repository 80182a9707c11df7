//! Temporary folders that are gone when the test process ends.
//!
//! Shared servers live in statics, which Rust never drops, so their folders would stay behind: a hook at the process's
//! end removes them, after the servers that write to them.

use std::path::PathBuf;
use std::sync::{Mutex, Once};

use tempfile::TempDir;

/// Servers to end (process id, signal), and folders to remove.
struct Leftovers {
    servers: Vec<(i32, i32)>,
    folders: Vec<PathBuf>,
}

static LEFTOVERS: Mutex<Leftovers> = Mutex::new(Leftovers { servers: Vec::new(), folders: Vec::new() });

/// A new folder in the system's place for temporary files.
pub(crate) fn temporary_folder(name: &str) -> TempDir {
    let folder = tempfile::Builder::new().prefix(&format!("trainyard-{name}-")).tempdir().unwrap();
    at_exit(|leftovers| leftovers.folders.push(folder.path().to_owned()));
    folder
}

/// Has the process `pid` ended with `signal` before the folders are removed.
pub(crate) fn end_at_exit(pid: u32, signal: i32) {
    at_exit(|leftovers| leftovers.servers.push((i32::try_from(pid).unwrap(), signal)));
}

/// The process has ended and was reaped; its number may be somebody else's from now on.
pub(crate) fn ended(pid: u32) {
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
    // Nothing may panic across this border; what can't be removed stays.
    let Ok(leftovers) = LEFTOVERS.lock() else { return };
    for (pid, signal) in &leftovers.servers {
        // SAFETY: signals and reaps children of this process that were not reaped before.
        unsafe {
            libc::kill(*pid, *signal);
            libc::waitpid(*pid, std::ptr::null_mut(), 0);
        }
    }
    for folder in &leftovers.folders {
        let _ = std::fs::remove_dir_all(folder);
    }
}
