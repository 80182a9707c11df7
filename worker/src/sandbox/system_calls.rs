//! Seccomp: system calls for the network, other processes, other files or kernel settings fail with `EPERM`.
//!
//! The filter is a deny list. An allow list would have to contain every call of every C library on every kernel, and
//! training would die where a call is missing. A deny list misses newer calls, so calls above [`NEWEST`] fail with `ENOSYS`.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter, sock_filter,
};

/// The highest system call number that was reviewed for this list (`mseal`, Linux 6.10). The limit also excludes the x32
/// calls of x86-64, whose numbers start at 0x4000_0000.
const NEWEST: u32 = 462;

/// `fchmodat2`, which the libc crate does not name on every architecture.
const FCHMODAT2: i64 = 452;
/// `statmount` and `listmount`.
const MOUNT_LISTS: [i64; 2] = [457, 458];

/// Denied with any arguments.
const DENIED: &[i64] = &[
    // Network and local sockets.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvmmsg,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    // Programs and other processes. `setpgid` and `setsid` would move the process out of the group that is killed.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_setpgid,
    libc::SYS_setsid,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setaffinity,
    libc::SYS_setrlimit,
    // Memory that other processes share, and message queues.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    // Changes of files that Landlock does not cover on every kernel, and file events.
    libc::SYS_truncate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_utimensat,
    libc::SYS_mknodat,
    libc::SYS_symlinkat,
    libc::SYS_linkat,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_ioctl,
    // Mounts and namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    MOUNT_LISTS[0],
    MOUNT_LISTS[1],
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // Users and capabilities.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_personality,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Parts of the kernel with a large attack surface that training does not need.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_setup,
    libc::SYS_io_submit,
    libc::SYS_vmsplice,
    libc::SYS_seccomp,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    // The libc crate lacks it there.
    #[cfg(not(target_arch = "riscv64"))]
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_acct,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
];

/// Older forms of the calls above, which only x86-64 still has.
#[cfg(target_arch = "x86_64")]
const DENIED_ON_THIS_ARCHITECTURE: &[i64] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_mknod,
    libc::SYS_symlink,
    libc::SYS_link,
    libc::SYS_inotify_init,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_ON_THIS_ARCHITECTURE: &[i64] = &[];

/// Installs the filter for the calling thread and its later threads.
///
/// # Errors
/// Why the filter is not available.
pub(super) fn filter() -> Result<(), String> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)
        .map_err(|_| format!("there is no filter for the architecture {}", std::env::consts::ARCH))?;
    let program = compile(architecture).map_err(|error| error.to_string())?;
    apply_filter(&program).map_err(|error| error.to_string())
}

fn compile(architecture: TargetArch) -> Result<BpfProgram, BackendError> {
    let denied = DENIED.iter().chain(DENIED_ON_THIS_ARCHITECTURE);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = denied.map(|call| (*call, Vec::new())).collect();
    rules.extend(conditional_rules()?);
    let deny = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let listed: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, deny, architecture)?.try_into()?;
    Ok(unknown_calls().into_iter().chain(listed).collect())
}

/// Calls that are denied by the value of an argument.
fn conditional_rules() -> Result<[(i64, Vec<SeccompRule>); 5], BackendError> {
    let rule = |argument, compare, value: i64| {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compare, value.cast_unsigned())?;
        SeccompRule::new(vec![condition])
    };
    let own = i64::from(std::process::id());
    let thread = i64::from(libc::CLONE_THREAD).cast_unsigned();
    Ok([
        // New threads are allowed, new processes are not.
        (libc::SYS_clone, vec![rule(0, SeccompCmpOp::MaskedEq(thread), 0)?]),
        // `abort` sends a signal to its own process.
        (libc::SYS_kill, vec![rule(0, SeccompCmpOp::Ne, own)?]),
        (libc::SYS_tgkill, vec![rule(0, SeccompCmpOp::Ne, own)?]),
        // A process may read its own limits. The third argument would set new limits.
        (libc::SYS_prlimit64, vec![rule(0, SeccompCmpOp::Ne, 0)?, sets_limits()?]),
        // The process must not clear its parent-death signal.
        (libc::SYS_prctl, vec![rule(0, SeccompCmpOp::Eq, libc::PR_SET_PDEATHSIG.into())?]),
    ])
}

fn sets_limits() -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?])
}

/// Returns `ENOSYS`, as an older kernel does, for calls above [`NEWEST`] and for `clone3`. A filter can't read the flags of
/// `clone3` behind its pointer. C libraries fall back to `clone`.
fn unknown_calls() -> [sock_filter; 4] {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_GREATER: u16 = 0x25;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let clone3 = libc::SYS_clone3 as u32;
    let instruction = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    [
        // The first word of the data is the system call number.
        instruction(LOAD_WORD, 0, 0, 0),
        instruction(JUMP_IF_GREATER, 1, 0, NEWEST),
        instruction(JUMP_IF_EQUAL, 0, 1, clone3),
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()),
    ]
}
