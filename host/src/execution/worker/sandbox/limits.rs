//! Limits on memory, files and processor time, and giving up capabilities.

use rustix::io;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use rustix::time::{ClockId, clock_gettime};

/// Address space of a worker, in bytes: one gibibyte is set aside by the program's own allocator,
/// and the rest is the plugin's.
const MEMORY: u64 = 5 << 30;
/// Descriptors that a worker may have open: its own few, and those that the loader needs.
const DESCRIPTORS: u64 = 16;
/// Processor time of one invocation, in seconds, over all its threads.
const PROCESSOR_SECONDS: u64 = 3_600;

pub(super) fn set() -> io::Result<()> {
    let fixed = |limit| Rlimit { current: Some(limit), maximum: Some(limit) };
    setrlimit(Resource::As, fixed(MEMORY))?;
    setrlimit(Resource::Nofile, fixed(DESCRIPTORS))?;
    setrlimit(Resource::Fsize, fixed(0))?;
    setrlimit(Resource::Core, fixed(0))
}

/// Asks the kernel to end this process, not its host, when the machine runs out of memory.
pub(super) fn prefer_when_memory_is_short() {
    // Where it can't be said, the kernel chooses as it does.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Gives the invocation that begins its processor time: a limit counts from the start of the
/// process, which may have served many.
pub(in super::super) fn limit_processor_time() {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or_default();
    let limit = Rlimit { current: Some(used + PROCESSOR_SECONDS), maximum: None };
    // It may only lower what it has by now; then the limit of an earlier invocation holds.
    let _ = setrlimit(Resource::Cpu, limit);
}

/// Gives up all capabilities: what root may, this process no longer may.
pub(super) fn drop_capabilities() -> io::Result<()> {
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
}
