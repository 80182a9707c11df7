//! Changes the user id of a training process if the worker runs as root.

use rustix::process::{Gid, Signal, Uid, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The id of the conventional user `nobody`, who owns no files.
pub(super) const NOBODY: u32 = 65_534;

/// The capabilities for starting a process as another user, giving files to it, reading its results, and killing it.
const NEEDED: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID);

/// Whether this process may start training processes as another user. Root in a container may lack the capabilities.
pub(crate) fn can_change_user() -> bool {
    capabilities(None).is_ok_and(|sets| sets.effective.contains(NEEDED))
}

/// Changes irrevocably to user and group `id`, without other groups and without capabilities.
pub(super) fn change(id: u32) -> rustix::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    // A change of user clears the parent-death signal.
    set_parent_process_death_signal(Some(Signal::KILL))
}
