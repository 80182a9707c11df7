//! A training process that tries to leave its sandbox, for the tests. It enters the sandbox like the real process, and
//! reports which forbidden attempts succeeded and which needed attempts failed.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;

use rustix::process::{geteuid, getppid};
use trainyard_worker::sandbox;

type Attempt = (&'static str, Box<dyn Fn() -> bool>);

#[expect(clippy::print_stdout, reason = "standard output is where a training process reports")]
fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a TCP port");
    let port = listener.local_addr().expect("a bound port has an address").port();
    let _socket = UnixListener::bind("own.sock").expect("a socket in the own folder");
    // The folder of another run.
    let sibling = format!("../../sibling-{}", std::process::id());
    fs::create_dir(&sibling).expect("a sibling's folder");
    fs::write(format!("{sibling}/secret"), "secret").expect("a sibling's file");
    let entered = sandbox::enter();

    let forbidden = network(port).into_iter().chain(files(sibling)).chain(processes()).chain(kernel());
    let allowed: Vec<_> = forbidden.filter(|(_, attempt)| attempt()).map(|(name, _)| name).collect();
    let broken: Vec<_> = needed().into_iter().filter(|(_, attempt)| !attempt()).map(|(name, _)| name).collect();
    let user = geteuid().as_raw();
    let message = format!("entered {entered:?}, user {user}, allowed {allowed:?}, broken {broken:?}");
    println!("{}", serde_json::json!({"type": "failed", "code": "bad_data", "message": message}));
}

fn network(port: u16) -> Vec<Attempt> {
    vec![
        attempt("tcp connect", move || TcpStream::connect(("127.0.0.1", port)).is_ok()),
        attempt("tcp listen", || TcpListener::bind("127.0.0.1:0").is_ok()),
        attempt("udp", || UdpSocket::bind("127.0.0.1:0").is_ok()),
        attempt("unix connect", || UnixStream::connect("own.sock").is_ok()),
        attempt("socket pair", || UnixStream::pair().is_ok()),
    ]
}

fn files(sibling: String) -> Vec<Attempt> {
    let secret = format!("{sibling}/secret");
    let (changed, truncated) = (secret.clone(), path(&secret));
    vec![
        attempt("read system file", || fs::read("/etc/passwd").is_ok()),
        attempt("list system folder", || fs::read_dir("/").is_ok()),
        attempt("read sibling", move || fs::read(&secret).is_ok()),
        attempt("list sibling", move || fs::read_dir(&sibling).is_ok()),
        attempt("change sibling", move || OpenOptions::new().append(true).open(&changed).is_ok()),
        attempt("truncate sibling", move || call(libc::SYS_truncate, [truncated.as_ptr() as usize, 0, 0])),
        attempt("write outside", || fs::write("../outside", "x").is_ok()),
        attempt("write to /tmp", || fs::write("/tmp/trainyard-sandbox-probe", "x").is_ok()),
        attempt("change dataset", || OpenOptions::new().append(true).open("../dataset.csv").is_ok()),
        attempt("dataset's mode", || fs::set_permissions("../dataset.csv", fs::Permissions::from_mode(0o644)).is_ok()),
        attempt("remove dataset", || fs::rename("../dataset.csv", "taken.csv").is_ok()),
        attempt("symbolic link", || symlink("/etc/passwd", "link").is_ok()),
        attempt("hard link", || fs::hard_link("../dataset.csv", "hard").is_ok()),
        attempt("own environment", || fs::read("/proc/self/environ").is_ok()),
    ]
}

fn processes() -> Vec<Attempt> {
    let parent = getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
    let number = parent.cast_unsigned() as usize;
    vec![
        attempt("exec", || Command::new("/bin/true").status().is_ok()),
        attempt("fork", || call(libc::SYS_clone, [libc::SIGCHLD.cast_unsigned() as usize, 0, 0])),
        attempt("signal parent", move || call(libc::SYS_kill, [number, 0, 0])),
        attempt("signal parent's thread", move || call(libc::SYS_tgkill, [number, number, 0])),
        attempt("handle of parent", move || call(libc::SYS_pidfd_open, [number, 0, 0])),
        attempt("trace parent", move || call(libc::SYS_ptrace, [libc::PTRACE_SEIZE as usize, number, 0])),
        attempt("parent's environment", move || fs::read(format!("/proc/{parent}/environ")).is_ok()),
        attempt("parent's memory", move || File::open(format!("/proc/{parent}/mem")).is_ok()),
        attempt("parent's files", move || fs::read_dir(format!("/proc/{parent}/fd")).is_ok()),
        attempt("parent's limits", move || call(libc::SYS_prlimit64, [number, libc::RLIMIT_NOFILE as usize, 0])),
        attempt("leave process group", || call(libc::SYS_setpgid, [0, 0, 0])),
        attempt("outlive parent", || call(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, 0, 0])),
    ]
}

fn kernel() -> Vec<Attempt> {
    const ABOVE_EVERY_KNOWN_CALL: i64 = 463;
    vec![
        attempt("user namespace", || call(libc::SYS_unshare, [libc::CLONE_NEWUSER as usize, 0, 0])),
        attempt("memory file", || call(libc::SYS_memfd_create, [path("x").as_ptr() as usize, 0, 0])),
        attempt("key ring", || call(libc::SYS_keyctl, [0, 0xffff_fffd, 1])),
        attempt("io_uring", || {
            let parameters = [0_u8; 256];
            call(libc::SYS_io_uring_setup, [1, parameters.as_ptr() as usize, 0])
        }),
        attempt("page faults", || call(libc::SYS_userfaultfd, [1, 0, 0])),
        attempt("shared memory", || call(libc::SYS_shmget, [0, 4096, 0o1600])),
        attempt("change user", || call(libc::SYS_setresuid, [usize::MAX, usize::MAX, usize::MAX])),
        // Must fail as unknown, and not because of its arguments.
        attempt("unknown call", || {
            !call(ABOVE_EVERY_KNOWN_CALL, [0, 0, 0])
                && std::io::Error::last_os_error().raw_os_error() != Some(libc::ENOSYS)
        }),
    ]
}

/// Attempts that training needs inside the sandbox.
fn needed() -> Vec<Attempt> {
    vec![
        attempt("read dataset", || fs::read("../dataset.csv").is_ok_and(|data| !data.is_empty())),
        attempt("write model", || fs::write("model.tym", "x").is_ok() && fs::write("model.tym", "y").is_ok()),
        attempt("temporary folder", || fs::create_dir("scratch").and_then(|()| fs::remove_dir("scratch")).is_ok()),
        attempt("thread", || std::thread::spawn(|| true).join().unwrap_or(false)),
        attempt("own signal", || call(libc::SYS_kill, [std::process::id() as usize, 0, 0])),
        attempt("own limits", || call(libc::SYS_prlimit64, [0, libc::RLIMIT_NOFILE as usize, 0])),
    ]
}

fn attempt(name: &'static str, attempt: impl Fn() -> bool + 'static) -> Attempt {
    (name, Box::new(attempt))
}

fn path(text: &str) -> CString {
    CString::new(text).expect("no zero byte")
}

/// Makes a system call and returns whether it succeeded. A new process ends at once.
fn call(number: i64, [first, second, third]: [usize; 3]) -> bool {
    // SAFETY: the calls made here take numbers, null, or pointers to constants and buffers that outlive the call.
    let result = unsafe { libc::syscall(number, first, second, third, 0, 0) };
    if number == libc::SYS_clone && result == 0 {
        std::process::exit(0);
    }
    result >= 0
}
