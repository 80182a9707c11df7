//! Starts a training process with its limits, waits for its end, and kills it. `unsafe` is needed for the calls between
//! fork and exec.
//!
//! An operating system thread per process forks, waits and reaps. The kernel sends the parent-death signal when the forking
//! *thread* ends, so this thread must outlive the child. It also decides when the leader is reaped; a process group may be
//! signalled only before.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{oneshot, watch};

use crate::protocol::Task;
use crate::sandbox::Sandbox;

/// The limits of a training process.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// The program, started as `<program> train-task`.
    pub(crate) program: PathBuf,
    /// The working directory, which the process may write. It is deleted after the run.
    pub(crate) folder: PathBuf,
    /// The sandbox.
    pub(crate) sandbox: Sandbox,
    /// What the process does, for messages: `training` or `prediction`.
    pub(crate) work: &'static str,
    /// Time limit.
    pub(crate) timeout: Duration,
    /// Address space in MiB; 0 is unlimited.
    pub(crate) memory_mb: u64,
    /// Largest file, in bytes.
    pub(crate) file_bytes: u64,
    /// Total size of the folder in MiB; 0 is unlimited.
    pub(crate) folder_mb: u64,
    /// Most output on each pipe, in MiB.
    pub(crate) output_mb: u64,
    /// Most open files.
    pub(crate) open_files: u64,
    /// Threads for training.
    pub(crate) threads: usize,
}

/// A running training process, killed when dropped.
pub(super) struct Process {
    group: Group,
    exit: watch::Receiver<Option<ExitStatus>>,
    stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
}

/// The process group, until its leader is reaped.
#[derive(Clone)]
struct Group(Arc<Mutex<Option<Pid>>>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(pid) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // The group may have ended already.
            let _ = kill_process_group(pid, signal);
        }
    }

    fn close(&self) {
        let mut pid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = pid.take() {
            // The leader is dead and not reaped, so its group id is not reused. The rest of the group is killed.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Process {
    /// Starts the process.
    pub(super) async fn spawn(limits: &Limits) -> io::Result<Self> {
        let command = command(limits);
        let (started, spawned) = oneshot::channel();
        let (exit_sender, exit) = watch::channel(None);
        std::thread::Builder::new().name("train-reaper".into()).spawn(move || reap(command, started, &exit_sender))?;
        let (group, pipes) = spawned.await.map_err(io::Error::other)??;
        Ok(Self {
            group,
            exit,
            stdin: pipes.0.map(ChildStdin::from_std).transpose()?,
            stdout: pipes.1.map(ChildStdout::from_std).transpose()?,
            stderr: pipes.2.map(ChildStderr::from_std).transpose()?,
        })
    }

    /// Sends the task. The pipe stays open: the process ends when the pipe is closed by the death of its worker.
    pub(super) async fn send(&mut self, task: &Task) {
        let Some(stdin) = &mut self.stdin else { return };
        let mut line = serde_json::to_vec(task).unwrap_or_default();
        line.push(b'\n');
        // A process that does not read is dead or hangs, which the caller detects.
        let _ = tokio::time::timeout(Duration::from_secs(10), stdin.write_all(&line)).await;
    }

    /// Sends a single byte: [`crate::protocol::STORED`] or [`crate::protocol::INTERRUPT`].
    pub(super) async fn signal(&mut self, byte: u8) {
        let Some(stdin) = &mut self.stdin else { return };
        // A process that does not read is dead, which the caller detects.
        let _ = tokio::time::timeout(Duration::from_secs(10), stdin.write_all(&[byte])).await;
    }

    /// Waits until the process has ended.
    pub(super) async fn ended(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let status = exit.wait_for(Option::is_some).await.map(|status| *status);
        status.ok().flatten().unwrap_or_default()
    }

    /// Sends SIGTERM, and SIGKILL after `grace`.
    pub(super) async fn terminate(&self, grace: Duration) {
        self.group.signal(Signal::TERM);
        if tokio::time::timeout(grace, self.ended()).await.is_err() {
            self.kill().await;
        }
    }

    /// Kills the process group and waits for its end.
    pub(super) async fn kill(&self) {
        self.group.signal(Signal::KILL);
        self.ended().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.group.signal(Signal::KILL);
    }
}

type Pipes = (Option<std::process::ChildStdin>, Option<std::process::ChildStdout>, Option<std::process::ChildStderr>);

/// The reaper thread: starts the process, waits, and reaps it.
fn reap(
    mut command: Command,
    started: oneshot::Sender<io::Result<(Group, Pipes)>>,
    exit: &watch::Sender<Option<ExitStatus>>,
) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return drop(started.send(Err(error))),
    };
    let pid = Pid::from_child(&child);
    let group = Group(Arc::new(Mutex::new(Some(pid))));
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    if started.send(Ok((group.clone(), pipes))).is_err() {
        // The caller was dropped.
        group.signal(Signal::KILL);
    }
    let end = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), end) {}
    group.close();
    exit.send_replace(Some(child.wait().unwrap_or_default()));
}

fn command(limits: &Limits) -> Command {
    let mut command = Command::new(&limits.program);
    command
        .arg("train-task")
        .env_clear()
        .envs(environment(&limits.folder, limits.threads))
        .envs(limits.sandbox.environment())
        .current_dir(&limits.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let (memory, file_bytes) = (limits.memory_mb << 20, limits.file_bytes);
    let (open_files, parent) = (limits.open_files, std::process::id());
    // SAFETY: `apply_limits` makes only system calls. It takes no lock and allocates nothing, as is required between fork
    // and exec in a process with threads.
    unsafe {
        command.pre_exec(move || apply_limits(memory, file_bytes, open_files, parent));
    }
    command
}

/// The environment of the process. It contains no secret of the worker.
fn environment(folder: &Path, threads: usize) -> Vec<(&'static str, std::ffi::OsString)> {
    let inherited = |name| std::env::var_os(name).map(|value| (name, value));
    let mut environment: Vec<_> = ["PATH", "LANG"].into_iter().filter_map(inherited).collect();
    environment.push(("TMPDIR", folder.into()));
    environment.push(("RAYON_NUM_THREADS", threads.to_string().into()));
    // Each arena of the allocator reserves 64 MiB of address space, which counts towards the memory limit.
    environment.push(("MALLOC_ARENA_MAX", "2".into()));
    environment
}

/// Runs in the child between fork and exec.
fn apply_limits(memory: u64, file_bytes: u64, open_files: u64, parent: u32) -> io::Result<()> {
    // SAFETY: each call takes plain numbers or a pointer to a live local or constant, and is async-signal-safe.
    unsafe {
        if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
            return Err(io::Error::last_os_error());
        }
        // The worker may have died before the call above.
        if u32::try_from(libc::getppid()) != Ok(parent) {
            libc::_exit(1);
        }
        // Failures of the next calls are ignored: a container may forbid them, and training works without them.
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::umask(0o077);
        // Training has a lower priority than the heartbeat, and is the first victim of the OOM killer.
        libc::nice(5);
        let score = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if score >= 0 {
            libc::write(score, c"500".as_ptr().cast(), 3);
            libc::close(score);
        }
    }
    limit(libc::RLIMIT_CORE, 0)?;
    limit(libc::RLIMIT_NOFILE, open_files)?;
    limit(libc::RLIMIT_FSIZE, file_bytes)?;
    if memory > 0 { limit(libc::RLIMIT_AS, memory) } else { Ok(()) }
}

#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

/// Lowers a resource limit to `value`, or to the worker's own limit if that is lower.
fn limit(resource: Resource, value: u64) -> io::Result<()> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls get a pointer to a live `rlimit`.
    unsafe {
        if libc::getrlimit(resource, &raw mut now) != 0 {
            return Err(io::Error::last_os_error());
        }
        let value = value.min(now.rlim_max);
        let new = libc::rlimit { rlim_cur: value, rlim_max: value };
        if libc::setrlimit(resource, &raw const new) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
