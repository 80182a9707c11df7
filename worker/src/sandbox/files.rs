//! Landlock: the process may read its inputs and use the run's own folder. Newer kernels also deny TCP, and signals to
//! other processes.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, make_bitflags,
};

/// The newest tested Landlock version. Kernels with an older version enforce the access rights of that version.
const TESTED: ABI = ABI::V7;

/// Access rights in the own folder: no devices, sockets or links.
const OWN_FOLDER: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir});

/// Restricts the calling thread to `folder` and to reading `inputs`: the dataset, the model of a prediction, and the
/// checkpoint of an earlier run.
///
/// # Errors
/// Why Landlock is not available.
pub(super) fn restrict(folder: &Path, inputs: &[&Path]) -> Result<(), String> {
    let status = enforce(folder, inputs).map_err(|error| error.to_string())?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced, _) => Ok(()),
        (_, LandlockStatus::NotEnabled) => Err("Landlock is not enabled in this kernel (boot parameter lsm=)".into()),
        _ => Err("this kernel has no Landlock (Linux 5.13 or newer has it)".into()),
    }
}

fn enforce(folder: &Path, inputs: &[&Path]) -> Result<landlock::RestrictionStatus, RulesetError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(TESTED))?
        .handle_access(AccessNet::from_all(TESTED))?
        .scope(Scope::from_all(TESTED))?
        .create()?;
    // A path that can't be opened gets no rule, so the process can't access it.
    let inputs = inputs.iter().map(|input| (*input, AccessFs::ReadFile.into()));
    for (path, access) in std::iter::once((folder, OWN_FOLDER)).chain(inputs) {
        if let Ok(file) = PathFd::new(path) {
            rules = rules.add_rule(PathBeneath::new(file, access))?;
        }
    }
    rules.restrict_self()
}
