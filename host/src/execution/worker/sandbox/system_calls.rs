//! Only those system calls that computing needs: no sockets, no programs, no processes, no tracing.
//!
//! What isn't listed is answered "not permitted"; `clone3` is answered "not implemented", upon
//! which the C library starts threads by `clone`, whose arguments can be looked at.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};
use std::collections::BTreeMap;

/// Forbids all system calls but those of the list, in this thread and those that it starts.
pub(super) fn forbid() -> Result<(), String> {
    let filters = [not_implemented(), allowed()];
    for filter in filters {
        let program = filter
            .and_then(|filter| BpfProgram::try_from(filter).map_err(|error| error.to_string()));
        let applied =
            program.and_then(|program| apply_filter(&program).map_err(|error| error.to_string()));
        applied.map_err(|error| {
            format!("seccomp can't be used, so all system calls are open: {error}")
        })?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn filter(
    rules: Rules,
    others: SeccompAction,
    listed: SeccompAction,
) -> Result<SeccompFilter, String> {
    let architecture = std::env::consts::ARCH
        .try_into()
        .map_err(|_| format!("it doesn't know the processor {}", std::env::consts::ARCH))?;
    SeccompFilter::new(rules, others, listed, architecture).map_err(|error| error.to_string())
}

fn not_implemented() -> Result<SeccompFilter, String> {
    let rules = Rules::from([(libc::SYS_clone3, Vec::new())]);
    filter(rules, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))
}

fn allowed() -> Result<SeccompFilter, String> {
    let mut rules: Rules = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    // Answered by the filter before this one.
    rules.insert(libc::SYS_clone3, Vec::new());
    let thread = libc::CLONE_THREAD as u64;
    rules.insert(libc::SYS_clone, vec![rule(&[(0, SeccompCmpOp::MaskedEq(thread), thread)])?]);
    // Signals go to this process alone: a plugin that aborts, or a thread that ends another.
    let this = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![rule(&[(0, SeccompCmpOp::Eq, this)])?]);
    // A thread may name itself; nothing else of its process is its to set.
    let name = libc::PR_SET_NAME as u64;
    rules.insert(libc::SYS_prctl, vec![rule(&[(0, SeccompCmpOp::Eq, name)])?]);
    // Its own limits may be read; setting one is for the processor's time alone.
    let own = (0, SeccompCmpOp::Eq, 0);
    let processor_time = u64::from(libc::RLIMIT_CPU);
    rules.insert(
        libc::SYS_prlimit64,
        vec![
            rule(&[own.clone(), (2, SeccompCmpOp::Eq, 0)])?,
            rule(&[own, (1, SeccompCmpOp::Eq, processor_time)])?,
        ],
    );
    // Descriptors may be looked at and doubled, and not made to send signals.
    let commands = [
        libc::F_DUPFD,
        libc::F_DUPFD_CLOEXEC,
        libc::F_GETFD,
        libc::F_SETFD,
        libc::F_GETFL,
        libc::F_GET_SEALS,
    ];
    let look = |command| rule(&[(1, SeccompCmpOp::Eq, u64::from(command as u32))]);
    rules.insert(libc::SYS_fcntl, commands.into_iter().map(look).collect::<Result<_, _>>()?);
    // What the standard library writes to its socket with, without an address.
    rules.insert(libc::SYS_sendto, vec![rule(&[(4, SeccompCmpOp::Eq, 0)])?]);
    filter(rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)
}

/// A rule that holds where each of these arguments compares so with its value.
fn rule(arguments: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, String> {
    let conditions = arguments.iter().map(|(argument, operator, value)| {
        SeccompCondition::new(*argument, SeccompCmpArgLen::Qword, operator.clone(), *value)
    });
    let conditions = conditions.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    SeccompRule::new(conditions).map_err(|error| error.to_string())
}

/// Memory, threads, time, signals to itself, and the descriptors that it has.
const ALLOWED: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sigaltstack,
    libc::SYS_statx,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_arch_prctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];
