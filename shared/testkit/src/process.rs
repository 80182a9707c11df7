//! Child processes that can't outlive the test process.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use crate::folder;

/// A child that gets SIGKILL when dropped and its death signal when this process dies first.
#[derive(Debug)]
pub struct Tied(pub Child);

impl Tied {
    /// Sends a signal, such as `libc::SIGTERM`.
    pub fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.0.id()).unwrap();
        // SAFETY: kill has no memory effects; the pid is a child we have not reaped yet.
        unsafe { libc::kill(pid, signal) };
    }
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

/// A loopback port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
