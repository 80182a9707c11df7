//! The memory allocator of all processes, and functions that return its free memory to the operating system.

use rustix::thread::disable_transparent_huge_pages;

/// mimalloc: the C library's allocator takes a fifth of the CPU time of an API process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

unsafe extern "C" {
    /// A function of mimalloc that its crate does not declare. Has no preconditions.
    safe fn mi_collect(force: bool);
}

/// Returns free memory to the operating system. mimalloc itself does so only while it allocates, so a process that has
/// freed much and is idle would keep all of it.
pub fn return_free_memory() {
    mi_collect(true);
}

/// Disables transparent huge pages for this process. mimalloc requests huge pages, so every thread uses whole pages of 2 MB: two
/// thirds of the anonymous memory of an idle inference process. Child processes inherit the setting, so a worker must not call
/// this: training needs huge pages.
pub fn forbid_huge_pages() {
    // A kernel without this option at most uses more memory.
    let _ = disable_transparent_huge_pages(true);
}
