//! CPU time and memory of processes with their descendants, from `/proc`.

/// What a process and its descendants use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    /// CPU time of the running processes since their start, in seconds.
    pub(crate) cpu_s: f64,
    /// The sum of the resident memory, in megabytes. Pages that several processes share count in each of them.
    pub(crate) rss_mb: f64,
}

/// A process, identified by its id and its start, because ids are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    started: u64,
}

impl Process {
    /// Whether the process still runs.
    pub(crate) fn is_running(self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| stat.started == self.started && stat.state != 'Z')
    }
}

/// The fields of `/proc/<pid>/stat` that are used here.
struct Stat {
    state: char,
    parent: u32,
    cpu_ticks: u64,
    started: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses can contain any character; state and parent follow it.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            cpu_ticks: number(11)? + number(12)?,
            started: number(19)?,
        })
    }
}

/// The descendants of a process.
pub(crate) fn descendants(root: u32) -> Vec<Process> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let all: Vec<_> = pids.filter_map(|pid| Some((pid, Stat::read(pid)?))).collect();
    let (mut found, mut next) = (Vec::new(), vec![root]);
    while let Some(parent) = next.pop() {
        for (pid, stat) in all.iter().filter(|(_, stat)| stat.parent == parent) {
            found.push(Process { pid: *pid, started: stat.started });
            next.push(*pid);
        }
    }
    found
}

/// What a process and its descendants use now.
pub(crate) fn of_tree(root: u32) -> Usage {
    // SAFETY: sysconf has no preconditions.
    let ticks_per_s = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    let pids = std::iter::once(root).chain(descendants(root).into_iter().map(|process| process.pid));
    let mut usage = Usage { cpu_s: 0.0, rss_mb: 0.0 };
    for pid in pids {
        usage.cpu_s += Stat::read(pid).map_or(0.0, |stat| stat.cpu_ticks as f64 / ticks_per_s);
        usage.rss_mb += rss_mb(pid);
    }
    usage
}

/// CPU time of this process, in seconds.
pub(crate) fn own_cpu_s() -> f64 {
    // SAFETY: all bit patterns of `rusage` are valid, and `getrusage` writes to the passed value only.
    let used = unsafe {
        let mut used = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut used);
        used
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(used.ru_utime) + seconds(used.ru_stime)
}

/// The resident memory of one process, in megabytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Resident {
    /// All pages.
    pub(crate) all: f64,
    /// Pages of its own: heap, stacks and changed data.
    pub(crate) anonymous: f64,
    /// Pages of the binary and of libraries. The kernel shares them between processes, can drop them, and maps up to 16 of them
    /// when one is read.
    pub(crate) file: f64,
}

/// The resident memory of one process.
pub(crate) fn resident(pid: u32) -> Resident {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = |name: &str| {
        let kb = status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        kb.and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    };
    Resident { all: value("VmRSS:"), anonymous: value("RssAnon:"), file: value("RssFile:") }
}

fn rss_mb(pid: u32) -> f64 {
    resident(pid).all
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_child_belongs_to_the_tree_until_it_ends() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let found = descendants(std::process::id()).into_iter().find(|process| process.pid == child.id()).unwrap();
        assert!(found.is_running());
        let both = of_tree(std::process::id());
        assert!(both.rss_mb > rss_mb(std::process::id()), "{both:?}");
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!found.is_running());
        assert!(own_cpu_s() >= 0.0);
    }
}
