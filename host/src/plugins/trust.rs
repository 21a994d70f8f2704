//! Which libraries may be loaded.
//!
//! That nobody could change a file is checked before ([`opening`](super::opening)) and holds for
//! all of them. Where lock files lie, and which policy is in force, is for the face to say.

mod lock;

pub use lock::{Entry, LockError, LockFile};

use super::error::PluginError;
use super::file::InspectedFile;
use super::opening::owner;
use std::path::{Path, PathBuf};

/// Decides which libraries may be loaded.
pub struct Trust(Policy);

enum Policy {
    Any,
    Locked { companion: Option<Companion>, locks: Vec<LockFile> },
}

/// The library that was built beside the program, and who owns the program.
struct Companion {
    file: PathBuf,
    owner: Option<u32>,
}

/// Why a library may be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trusted {
    /// Whoever named it decided.
    Any,
    /// It was built beside the program, and is trusted as the program is.
    BesideTheProgram,
    /// A lock file has its digest.
    Locked,
    /// A lock file allows whatever is built where it lies.
    Dev,
}

impl Trusted {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Trusted::Any => "any",
            Trusted::BesideTheProgram => "beside the program",
            Trusted::Locked => "locked",
            Trusted::Dev => "dev",
        }
    }
}

impl Trust {
    /// Any library: whoever names it has decided.
    pub fn any() -> Trust {
        Trust(Policy::Any)
    }

    /// The libraries in these lock files.
    pub fn locked(locks: Vec<LockFile>) -> Trust {
        Trust(Policy::Locked { companion: None, locks })
    }

    /// Also the library of this name in the folder of a program, if one user owns both.
    pub fn with_companion(self, program: &Path, name: &str) -> Trust {
        let Policy::Locked { locks, .. } = self.0 else {
            return self;
        };
        // A program that can't be found has no companion.
        let companion = program.canonicalize().and_then(|program| {
            let owner = owner(&std::fs::metadata(&program)?);
            Ok(Companion { file: program.with_file_name(name), owner })
        });
        Trust(Policy::Locked { companion: companion.ok(), locks })
    }

    /// Why a library may be loaded; `owner` is who owns its file.
    pub(super) fn decide(
        &self,
        file: &InspectedFile,
        owner: Option<u32>,
    ) -> Result<Trusted, PluginError> {
        let Policy::Locked { companion, locks } = &self.0 else {
            return Ok(Trusted::Any);
        };
        if companion.as_ref().is_some_and(|it| it.file == file.path() && it.owner == owner) {
            return Ok(Trusted::BesideTheProgram);
        }
        let entries = || locks.iter().flat_map(LockFile::entries);
        if entries().any(|entry| entry.sha256() == Some(file.digest())) {
            return Ok(Trusted::Locked);
        }
        let here = || entries().filter(|entry| entry.file() == file.path());
        if here().any(Entry::is_dev) {
            return Ok(Trusted::Dev);
        }
        let (path, digest) = (file.path().to_owned(), file.digest().to_owned());
        Err(match here().next() {
            Some(_) => PluginError::Changed { path, digest },
            None => PluginError::NotTrusted { path, digest },
        })
    }
}
