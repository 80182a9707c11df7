//! A small file system that a test can fill.

use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::folder::temporary_folder;

/// A tmpfs that is unmounted on drop.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts a file system of `megabytes`. Prints the reason and returns `None` if mounting is not permitted.
    #[expect(clippy::print_stderr, reason = "the test output must name a skipped test")]
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

    /// The mount point.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills the disk.
    pub fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.filler()).unwrap();
        for size in [1 << 20, 1 << 16, 1 << 12, 1] {
            let piece = vec![0; size];
            // A write to a full disk fails; a write to a nearly full disk is short.
            while filler.write(&piece).is_ok_and(|written| written > 0) {}
        }
    }

    /// Frees the space again.
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
