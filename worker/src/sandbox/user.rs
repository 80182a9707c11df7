//! The user id of a training process, where the worker runs as root.

use rustix::process::{Gid, Signal, Uid, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The conventional user that owns nothing.
pub(super) const NOBODY: u32 = 65_534;

/// What a worker needs to start a process as another user, to hand files to it, read its results and end it.
const NEEDED: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID);

/// Whether this process may start training processes as another user. Root in a container may have been denied it.
pub(crate) fn can_change_user() -> bool {
    capabilities(None).is_ok_and(|sets| sets.effective.contains(NEEDED))
}

/// Changes to user and group `id` for good, without other groups and without capabilities.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn change(id: u32) -> rustix::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    // A change of user clears the signal that ends this process with its worker.
    set_parent_process_death_signal(Some(Signal::KILL))
}
