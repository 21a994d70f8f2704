//! Who runs an execution, so that a dead host's executions can be taken over.
//!
//! A lease names its owner and how long it holds. On the owner's own machine it needs no waiting:
//! there a look tells whether the process still lives.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

/// How long a lease holds after its owner last wrote, in milliseconds.
pub(super) const LEASE_MILLISECONDS: i64 = 60_000;
/// The same.
pub(super) const LEASE: Duration = Duration::from_millis(LEASE_MILLISECONDS.unsigned_abs());

/// The process that holds a lease: its machine since the last boot, its id, and when it started,
/// since ids are used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseOwner {
    machine: String,
    process: u32,
    started: String,
}

impl LeaseOwner {
    /// This process.
    pub fn this_process() -> &'static LeaseOwner {
        static THIS: OnceLock<LeaseOwner> = OnceLock::new();
        THIS.get_or_init(|| {
            let process = std::process::id();
            LeaseOwner {
                machine: machine(),
                process,
                started: match look(process) {
                    Seen::Started(at) => at,
                    Seen::Dead | Seen::Hidden => String::new(),
                },
            }
        })
    }

    /// The text of this process.
    pub(super) fn this_process_as_text() -> &'static str {
        static THIS: OnceLock<String> = OnceLock::new();
        THIS.get_or_init(|| LeaseOwner::this_process().to_string())
    }

    /// Whether the owner, whose text is `owner`, is known to live (true) or to be dead (false);
    /// `None` where this machine can't tell.
    pub fn lives(owner: &str) -> Option<bool> {
        let owner = LeaseOwner::parse(owner)?;
        let here = LeaseOwner::this_process();
        if owner.machine != here.machine || here.started.is_empty() {
            return None;
        }
        match look(owner.process) {
            Seen::Started(at) => Some(at == owner.started),
            Seen::Dead => Some(false),
            Seen::Hidden => None,
        }
    }

    fn parse(text: &str) -> Option<LeaseOwner> {
        let mut parts = text.split(' ');
        Some(LeaseOwner {
            machine: parts.next()?.to_owned(),
            process: parts.next()?.parse().ok()?,
            started: parts.next()?.to_owned(),
        })
    }
}

impl fmt::Display for LeaseOwner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.machine, self.process, self.started)
    }
}

/// The machine since its last boot, and the namespace in which its process ids count.
#[cfg(target_os = "linux")]
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{}/{}", boot.trim(), namespace.display())
}

/// What can be seen of a process.
enum Seen {
    /// It lives, and started then, in the kernel's ticks.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "others don't tell"))]
    Started(String),
    /// There is none, or it only waits to be reaped.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "others don't tell"))]
    Dead,
    /// There is one, of which nothing is to be seen: the processes of other users may be hidden.
    Hidden,
}

#[cfg(target_os = "linux")]
fn look(process: u32) -> Seen {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else {
        let id = i32::try_from(process).ok().and_then(Pid::from_raw);
        let answer = id.map_or(Err(Errno::SRCH), test_kill_process);
        return if answer == Err(Errno::SRCH) { Seen::Dead } else { Seen::Hidden };
    };
    // The second field is the program's name in brackets, which may hold spaces and brackets.
    let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    match fields.next() {
        Some("Z" | "X") => Seen::Dead,
        _ => Seen::Started(fields.nth(18).unwrap_or_default().to_owned()),
    }
}

#[cfg(not(target_os = "linux"))]
fn machine() -> String {
    "-".to_owned()
}

#[cfg(not(target_os = "linux"))]
fn look(_process: u32) -> Seen {
    Seen::Hidden
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_another_start_of_its_id_does_not() {
        let this = LeaseOwner::this_process();
        assert_eq!(LeaseOwner::lives(&this.to_string()), Some(true));
        let earlier = LeaseOwner { started: "1".to_owned(), ..this.clone() };
        assert_eq!(LeaseOwner::lives(&earlier.to_string()), Some(false));
    }

    #[test]
    fn another_machine_can_not_be_told() {
        let other =
            LeaseOwner { machine: "other".to_owned(), ..LeaseOwner::this_process().clone() };
        assert_eq!(LeaseOwner::lives(&other.to_string()), None);
        assert_eq!(LeaseOwner::lives("nonsense"), None);
    }

    #[test]
    fn a_process_that_ended_is_dead() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let owner = LeaseOwner {
            process: child.id(),
            started: match look(child.id()) {
                Seen::Started(at) => at,
                Seen::Dead | Seen::Hidden => panic!("it lives, and is ours"),
            },
            ..LeaseOwner::this_process().clone()
        };
        assert_eq!(LeaseOwner::lives(&owner.to_string()), Some(true));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(LeaseOwner::lives(&owner.to_string()), Some(false));
    }
}
