//! Child processes that can't outlive the test process.

use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::folder;

/// A child that gets SIGKILL when dropped and its death signal when this process dies first.
#[derive(Debug)]
pub struct Tied(pub Child);

impl Tied {
    /// Sends a signal, such as `libc::SIGTERM`.
    pub fn signal(&self, signal: i32) {
        // A child we have not reaped yet, so the number is its own.
        send_signal(self.0.id(), signal);
    }
}

/// Sends a signal to any process; one that is gone is let be.
pub fn send_signal(pid: u32, signal: i32) {
    // SAFETY: kill has no memory effects.
    unsafe { libc::kill(i32::try_from(pid).unwrap(), signal) };
}

/// The processes that `parent` has started and that still run, with their command lines.
pub fn children_of(parent: u32) -> Vec<(u32, String)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let of_parent = pids.filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may hold anything; the parent is the second field after it.
        let found: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        (found == parent).then(|| (pid, String::from_utf8_lossy(&command).replace('\0', " ")))
    });
    of_parent.collect()
}

impl Drop for Tied {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        folder::ended(self.0.id());
    }
}

type Order = (Command, i32, Sender<std::io::Result<Child>>);

/// Starts `command` so that it receives `death_signal` when this process ends, even by SIGKILL.
///
/// Linux sends the signal when the *thread* that spawned the child ends, and test threads come and go, so one thread
/// that lives as long as the process does all the spawning.
pub fn spawn_tied(mut command: Command, death_signal: i32) -> Tied {
    static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, signal, reply) in inbox {
                // SAFETY: prctl is async-signal-safe and touches nothing of ours.
                unsafe {
                    command.pre_exec(move || {
                        libc::prctl(libc::PR_SET_PDEATHSIG, signal);
                        Ok(())
                    });
                }
                let _ = reply.send(command.spawn());
            }
        });
        orders
    });
    command.stdin(std::process::Stdio::null());
    let name = format!("{:?}", command.get_program());
    let (reply, answer) = channel();
    spawner.send((command, death_signal, reply)).unwrap();
    match answer.recv().unwrap() {
        Ok(child) => {
            folder::end_at_exit(child.id(), death_signal);
            Tied(child)
        }
        Err(error) => panic!("{name} did not start ({error}); `make test` installs what the tests need"),
    }
}

/// Below what Linux gives to outgoing connections: one of those would take a port from a server that is about to start, or
/// that was killed and is to come back.
const PORTS: RangeInclusive<u16> = 20_000..=31_999;

/// A loopback port on which nothing listens, and which no other test gets until this process ends.
pub fn free_port() -> u16 {
    static HELD: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());
    // Each process begins elsewhere, so that they do not try each other's ports one by one.
    let first = usize::try_from(std::process::id()).unwrap() * 97 % PORTS.len();
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    for port in PORTS.cycle().skip(first + held.len()).take(PORTS.len()) {
        if let Some(mark) = take(port) {
            held.push(mark);
            return port;
        }
    }
    panic!("every port in {PORTS:?} is in use");
}

/// Takes a port if nothing listens there, and tells all test processes for as long as the mark is there: a socket's name in
/// the abstract namespace is its owner's alone and ends with it, however it ends. `None` when it is somebody else's.
fn take(port: u16) -> Option<UnixListener> {
    let name = SocketAddr::from_abstract_name(format!("trainyard-test-port-{port}")).unwrap();
    let mark = UnixListener::bind_addr(&name).ok()?;
    TcpListener::bind(("127.0.0.1", port)).ok().map(|_| mark)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_port_is_given_once_and_is_nobody_elses() {
        let ports: HashSet<_> = (0..200).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 200);
        assert!(ports.iter().all(|port| take(*port).is_none()), "another process would get it too");
    }

    #[test]
    fn a_port_that_something_listens_on_is_not_given() {
        let listening = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(take(listening.local_addr().unwrap().port()).is_none());
    }
}
