//! A library as a file: what can be known of it without running any of its code.

use super::error::PluginError;
use super::library::Library;
use super::opening::{Opened, OpeningError, open_unverified, open_verified};
use super::sealed::Sealed;
use super::trust::{Trust, Trusted};
use object::read::NameOrOrdinal;
use object::{Architecture, BinaryFormat, Object, ObjectKind, ObjectSection, ObjectSegment};
use once_cell::sync::OnceCell;
use playdock_plugin_api::boundary::BOUNDARY_VERSION;
use playdock_plugin_api::identity::{Identity, SECTION};
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

    /// Looks at a library that may be anybody's, and keeps its bytes: for a process that gives up
    /// all that it may do before it runs them.
    ///
    /// # Errors
    ///
    /// As [`open`](InspectedFile::open).
    #[cfg(target_os = "linux")]
    pub(crate) fn open_sealed(path: &Path) -> Result<(InspectedFile, Sealed), PluginError> {
        let opened = open_unverified(path).map_err(|cause| not_opened(path, cause))?;
        let (inspected, bytes) = read(opened, path)?;
        let sealed = Sealed::copy(&bytes, inspected.path());
        Ok((inspected, sealed.map_err(|error| not_opened(path, error.into()))?))
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
        let trusted = trust.decide(&inspected, owner)?;
        let sealed = Sealed::copy(&bytes, inspected.path());
        let sealed = sealed.map_err(|error| not_opened(path, error.into()))?;
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

/// Reads a library's identity and the names of the libraries that it needs.
fn inspect(path: &Path, bytes: &[u8]) -> Result<(Identity, Vec<String>), PluginError> {
    let path = path.to_owned();
    if object::FileKind::parse(bytes).is_err() {
        let what =
            if bytes.is_empty() { "it is empty" } else { "its beginning is that of no such file" };
        return Err(PluginError::NotALibrary { path, what: what.to_owned() });
    }
    let truncated = |what: String| PluginError::Truncated { path: path.clone(), what };
    let file = object::File::parse(bytes).map_err(|error| truncated(error.to_string()))?;
    let (found, expected) = (platform(file.format(), file.architecture()), host_platform());
    if found != expected {
        return Err(PluginError::WrongArchitecture { path, found, expected });
    }
    if file.kind() != ObjectKind::Dynamic && file.kind() != ObjectKind::Executable {
        let what = "it is an object file or an archive".to_owned();
        return Err(PluginError::NotALibrary { path, what });
    }
    // The loader maps segments without asking whether the file reaches so far.
    for segment in file.segments() {
        let (start, size) = segment.file_range();
        if start.checked_add(size).is_none_or(|end| end > bytes.len() as u64) {
            return Err(truncated("it ends before its last segment does".to_owned()));
        }
    }
    let section = file.sections().find(|section| {
        section.name().is_ok_and(|name| name == SECTION || name == "__DATA,playdock")
    });
    let Some(section) = section else {
        return Err(PluginError::NoHeader { path, what: "identity (export_plugin! writes it)" });
    };
    let content = section.data().map_err(|error| truncated(error.to_string()))?;
    let identity = Identity::parse(content).map_err(|error| PluginError::BadIdentity {
        path: path.clone(),
        cause: error.to_string(),
    })?;
    if identity.boundary != BOUNDARY_VERSION {
        let (found, known) = (identity.boundary, BOUNDARY_VERSION);
        return Err(PluginError::OtherBoundary { path, found, known });
    }
    let header = abi_stable::library::ROOT_MODULE_LOADER_NAME.as_bytes();
    let is_header = |export: object::read::Export<'_>| match export.name() {
        // macOS puts a `_` before each name.
        NameOrOrdinal::Name(name) => name == header || name.strip_prefix(b"_") == Some(header),
        _ => false,
    };
    let mut exports = file.exports().map_err(|error| truncated(error.to_string()))?;
    if !exports.any(|export| export.is_ok_and(is_header)) {
        return Err(PluginError::NoHeader { path, what: "header that abi_stable could load" });
    }
    Ok((identity, needed(&file)))
}

/// The names of the libraries that a library needs.
fn needed(file: &object::File<'_>) -> Vec<String> {
    let mut needed: Vec<String> = match file {
        object::File::Elf64(elf) => elf_needed(elf),
        _ => file
            .imports()
            .into_iter()
            .flatten()
            .flatten()
            .map(|import| String::from_utf8_lossy(import.library()).into_owned())
            .filter(|library| !library.is_empty())
            .collect(),
    };
    needed.sort();
    needed.dedup();
    needed
}

fn elf_needed(elf: &object::read::elf::ElfFile64<'_>) -> Vec<String> {
    use object::read::elf::{Dyn, SectionHeader};
    let endian = elf.endian();
    let sections = elf.elf_section_table();
    let mut needed = Vec::new();
    for section in sections.iter() {
        let Ok(Some((entries, link))) = section.dynamic(endian, elf.data()) else {
            continue;
        };
        let Ok(strings) = sections.strings(endian, elf.data(), link) else {
            continue;
        };
        for entry in entries {
            if entry.tag(endian) == object::elf::DT_NEEDED
                && let Ok(name) = entry.string(endian, strings)
            {
                needed.push(String::from_utf8_lossy(name).into_owned());
            }
        }
    }
    needed
}

fn platform(format: BinaryFormat, architecture: Architecture) -> String {
    let system = match format {
        BinaryFormat::Elf => "ELF",
        BinaryFormat::Pe => "Windows",
        BinaryFormat::MachO => "macOS",
        _ => "another system",
    };
    let architecture = format!("{architecture:?}").to_lowercase();
    format!("{architecture} ({system})")
}

fn host_platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => Architecture::X86_64,
        "aarch64" => Architecture::Aarch64,
        "x86" => Architecture::I386,
        "arm" => Architecture::Arm,
        "riscv64" => Architecture::Riscv64,
        "s390x" => Architecture::S390x,
        "powerpc64" => Architecture::PowerPc64,
        _ => Architecture::Unknown,
    };
    platform(BinaryFormat::native_object(), architecture)
}
