//! Which plugins this run of the program trusts, and where the lock files lie.
//!
//! Never in the working folder: whoever sent a folder with a plugin could send the trust in it too.

use super::arguments::{Common, PolicyArgument};
use super::exit::Failure;
use super::setup;
use crate::plugins::{LockChange, LockFile, Trust};
use std::path::PathBuf;

/// The lock file of all users of a machine.
#[cfg(unix)]
const OF_THE_SYSTEM: &str = "/etc/playdock/plugins.lock";
/// The lock file of a user, in the folder of their configuration.
const OF_A_USER: &str = "playdock/plugins.lock";

/// What the arguments and the lock files say of trust. A policy that is named is in force, whatever
/// a lock file asks for: whoever runs the program could run another.
pub(super) fn trust(common: &Common) -> Result<Trust, Failure> {
    if common.policy == Some(PolicyArgument::Any) {
        return Ok(Trust::any());
    }
    if let Some(path) = common.lock.as_ref().filter(|path| !path.exists()) {
        return Err(Failure::usage(format!(
            "there is no lock file {}; plugins trust makes it",
            path.display()
        )));
    }
    let locks = locks(common)?;
    let signed = match common.policy {
        Some(policy) => policy == PolicyArgument::Signed,
        None => locks.iter().any(LockFile::demands_signatures),
    };
    let trust = if signed { Trust::signed(locks) } else { Trust::locked(locks) };
    let program = setup::this_program()?;
    let trust = trust.with_companion(&program, &setup::companion_name());
    Ok(trust.with_named_lock(common.lock.clone()))
}

/// The lock files that are read, the one that is written first.
pub(super) fn locks(common: &Common) -> Result<Vec<LockFile>, Failure> {
    let mut locks = Vec::new();
    if let Some(path) = own_path(common) {
        locks.push(LockFile::read(&path)?);
    }
    locks.extend(others()?);
    Ok(locks)
}

/// The lock files that are read and never written.
pub(super) fn others() -> Result<Vec<LockFile>, Failure> {
    #[cfg(unix)]
    return Ok(vec![LockFile::read(OF_THE_SYSTEM.as_ref())?]);
    #[cfg(not(unix))]
    Ok(Vec::new())
}

/// The lock file that is written: the one that is named, or the user's.
pub(super) fn change(common: &Common) -> Result<LockChange, Failure> {
    let path = own_path(common).ok_or_else(|| {
        Failure::usage("you have no folder for configuration; name a lock file with --lock")
    })?;
    Ok(LockFile::change(&path)?)
}

fn own_path(common: &Common) -> Option<PathBuf> {
    common.lock.clone().or_else(|| {
        // What isn't absolute would be looked for in the working folder.
        let absolute = |path: &PathBuf| path.is_absolute();
        let configuration = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(absolute);
        let home = || std::env::home_dir().filter(absolute).map(|home| home.join(".config"));
        configuration.or_else(home).map(|folder| folder.join(OF_A_USER))
    })
}
