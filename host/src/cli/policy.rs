//! Which plugins this run of the program trusts, and where the lock files lie.
//!
//! Never in the working folder: whoever sent a folder with a plugin could send the trust in it too.

use super::arguments::{Common, PolicyArgument};
use super::exit::Failure;
use super::setup;
use crate::plugins::{LockFile, Trust};
use std::path::PathBuf;

/// The lock file of all users of a machine.
#[cfg(unix)]
const OF_THE_SYSTEM: &str = "/etc/playdock/plugins.lock";
/// The lock file of a user, in the folder of their configuration.
const OF_A_USER: &str = "playdock/plugins.lock";

/// What the arguments say of trust.
pub(super) fn trust(common: &Common) -> Result<Trust, Failure> {
    if common.policy == PolicyArgument::Any {
        return Ok(Trust::any());
    }
    let mut locks = Vec::new();
    if let Some(path) = own_path(common) {
        if common.lock.is_some() && !path.exists() {
            return Err(Failure::usage(format!(
                "there is no lock file {}; plugins trust makes it",
                path.display()
            )));
        }
        locks.push(LockFile::read(&path)?);
    }
    #[cfg(unix)]
    locks.push(LockFile::read(OF_THE_SYSTEM.as_ref())?);
    let program = setup::this_program()?;
    Ok(Trust::locked(locks).with_companion(&program, &setup::companion_name()))
}

/// The lock file that is written: the one that is named, or the user's.
pub(super) fn own_lock(common: &Common) -> Result<LockFile, Failure> {
    let path = own_path(common).ok_or_else(|| {
        Failure::usage("you have no folder for configuration; name a lock file with --lock")
    })?;
    Ok(LockFile::read(&path)?)
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
