//! Which libraries may be loaded.
//!
//! That nobody could change a file is checked before ([`opening`](super::opening)) and holds for
//! all of them. Where lock files lie, and which policy is in force, is for the face to say.

mod entry;
mod keys;
mod lock;
mod signature;

pub use entry::Entry;
pub use keys::{Key, KeyError, KeyId};
pub use lock::{LockChange, LockError, LockFile};
pub use signature::SignatureError;
pub(crate) use signature::signature_of;

use super::error::PluginError;
use super::file::InspectedFile;
use super::opening::owner;
use keys::revoked_by;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

/// Decides which libraries may be loaded.
pub struct Trust {
    rule: Rule,
    companion: Option<Companion>,
    locks: Vec<LockFile>,
    named_lock: NamedLock,
}

enum Rule {
    /// Whatever is named.
    Any,
    /// What somebody is about to trust: whatever is named, unless its signature warns of it.
    Candidate,
    /// What a lock file has.
    Locked,
    /// What has a good signature by a trusted key.
    Signed,
}

/// The library that was built beside the program, and who owns the program.
struct Companion {
    file: PathBuf,
    owner: Option<u32>,
}

/// The lock file that somebody named, as the option that a line of advice repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedLock(Option<PathBuf>);

impl Display for NamedLock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |path| write!(out, " --lock {}", path.display()))
    }
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
    /// This key, which a lock file trusts, signed it.
    Signed(KeyId),
}

impl Trusted {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Trusted::Any => "any",
            Trusted::BesideTheProgram => "beside the program",
            Trusted::Locked => "locked",
            Trusted::Dev => "dev",
            Trusted::Signed(_) => "signed",
        }
    }

    /// The key that it is trusted for.
    pub fn key(self) -> Option<KeyId> {
        match self {
            Trusted::Signed(key) => Some(key),
            _ => None,
        }
    }
}

impl Trust {
    fn new(rule: Rule, locks: Vec<LockFile>) -> Trust {
        Trust { rule, companion: None, locks, named_lock: NamedLock::default() }
    }

    /// Any library: whoever names it has decided.
    pub fn any() -> Trust {
        Trust::new(Rule::Any, Vec::new())
    }

    /// Any library that somebody is about to trust. One with a signature that is bad, damaged or
    /// by a key that one of these lock files revokes is refused all the same.
    pub fn candidate(locks: Vec<LockFile>) -> Trust {
        Trust::new(Rule::Candidate, locks)
    }

    /// The libraries in these lock files, but for those that had the signature of a key that one of
    /// them revokes.
    pub fn locked(locks: Vec<LockFile>) -> Trust {
        Trust::new(Rule::Locked, locks)
    }

    /// The libraries beside which there is a good signature by a key that one of these lock files
    /// trusts and none revokes.
    pub fn signed(locks: Vec<LockFile>) -> Trust {
        Trust::new(Rule::Signed, locks)
    }

    /// Also the library of this name in the folder of a program, if one user owns both.
    pub fn with_companion(self, program: &Path, name: &str) -> Trust {
        // A program that can't be found has no companion.
        let companion = program.canonicalize().and_then(|program| {
            let owner = owner(&std::fs::metadata(&program)?);
            Ok(Companion { file: program.with_file_name(name), owner })
        });
        Trust { companion: companion.ok(), ..self }
    }

    /// Says in refusals that this lock file was named with `--lock`.
    pub fn with_named_lock(self, path: Option<PathBuf>) -> Trust {
        Trust { named_lock: NamedLock(path), ..self }
    }

    /// Why a library may be loaded; `owner` is who owns its file, `bytes` are all of it.
    pub(super) fn decide(
        &self,
        file: &InspectedFile,
        owner: Option<u32>,
        bytes: &[u8],
    ) -> Result<Trusted, PluginError> {
        let is_companion = |it: &Companion| it.file == file.path() && it.owner == owner;
        if self.companion.as_ref().is_some_and(is_companion) {
            return Ok(Trusted::BesideTheProgram);
        }
        let signature = || signature::check(file.path(), bytes, &self.locks, &self.named_lock);
        let signed = match self.rule {
            Rule::Any => return Ok(Trusted::Any),
            Rule::Locked => return self.locked_entry(file),
            Rule::Signed => signature(),
            Rule::Candidate => match signature() {
                Err(SignatureError::Missing { .. } | SignatureError::UnknownKey { .. }) => {
                    return Ok(Trusted::Any);
                }
                checked => checked,
            },
        };
        let path = file.path().to_owned();
        signed.map(Trusted::Signed).map_err(|cause| PluginError::Signature { path, cause })
    }

    /// Why a lock file allows a library.
    fn locked_entry(&self, file: &InspectedFile) -> Result<Trusted, PluginError> {
        let entries = || self.locks.iter().flat_map(LockFile::entries);
        let of_it = || entries().filter(|entry| entry.sha256() == Some(file.digest()));
        let path = file.path().to_owned();
        // Whatever else allows it: its signer is one of whom nothing is to be believed any more.
        for key in of_it().filter_map(Entry::key) {
            if let Some(revoked_by) = revoked_by(&self.locks, key) {
                let (revoked_by, lock) = (revoked_by.to_owned(), self.named_lock.clone());
                return Err(PluginError::SignerRevoked { path, key, revoked_by, lock });
            }
        }
        if of_it().next().is_some() {
            return Ok(Trusted::Locked);
        }
        let here = || entries().filter(|entry| entry.file() == file.path());
        if here().any(Entry::is_dev) {
            return Ok(Trusted::Dev);
        }
        let (digest, lock) = (file.digest().to_owned(), self.named_lock.clone());
        Err(match here().next() {
            Some(_) => PluginError::Changed { path, digest, lock },
            None => PluginError::NotTrusted { path, digest, lock },
        })
    }
}
