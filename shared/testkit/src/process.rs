//! Child processes that end with the test process.

use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::folder;

/// A child process that is killed on drop, and gets its death signal if this process ends first.
#[derive(Debug)]
pub struct ChildGuard(pub Child);

impl ChildGuard {
    /// Sends a signal, such as `libc::SIGTERM`.
    pub fn signal(&self, signal: i32) {
        // The child was not reaped, so its id can't be reused.
        send_signal(self.0.id(), signal);
    }
}

/// Sends a signal to a process; errors are ignored.
pub fn send_signal(pid: u32, signal: i32) {
    // SAFETY: kill has no memory effects.
    unsafe { libc::kill(i32::try_from(pid).unwrap(), signal) };
}

/// The running children of `parent` with their command lines.
pub fn children_of(parent: u32) -> Vec<(u32, String)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let of_parent = pids.filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses can contain any character; the parent is the second field after it.
        let found: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        (found == parent).then(|| (pid, String::from_utf8_lossy(&command).replace('\0', " ")))
    });
    of_parent.collect()
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        folder::forget_process(self.0.id());
    }
}

type SpawnRequest = (Command, i32, Sender<std::io::Result<Child>>);

/// Starts `command`. The child gets `death_signal` when this process ends, even by SIGKILL.
///
/// Linux sends the signal when the *thread* that spawned the child ends. Test threads end earlier, so one permanent
/// thread spawns all children.
pub fn spawn_guarded(mut command: Command, death_signal: i32) -> ChildGuard {
    static SPAWNER: OnceLock<Sender<SpawnRequest>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (requests, receiver) = channel::<SpawnRequest>();
        std::thread::spawn(move || {
            for (mut command, signal, reply) in receiver {
                // SAFETY: prctl is async-signal-safe and does not access memory.
                unsafe {
                    command.pre_exec(move || {
                        libc::prctl(libc::PR_SET_PDEATHSIG, signal);
                        Ok(())
                    });
                }
                let _ = reply.send(command.spawn());
            }
        });
        requests
    });
    command.stdin(std::process::Stdio::null());
    let name = format!("{:?}", command.get_program());
    let (reply, answer) = channel();
    spawner.send((command, death_signal, reply)).unwrap();
    match answer.recv().unwrap() {
        Ok(child) => {
            folder::stop_at_exit(child.id(), death_signal);
            ChildGuard(child)
        }
        Err(error) => panic!("{name} did not start ({error}); `make test` installs what the tests need"),
    }
}

/// Below Linux' range of ephemeral ports: an outgoing connection could take the port of a server that is about to
/// start.
const PORTS: RangeInclusive<u16> = 20_000..=31_999;

/// A free loopback port that no other test gets until this process ends.
pub fn free_port() -> u16 {
    static RESERVED: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());
    // Each process starts at another port, to avoid conflicts.
    let first = usize::try_from(std::process::id()).unwrap() * 97 % PORTS.len();
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    for port in PORTS.cycle().skip(first + reserved.len()).take(PORTS.len()) {
        if let Some(reservation) = reserve(port) {
            reserved.push(reservation);
            return port;
        }
    }
    panic!("every port in {PORTS:?} is in use");
}

/// Reserves a port for all test processes if nothing listens on it. The reservation is a socket in the abstract
/// namespace, which ends with the process. `None` if another process has reserved the port.
fn reserve(port: u16) -> Option<UnixListener> {
    let name = SocketAddr::from_abstract_name(format!("trainyard-test-port-{port}")).unwrap();
    let reservation = UnixListener::bind_addr(&name).ok()?;
    TcpListener::bind(("127.0.0.1", port)).ok().map(|_| reservation)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_port_is_returned_only_once() {
        let ports: HashSet<_> = (0..200).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 200);
        assert!(ports.iter().all(|port| reserve(*port).is_none()), "another process could get the port");
    }

    #[test]
    fn a_port_in_use_is_not_returned() {
        let listening = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(reserve(listening.local_addr().unwrap().port()).is_none());
    }
}
