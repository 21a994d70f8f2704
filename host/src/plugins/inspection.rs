//! What can be known of a library from its bytes, none of which run for it.
//!
//! Which libraries may be loaded at all is decided elsewhere; here a library is refused that this
//! host could not load, or that would make the system's loader do more than load it.

mod elf;
mod image;
mod linking;

pub use linking::LinkingError;

use super::error::PluginError;
use object::read::NameOrOrdinal;
use object::{Architecture, BinaryFormat, Object, ObjectKind, ObjectSection, ObjectSegment};
use playdock_plugin_api::boundary::BOUNDARY_VERSION;
use playdock_plugin_api::identity::{Identity, SECTION};
use std::path::Path;

/// Reads a library's identity and the names of the libraries that it needs.
pub(super) fn inspect(path: &Path, bytes: &[u8]) -> Result<(Identity, Vec<String>), PluginError> {
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
    let Some(content) = identity_section(&file).map_err(|error| truncated(error.to_string()))?
    else {
        return Err(PluginError::NoHeader { path, what: "identity (export_plugin! writes it)" });
    };
    let identity = Identity::parse(content).map_err(|error| PluginError::BadIdentity {
        path: path.clone(),
        cause: error.to_string(),
    })?;
    if identity.boundary != BOUNDARY_VERSION {
        let (found, known) = (identity.boundary, BOUNDARY_VERSION);
        return Err(PluginError::OtherBoundary { path, found, known });
    }
    let header = abi_stable::library::ROOT_MODULE_LOADER_NAME.as_bytes();
    if !exports(&file, header).map_err(|error| truncated(error.to_string()))? {
        return Err(PluginError::NoHeader { path, what: "header that abi_stable could load" });
    }
    match needed(&file) {
        Ok(needed) => Ok((identity, needed)),
        Err(LinkingError::Damaged(what)) => Err(truncated(what.to_owned())),
        Err(cause) => Err(PluginError::Refused { path, cause }),
    }
}

/// What stands in the section that holds the identity, if there is one.
fn identity_section<'data>(
    file: &object::File<'data>,
) -> object::read::Result<Option<&'data [u8]>> {
    match file {
        object::File::Elf32(file) => elf::section(file, SECTION.as_bytes()),
        object::File::Elf64(file) => elf::section(file, SECTION.as_bytes()),
        _ => {
            let is_it = |name: &str| name == SECTION || name == "__DATA,playdock";
            let mut sections = file.sections();
            let section = sections.find(|section| section.name().is_ok_and(is_it));
            section.map(|section| section.data()).transpose()
        }
    }
}

/// Whether a library exports a symbol.
fn exports(file: &object::File<'_>, name: &[u8]) -> object::read::Result<bool> {
    match file {
        object::File::Elf32(file) => elf::has_symbol(file, name),
        object::File::Elf64(file) => elf::has_symbol(file, name),
        _ => Ok(file.exports()?.any(|export| {
            // macOS puts a `_` before each name.
            export.is_ok_and(|export| match export.name() {
                NameOrOrdinal::Name(found) => {
                    found == name || found.strip_prefix(b"_") == Some(name)
                }
                _ => false,
            })
        })),
    }
}

/// The names of the libraries that a library needs, in order, each once.
fn needed(file: &object::File<'_>) -> Result<Vec<String>, LinkingError> {
    let mut needed: Vec<String> = match file {
        object::File::Elf32(file) => linking::check(file)?,
        object::File::Elf64(file) => linking::check(file)?,
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
    Ok(needed)
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
    // Those of Windows differ between what is linked and what is compiled.
    let format = if cfg!(windows) { BinaryFormat::Pe } else { BinaryFormat::native_object() };
    platform(format, architecture)
}
