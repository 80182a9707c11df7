//! Maps the end of a training process to a job error: out of memory, a panic, or another crash. Messages contain no paths.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use trainyard_domain::{FailureCode, JobError};

use super::{Limits, Outcome, log_excerpt};

/// Exit status of a Rust program whose main thread panicked.
const PANICKED: i32 = 101;

/// The error for a process that broke the protocol.
pub(super) fn protocol_error(work: &str, how: &str) -> JobError {
    JobError::new(FailureCode::Internal, format!("the {work} process {how}"))
}

/// The error for a run that exceeded its memory limit.
pub(super) fn out_of_memory(limits: &Limits) -> JobError {
    let (work, memory_mb) = (limits.work, limits.memory_mb);
    let message = if memory_mb > 0 {
        format!("{work} needed more than the {memory_mb} MB of worker.child_memory_mb")
    } else {
        format!("{work} needed more than the machine's memory")
    };
    JobError::new(FailureCode::OutOfMemory, message)
}

/// The outcome of a process that died without a last report.
pub(super) fn explain(status: ExitStatus, tail: &str, oom_killed: bool, limits: &Limits) -> Outcome {
    if oom_killed && status.signal() == Some(libc::SIGKILL) {
        let message = format!("{} needed more memory than this machine or its container has", limits.work);
        return Outcome::Failed(JobError::new(FailureCode::OutOfMemory, message));
    }
    if ran_out_of_memory(status, tail) {
        return Outcome::Failed(out_of_memory(limits));
    }
    let (code, how) = match (status.signal(), status.code()) {
        // A panic during a panic aborts.
        (Some(libc::SIGABRT), _) if log_excerpt::contains_panic(tail) => (FailureCode::Panicked, "panic".to_owned()),
        (Some(signal), _) => (FailureCode::Crashed, format!("signal {signal} ({})", signal_name(signal))),
        (None, Some(0)) => return Outcome::Failed(protocol_error(limits.work, "ended without a result")),
        (None, Some(PANICKED)) => (FailureCode::Panicked, "panic".to_owned()),
        (None, status) => (FailureCode::Crashed, format!("exit status {}", status.unwrap_or(-1))),
    };
    let message = match log_excerpt::last_message(tail) {
        Some(text) => format!("{how}: {text}"),
        None => how,
    };
    Outcome::Crashed(JobError::new(code, message))
}

/// Messages of Rust's allocator, the C library and the loader at the address space limit.
const NO_MEMORY: [&str; 5] = [
    "memory allocation of",
    "Cannot allocate memory",
    "failed to map segment",
    "cannot map zero-fill pages",
    "cannot allocate TLS data structures",
];
/// Exit status after a failure of the loader.
pub(super) const NOT_LOADED: i32 = 127;

/// Rust aborts when an allocation fails. Some C libraries end an abort by another signal.
fn ran_out_of_memory(status: ExitStatus, tail: &str) -> bool {
    match (status.signal(), status.code()) {
        (Some(libc::SIGABRT | libc::SIGSEGV | libc::SIGILL | libc::SIGTRAP), _)
        | (None, Some(PANICKED | NOT_LOADED)) => NO_MEMORY.iter().any(|message| tail.contains(message)),
        _ => false,
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        libc::SIGSYS => "SIGSYS",
        _ => "unknown",
    }
}

/// The number of processes that the kernel's OOM killer has killed since the boot; 0 if unknown.
pub(super) fn oom_kills() -> u64 {
    let counters = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    counters.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sandbox::{Sandbox, SandboxMode};

    fn limits() -> Limits {
        Limits {
            program: "train".into(),
            folder: ".".into(),
            sandbox: Sandbox { mode: SandboxMode::Off, uid: None },
            work: "training",
            timeout: Duration::from_secs(1),
            memory_mb: 100,
            file_bytes: 1,
            folder_mb: 1,
            output_mb: 1,
            open_files: 1,
            threads: 1,
        }
    }

    fn crash_error(status: i32, tail: &str) -> JobError {
        match explain(ExitStatus::from_raw(status), tail, false, &limits()) {
            Outcome::Crashed(error) => error,
            other => panic!("{other:?}"),
        }
    }

    fn crash(status: i32, tail: &str) -> String {
        let error = crash_error(status, tail);
        assert_eq!(error.code, FailureCode::Crashed);
        error.message
    }

    fn panicked(status: i32, tail: &str) -> String {
        let error = crash_error(status, tail);
        assert_eq!(error.code, FailureCode::Panicked);
        error.message
    }

    fn code(status: i32, tail: &str, oom_killed: bool) -> FailureCode {
        match explain(ExitStatus::from_raw(status), tail, oom_killed, &limits()) {
            Outcome::Failed(error) => error.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn crashes_have_a_message_without_paths() {
        assert_eq!(crash(11, ""), "signal 11 (SIGSEGV)");
        assert_eq!(crash(9, ""), "signal 9 (SIGKILL)");
        assert_eq!(crash(7 << 8, "cannot open /var/lib/x now\n"), "exit status 7: cannot open … now");
    }

    #[test]
    fn a_panic_is_distinguished_from_other_crashes() {
        let tail = "panicked: index 3 of 2\nat src/a.rs:1\n";
        assert_eq!(panicked(101 << 8, tail), "panic: index 3 of 2");
        assert_eq!(panicked(6, tail), "panic: index 3 of 2");
        assert_eq!(crash(11, tail), "signal 11 (SIGSEGV): index 3 of 2");
    }

    #[test]
    fn running_out_of_memory_is_not_a_crash() {
        assert_eq!(code(6, "memory allocation of 80 bytes failed\n", false), FailureCode::OutOfMemory);
        assert_eq!(code(9, "", true), FailureCode::OutOfMemory);
        assert_eq!(crash(6, "stack overflow"), "signal 6 (SIGABRT): stack overflow");
    }

    #[test]
    fn an_exit_without_a_result_is_an_internal_error() {
        assert_eq!(code(0, "", false), FailureCode::Internal);
    }
}
