//! No files: what was open is closed, and nothing can be opened.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

/// Closes what this process inherited beyond the standard streams and what it opened itself: those
/// are closed when a program starts, and no other is.
pub(super) fn close_others() -> io::Result<()> {
    use rustix::io::{FdFlags, fcntl_getfd};
    let inherited: Vec<i32> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > 2)
        .collect();
    for descriptor in inherited {
        // SAFETY: it is only asked for its flags, within this block, and nothing else runs yet.
        let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
        if fcntl_getfd(borrowed).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC)) {
            // SAFETY: all that this program opens bears CLOEXEC, so nobody in it owns this one.
            drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
        }
    }
    Ok(())
}

/// Forbids to open anything by a path but one library, to bind or connect TCP ports, and to reach processes outside
/// by signals or abstract sockets. The error says what the kernel can't forbid.
pub(super) fn forbid(library: Option<BorrowedFd<'_>>) -> Result<(), String> {
    let abi = ABI::V6;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.scope(Scope::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(|rules| match library {
            Some(library) => rules.add_rule(PathBeneath::new(library, AccessFs::ReadFile)),
            None => Ok(rules),
        })
        .and_then(|rules| rules.no_new_privs(true).restrict_self());
    match status.map(|status| status.ruleset) {
        Ok(RulesetStatus::FullyEnforced) => Ok(()),
        Ok(RulesetStatus::PartiallyEnforced) => {
            Err("this kernel's Landlock is older and forbids only part of what it could".to_owned())
        }
        Ok(RulesetStatus::NotEnforced) => {
            Err("this kernel has no Landlock, so files can be opened".to_owned())
        }
        Err(error) => Err(format!("Landlock can't be used, so files can be opened: {error}")),
    }
}
