//! Facts about the machine, for the reports.

/// The number of cores and the processor.
///
/// # Errors
/// If the number of cores is unknown.
pub(crate) fn cores() -> anyhow::Result<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches(['\t', ' ', ':']));
    let cores = std::thread::available_parallelism()?;
    Ok(format!("{cores} cores ({})", model.unwrap_or("unknown")))
}

/// A set of cores.
#[derive(Clone, Copy)]
pub(crate) struct CoreSet(libc::cpu_set_t);

impl std::fmt::Debug for CoreSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.cores()).finish()
    }
}

impl CoreSet {
    /// The cores that the calling thread may use.
    ///
    /// # Errors
    /// If the kernel does not name them.
    pub(crate) fn of_this_thread() -> std::io::Result<Self> {
        // SAFETY: all bit patterns of `cpu_set_t` are valid.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: the call writes to the passed set only, whose size it gets.
        let result = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
        if result == 0 { Ok(Self(set)) } else { Err(std::io::Error::last_os_error()) }
    }

    /// Each core on its own.
    pub(crate) fn each(self) -> Vec<Self> {
        let one = |core| {
            // SAFETY: all bit patterns of `cpu_set_t` are valid.
            let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
            // SAFETY: `cores` returns numbers within the set.
            unsafe { libc::CPU_SET(core, &mut set) };
            Self(set)
        };
        self.cores().map(one).collect()
    }

    fn cores(&self) -> impl Iterator<Item = usize> {
        // SAFETY: the numbers are below the size of the set.
        (0..libc::CPU_SETSIZE as usize).filter(|core| unsafe { libc::CPU_ISSET(*core, &self.0) })
    }

    /// Restricts the calling thread, and the threads and processes that it starts, to these cores. Is async-signal-safe.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(crate) fn restrict_this_thread(&self) -> std::io::Result<()> {
        // SAFETY: the call reads the passed set only, whose size it gets.
        let result = unsafe { libc::sched_setaffinity(0, size_of_val(&self.0), &raw const self.0) };
        if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    }
}

/// The load average over the last minute.
pub(crate) fn load_average() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}
