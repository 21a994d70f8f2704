//! Why a library can't be used, in one line each.

use super::inspection::LinkingError;
use super::opening::OpeningError;
use super::sealed::SealingError;
use super::trust::{KeyId, NamedLock, SignatureError};
use std::path::PathBuf;

/// Why a library can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant says what its members are")]
pub enum PluginError {
    /// There is no such file, it can't be read, or others could change it.
    #[error("the plugin {path} can't be used: {cause}")]
    NotOpened { path: PathBuf, cause: OpeningError },
    /// No lock file has it.
    #[error(
        "{path} is not trusted: its digest {digest} is in no lock file; if you trust it, run: playdock plugins trust {path}{lock}"
    )]
    NotTrusted { path: PathBuf, digest: String, lock: NamedLock },
    /// A lock file has it as it was.
    #[error(
        "{path} is not trusted: it has changed since it was, its digest is now {digest}; if you trust what it is now, run: playdock plugins trust {path}{lock}"
    )]
    Changed { path: PathBuf, digest: String, lock: NamedLock },
    /// A lock file has it, and its signer was revoked since.
    #[error(
        "{path} is not trusted any more: the key {key} had signed it, which {revoked_by} revokes; get a build that is signed by another key, or, if you trust this one all the same, remove {path}.minisig and run: playdock plugins trust {path}{lock}"
    )]
    SignerRevoked { path: PathBuf, key: KeyId, revoked_by: PathBuf, lock: NamedLock },
    /// No signature vouches for it.
    #[error("{path} is not trusted: {cause}")]
    Signature { path: PathBuf, cause: SignatureError },
    /// The file is no dynamic library.
    #[error("{path} is not a dynamic library ({what}): name the library that cargo built")]
    NotALibrary { path: PathBuf, what: String },
    /// The library is for another processor or system.
    #[error(
        "{path} is a library for {found}, and this host runs on {expected}: build it for this machine"
    )]
    WrongArchitecture { path: PathBuf, found: String, expected: String },
    /// A part of the file is missing.
    #[error("{path} is truncated or damaged ({what}): build or copy it again")]
    Truncated { path: PathBuf, what: String },
    /// The system's loader would do more with it than load it.
    #[error("{path} is refused: {cause}")]
    Refused { path: PathBuf, cause: LinkingError },
    /// The library has no Playdock header.
    #[error("{path} is a library, but not a Playdock plugin: it has no {what}")]
    NoHeader { path: PathBuf, what: &'static str },
    /// The library's identity can't be read.
    #[error("the identity in {path} can't be read ({cause}): build it with export_plugin!")]
    BadIdentity { path: PathBuf, cause: String },
    /// Its bytes can't be put where nobody changes them.
    #[error("the plugin {path} can't be used: {cause}")]
    NotSealed { path: PathBuf, cause: SealingError },
    /// The library is built against another boundary.
    #[error(
        "{path} was built for version {found} of the boundary, and this host knows version {known}: build it with a matching playdock-plugin-api"
    )]
    OtherBoundary { path: PathBuf, found: u32, known: u32 },
    /// The system's loader refused the library.
    #[error("{path} can't be loaded: {cause}")]
    NotLoaded { path: PathBuf, cause: String },
    /// The library says one thing in its file and another when it runs.
    #[error(
        "{path} can't be used: its file names the commands {named}, its code describes {described}; build it with export_plugin!"
    )]
    Lies { path: PathBuf, named: String, described: String },
    /// The library's answer to the first question can't be understood.
    #[error("{path} can't be used: it did not describe its commands: {cause}")]
    NotDescribed { path: PathBuf, cause: String },
    /// Two libraries have a command of one name.
    #[error("two plugins have a command {command}: {first} and {second}; leave one of them out")]
    CommandTwice { command: String, first: PathBuf, second: PathBuf },
}
