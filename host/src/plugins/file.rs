//! A library as a file: what can be known of it without running any of its code.

use super::error::PluginError;
use super::inspection::inspect;
use super::library::Library;
use super::opening::{Opened, OpeningError, open_unverified, open_verified};
use super::sealed::Sealed;
use super::trust::{Trust, Trusted};
use once_cell::sync::OnceCell;
use playdock_plugin_api::identity::Identity;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A library that was looked at. It may be anybody's, and can't be loaded.
pub struct InspectedFile {
    path: PathBuf,
    identity: Identity,
    digest: String,
    needed: Vec<String>,
    size: u64,
}

impl InspectedFile {
    /// Looks at a library. None of its code runs.
    ///
    /// # Errors
    ///
    /// [`PluginError`]: it can't be read, or is no plugin that this host could load.
    pub fn open(path: &Path) -> Result<InspectedFile, PluginError> {
        let opened = open_unverified(path).map_err(|cause| not_opened(path, cause))?;
        read(opened, path).map(|(inspected, _)| inspected)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The SHA-256 of its bytes, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The libraries that it needs.
    pub fn needed(&self) -> &[String] {
        &self.needed
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// A library that may be loaded: nobody but the current user and root could change its file,
/// whoever opened it trusts it, and its bytes are kept as they were then.
pub struct PluginFile {
    inspected: InspectedFile,
    trusted: Trusted,
    sealed: Sealed,
    library: OnceCell<Library>,
}

impl PluginFile {
    /// Looks at a library that may be loaded if it is trusted. None of its code runs.
    ///
    /// # Errors
    ///
    /// [`PluginError`]: it can't be read, others could change it, it is not trusted, or it is no
    /// plugin that this host could load.
    pub fn open(path: &Path, trust: &Trust) -> Result<PluginFile, PluginError> {
        let opened = open_verified(path).map_err(|cause| not_opened(path, cause))?;
        let owner = opened.owner;
        let (inspected, bytes) = read(opened, path)?;
        let trusted = trust.decide(&inspected, owner, &bytes)?;
        let sealed = Sealed::copy(&bytes, inspected.digest())
            .map_err(|cause| PluginError::NotSealed { path: path.to_owned(), cause })?;
        Ok(PluginFile { inspected, trusted, sealed, library: OnceCell::new() })
    }

    /// What was seen when it was looked at.
    pub fn inspected(&self) -> &InspectedFile {
        &self.inspected
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.inspected.path()
    }

    /// What it says of itself.
    pub fn identity(&self) -> &Identity {
        self.inspected.identity()
    }

    /// The SHA-256 of its bytes, in hexadecimal.
    pub fn digest(&self) -> &str {
        self.inspected.digest()
    }

    /// Why it may be loaded.
    pub fn trusted(&self) -> Trusted {
        self.trusted
    }

    /// Loads it into this process, once; from here on its code runs.
    ///
    /// # Errors
    ///
    /// [`PluginError`]. A later call tries again.
    pub fn load(&self) -> Result<&Library, PluginError> {
        self.library.get_or_try_init(|| Library::load(self))
    }

    /// Its bytes, as they were checked.
    pub(crate) fn sealed(&self) -> &Sealed {
        &self.sealed
    }
}

fn not_opened(path: &Path, cause: OpeningError) -> PluginError {
    PluginError::NotOpened { path: path.to_owned(), cause }
}

/// Reads a library, and what can be known of it.
fn read(opened: Opened, named: &Path) -> Result<(InspectedFile, Vec<u8>), PluginError> {
    let path = opened.path.clone();
    let bytes = opened.read().map_err(|cause| not_opened(named, cause))?;
    let (identity, needed) = inspect(named, &bytes)?;
    let (digest, size) = (hexadecimal(&Sha256::digest(&bytes)), bytes.len() as u64);
    Ok((InspectedFile { path, identity, digest, needed, size }, bytes))
}

/// A digest in hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
