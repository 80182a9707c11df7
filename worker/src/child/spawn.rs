//! Starts a training process with its limits, watches for its end and kills it: the only place with `unsafe`, for the
//! few calls between fork and exec.
//!
//! Each process has an operating system thread of its own that starts it, waits for it and reaps it. The kernel sends
//! the parent-death signal when the *thread* that forked is gone, so that thread must outlive the child; and a process
//! group may be signalled only while its leader is not reaped, which that thread alone decides.

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

/// What a training process may use.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// The program; it is started as `<program> train-task`.
    pub(crate) program: PathBuf,
    /// The folder where it starts and may write, removed after the run.
    pub(crate) folder: PathBuf,
    /// What confines it.
    pub(crate) sandbox: Sandbox,
    /// Longest run.
    pub(crate) timeout: Duration,
    /// Address space in MiB; 0 is unlimited.
    pub(crate) memory_mb: u64,
    /// Largest file it may write, in bytes.
    pub(crate) file_bytes: u64,
    /// Most it may write to its folder in all, in MiB; 0 is unlimited.
    pub(crate) folder_mb: u64,
    /// Most it may write to each of its pipes, in MiB.
    pub(crate) output_mb: u64,
    /// Most files it may have open.
    pub(crate) open_files: u64,
    /// Threads it may compute with.
    pub(crate) threads: usize,
}

/// A running training process. Dropping it kills it.
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
            // Gone already is as good as killed.
            let _ = kill_process_group(pid, signal);
        }
    }

    fn close(&self) {
        let mut pid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = pid.take() {
            // The leader is dead but not reaped, so the group's number can't have been given away: what it left
            // behind goes too.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Process {
    /// Starts the process.
    ///
    /// # Errors
    /// When the operating system refuses.
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

    /// Hands the task over. The pipe stays open: its end tells the process that its worker is gone.
    pub(super) async fn send(&mut self, task: &Task) {
        let Some(stdin) = &mut self.stdin else { return };
        let mut line = serde_json::to_vec(task).unwrap_or_default();
        line.push(b'\n');
        // A process that does not read is dead or hangs; both are found out by what follows.
        let _ = tokio::time::timeout(Duration::from_secs(10), stdin.write_all(&line)).await;
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let status = exit.wait_for(Option::is_some).await.map(|status| *status);
        status.ok().flatten().unwrap_or_default()
    }

    /// Asks it to end, and kills it after `grace`.
    pub(super) async fn terminate(&self, grace: Duration) {
        self.group.signal(Signal::TERM);
        if tokio::time::timeout(grace, self.ended()).await.is_err() {
            self.kill().await;
        }
    }

    /// Kills it and everything it started.
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

/// The life of one reaper thread: start, wait, clear up.
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
        // Nobody waits for it any more.
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
    // SAFETY: `confine` makes system calls alone: it takes no lock and allocates nothing, as must be between fork and
    // exec of a process with threads.
    unsafe {
        command.pre_exec(move || confine(memory, file_bytes, open_files, parent));
    }
    command
}

/// Everything the process gets to know of its surroundings: no secret of the worker's is among it.
fn environment(folder: &Path, threads: usize) -> Vec<(&'static str, std::ffi::OsString)> {
    let inherited = |name| std::env::var_os(name).map(|value| (name, value));
    let mut environment: Vec<_> = ["PATH", "LANG"].into_iter().filter_map(inherited).collect();
    environment.push(("TMPDIR", folder.into()));
    environment.push(("RAYON_NUM_THREADS", threads.to_string().into()));
    // Each allocator arena reserves 64 MiB of address space, which would count against the limit.
    environment.push(("MALLOC_ARENA_MAX", "2".into()));
    environment
}

/// Runs in the child between fork and exec.
fn confine(memory: u64, file_bytes: u64, open_files: u64, parent: u32) -> io::Result<()> {
    // SAFETY: each call takes plain numbers or a pointer to a live local or constant, and is async-signal-safe.
    unsafe {
        if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
            return Err(io::Error::last_os_error());
        }
        // The worker may have died before the line above.
        if u32::try_from(libc::getppid()) != Ok(parent) {
            libc::_exit(1);
        }
        // From here on failures are let pass: a container may forbid any of it, and the work can still be done.
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::umask(0o077);
        // The training gives way to heartbeats and serving, and is the first to go when memory runs out.
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

/// Lowers a limit, to what the worker itself may have at most.
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
