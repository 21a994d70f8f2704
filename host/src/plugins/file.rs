//! A library as a file: what can be known of it without running any of its code.

use super::error::PluginError;
use super::inspection::{Found, LinkingError, inspect};
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
    refused: Option<LinkingError>,
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
        let (inspected, _) = read(opened, path)?;
        inspected.not_refused(path)
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

    /// Why it isn't handed to the system's loader, whoever asks for it; none where it may be.
    pub fn refused(&self) -> Option<&LinkingError> {
        self.refused.as_ref()
    }

    /// It, if it may be handed to the system's loader; `named` is the path that errors speak of.
    fn not_refused(self, named: &Path) -> Result<InspectedFile, PluginError> {
        match &self.refused {
            Some(cause) => {
                Err(PluginError::Refused { path: named.to_owned(), cause: cause.clone() })
            }
            None => Ok(self),
        }
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// A library that was looked at, its bytes kept as they were then. It may be anybody's: it can be
/// asked for its commands inside a sandbox that lacks nothing, and can't be loaded.
pub struct KeptFile {
    inspected: InspectedFile,
    sealed: Sealed,
}

impl KeptFile {
    /// Looks at a library and keeps its bytes. None of its code runs.
    ///
    /// # Errors
    ///
    /// As [`InspectedFile::open`].
    pub fn open(path: &Path) -> Result<KeptFile, PluginError> {
        let opened = open_unverified(path).map_err(|cause| not_opened(path, cause))?;
        let (inspected, bytes) = read(opened, path)?;
        KeptFile::keep(inspected.not_refused(path)?, &bytes, path)
    }

    /// The same, for whoever says what is wrong with a library: one that must not be handed to the
    /// system's loader is kept too, and [`refused`](InspectedFile::refused) says why.
    ///
    /// # Errors
    ///
    /// As [`InspectedFile::open`].
    #[cfg(target_os = "linux")]
    pub(crate) fn open_refused_too(path: &Path) -> Result<KeptFile, PluginError> {
        let opened = open_unverified(path).map_err(|cause| not_opened(path, cause))?;
        let (inspected, bytes) = read(opened, path)?;
        KeptFile::keep(inspected, &bytes, path)
    }

    /// What was seen when it was looked at.
    pub fn inspected(&self) -> &InspectedFile {
        &self.inspected
    }

    /// Its bytes, as they were looked at.
    pub(crate) fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    fn keep(inspected: InspectedFile, bytes: &[u8], named: &Path) -> Result<KeptFile, PluginError> {
        let sealed = Sealed::copy(bytes, inspected.digest())
            .map_err(|cause| PluginError::NotSealed { path: named.to_owned(), cause })?;
        Ok(KeptFile { inspected, sealed })
    }
}

/// A library that may be loaded: nobody but the current user and root could change its file,
/// whoever opened it trusts it, and its bytes are kept as they were then.
pub struct PluginFile {
    kept: KeptFile,
    trusted: Trusted,
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
        let inspected = inspected.not_refused(path)?;
        let trusted = trust.decide(&inspected, owner, &bytes)?;
        let kept = KeptFile::keep(inspected, &bytes, path)?;
        Ok(PluginFile { kept, trusted, library: OnceCell::new() })
    }

    /// What was seen when it was looked at.
    pub fn inspected(&self) -> &InspectedFile {
        &self.kept.inspected
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.inspected().path()
    }

    /// What it says of itself.
    pub fn identity(&self) -> &Identity {
        self.inspected().identity()
    }

    /// The SHA-256 of its bytes, in hexadecimal.
    pub fn digest(&self) -> &str {
        self.inspected().digest()
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
    pub(crate) fn kept(&self) -> &KeptFile {
        &self.kept
    }
}

fn not_opened(path: &Path, cause: OpeningError) -> PluginError {
    PluginError::NotOpened { path: path.to_owned(), cause }
}

/// Reads a library, and what can be known of it.
fn read(opened: Opened, named: &Path) -> Result<(InspectedFile, Vec<u8>), PluginError> {
    let path = opened.path.clone();
    let bytes = opened.read().map_err(|cause| not_opened(named, cause))?;
    let Found { identity, needed } = inspect(named, &bytes)?;
    let (needed, refused) = match needed {
        Ok(needed) => (needed, None),
        Err(cause) => (Vec::new(), Some(cause)),
    };
    let (digest, size) = (hexadecimal(&Sha256::digest(&bytes)), bytes.len() as u64);
    Ok((InspectedFile { path, identity, digest, needed, refused, size }, bytes))
}

/// A digest in hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
