//! The allocator of all processes, and how much memory it keeps.

use rustix::thread::disable_transparent_huge_pages;

/// The C library's allocator takes a fifth of the CPU time of an API process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

unsafe extern "C" {
    /// Part of mimalloc, without a declaration in its crate. Has no preconditions.
    safe fn mi_collect(force: bool);
}

/// Returns free memory to the operating system. mimalloc itself does so only while it allocates, so a process that has
/// freed much and is idle would keep all of it.
pub fn return_free_memory() {
    mi_collect(true);
}

/// Forbids huge pages for this process. mimalloc asks for them, so that every thread takes whole pages of 2 MB: two thirds of
/// the memory of an idle inference process. Child processes inherit this, so processes that train must keep huge pages.
pub fn forbid_huge_pages() {
    // A kernel without this option has small pages, or takes more memory.
    let _ = disable_transparent_huge_pages(true);
}
