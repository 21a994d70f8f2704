//! Whose files may be on the way: those of root, of the current user, and of whoever owns the
//! program that runs, who could change all that it does anyway.
//!
//! In a user namespace without root, as sandboxes and `unshare` make them, root's files look as
//! anybody's do who isn't in it. There they have to be taken for root's.

use super::owner;
use std::fs::read_to_string;

/// What the kernel says of files whose owner isn't in the namespace, where it says nothing else.
const NOBODY: u32 = 65_534;

/// Whose files may be on the way.
pub(super) struct Owners {
    user: u32,
    /// The owner of the program, where it can be found out.
    program: Option<u32>,
    /// The id that root's files show, where root isn't in this namespace.
    unknown: Option<u32>,
}

impl Owners {
    /// Those of this process.
    pub(super) fn of_this_process() -> Owners {
        let user = rustix::process::geteuid().as_raw();
        let program = std::env::current_exe().and_then(std::fs::metadata).ok();
        let program = program.as_ref().and_then(owner);
        let map = read_to_string("/proc/self/uid_map").unwrap_or_default();
        let nobody = || {
            let said = read_to_string("/proc/sys/kernel/overflowuid").ok();
            said.and_then(|id| id.trim().parse().ok()).unwrap_or(NOBODY)
        };
        Owners { user, program, unknown: lacks_root(&map).then(nobody) }
    }

    /// Whether a file of this owner is theirs.
    pub(super) fn include(&self, owner: u32) -> bool {
        owner == 0 || owner == self.user || [self.program, self.unknown].contains(&Some(owner))
    }

    /// Whether a group is root's, or the owner's alone, which users have whose files are made
    /// writable to it.
    pub(super) fn is_own_group(&self, group: u32, owner: u32) -> bool {
        group == 0 || (group == owner && Some(owner) != self.unknown)
    }
}

/// Whether a map of a namespace's ids (inside, outside, how many) leaves out root. A map that can't
/// be read leaves out nobody.
fn lacks_root(map: &str) -> bool {
    let mut outside = map.lines().map(|line| line.split_whitespace().nth(1));
    !map.is_empty() && outside.all(|first| first.is_some_and(|first| first != "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_unknown_only_where_the_map_leaves_it_out() {
        assert!(!lacks_root("         0          0 4294967295\n"));
        assert!(!lacks_root("0 1000 1\n1000 0 1\n"));
        assert!(!lacks_root("") && !lacks_root("damaged\n"));
        assert!(lacks_root("         0       1000          1\n         1     100000      65536\n"));
    }

    #[test]
    fn the_group_of_an_unknown_owner_is_nobodys_own() {
        let owners = Owners { user: 1000, program: Some(1002), unknown: Some(NOBODY) };
        assert!(owners.include(0) && owners.include(1000) && owners.include(NOBODY));
        assert!(owners.include(1002) && !owners.include(1001));
        assert!(owners.is_own_group(1000, 1000) && owners.is_own_group(0, NOBODY));
        assert!(!owners.is_own_group(NOBODY, NOBODY) && !owners.is_own_group(100, 1000));
    }
}
