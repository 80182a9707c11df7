//! A file system of a few megabytes that a test can fill and free again.

use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::folder::temporary_folder;

/// A tmpfs, mounted until it is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts a file system of `megabytes`. `None`, with a printed reason, where mounting is not permitted.
    #[expect(clippy::print_stderr, reason = "who reads the test's output should know what was not tested")]
    pub fn mount(megabytes: u32) -> Option<Self> {
        let disk = Self { folder: temporary_folder("small-disk") };
        let (target, size) = (c_path(disk.path()), CString::new(format!("size={megabytes}m,mode=0755")).unwrap());
        // SAFETY: every pointer is a string that ends with a zero byte and lives until the call returns.
        let mounted =
            unsafe { libc::mount(c"tmpfs".as_ptr(), target.as_ptr(), c"tmpfs".as_ptr(), 0, size.as_ptr().cast()) };
        if mounted != 0 {
            eprintln!("skipped: a tmpfs can't be mounted here ({})", std::io::Error::last_os_error());
            return None;
        }
        Some(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all room that is left.
    pub fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.filler()).unwrap();
        for size in [1 << 20, 1 << 16, 1 << 12, 1] {
            let piece = vec![0; size];
            // A write that finds no room at all says so; one that finds some is cut short.
            while filler.write(&piece).is_ok_and(|written| written > 0) {}
        }
    }

    /// Gives the room back.
    pub fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let target = c_path(self.path());
        // SAFETY: the pointer is a string that ends with a zero byte and lives until the call returns.
        unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
    }
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}
