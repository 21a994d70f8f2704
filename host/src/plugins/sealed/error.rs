//! Why the bytes of a library can't be put where nobody changes them.

use super::super::opening::OpeningError;
use std::path::PathBuf;

/// Why the bytes of a library can't be put where nobody changes them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant says what its members are")]
pub enum SealingError {
    /// The system refused.
    #[error("{0}")]
    System(String),
    /// There is no folder for private copies.
    #[error("a private copy of it is needed here, and there is no folder for it: set {0}")]
    NoFolder(&'static str),
    /// The folder for private copies can't be used.
    #[error("a private copy of it can't be kept in {folder}: {cause}")]
    Folder { folder: PathBuf, cause: String },
    /// Others could look into the folder, or change it.
    #[error(
        "a private copy of it can't be kept in {folder}, which isn't yours alone; run: chmod 700 {folder}"
    )]
    NotPrivate { folder: PathBuf },
    /// The copy can't be opened, or others could change it.
    #[error("its private copy {copy} can't be used: {cause}")]
    Copy { copy: PathBuf, cause: OpeningError },
    /// The copy isn't what its name says.
    #[error("its private copy {copy} was changed; remove that file")]
    Differs { copy: PathBuf },
}

impl From<std::io::Error> for SealingError {
    fn from(error: std::io::Error) -> SealingError {
        SealingError::System(error.to_string())
    }
}
