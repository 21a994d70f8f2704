//! What a library would make the system's loader do besides loading it: search folders of its own,
//! load further libraries, change code, let the stack be executed.
//!
//! All of it is read as the loader reads it, through the program headers and by addresses. What the
//! file says of itself in its sections is nothing to the loader, and so nothing here.

use super::image::Image;
use object::elf::{self, DynamicTag};
use object::read::elf::{Dyn, ElfFile, FileHeader, ProgramHeader};

/// Why a library isn't handed to the system's loader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkingError {
    /// A table of it is not where it should be.
    #[error("{0}")]
    Damaged(&'static str),
    /// Nothing can be loaded from it: an executable that is complete by itself, say.
    #[error("it has no dynamic table; build it as a cdylib")]
    NoDynamicTable,
    /// It searches for libraries in folders of its own.
    #[error(
        "it searches for libraries in folders of its own ({0}); link it without -rpath and -runpath"
    )]
    OwnFolders(&'static str),
    /// It needs a library that is no part of the system's C library.
    #[error(
        "it needs {0}, and only the system's C library may be needed; link that one statically, or do without it"
    )]
    NeedsOther(String),
    /// It names a library to be loaded along with it.
    #[error("it has a library loaded along with it ({0}); link it without that")]
    LoadsAlong(&'static str),
    /// Its code is changed when it is loaded.
    #[error(
        "its code would be changed as it is loaded (text relocations); build it as position-independent code, as cargo does"
    )]
    TextRelocations,
    /// Its stack may be executed, or it doesn't say that it mustn't.
    #[error("it wants a stack that can be executed; link it with -z noexecstack")]
    ExecutableStack,
}

/// The libraries that may be needed: the C library in its parts, and what unwinds panics. They are
/// found in the system's folders, or are there already.
const MAY_BE_NEEDED: &[&str] = &[
    "ld-linux-aarch64.so.1",
    "ld-linux-armhf.so.3",
    "ld-linux-riscv64-lp64d.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux.so.2",
    "ld64.so.1",
    "ld64.so.2",
    "libc.musl-aarch64.so.1",
    "libc.musl-x86_64.so.1",
    "libc.so",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
];

/// What makes the loader do more than to load this one library.
const REFUSED: &[(DynamicTag, LinkingError)] = &[
    (elf::DT_RPATH, LinkingError::OwnFolders("DT_RPATH")),
    (elf::DT_RUNPATH, LinkingError::OwnFolders("DT_RUNPATH")),
    (elf::DT_AUDIT, LinkingError::LoadsAlong("DT_AUDIT")),
    (elf::DT_DEPAUDIT, LinkingError::LoadsAlong("DT_DEPAUDIT")),
    (elf::DT_AUXILIARY, LinkingError::LoadsAlong("DT_AUXILIARY")),
    (elf::DT_FILTER, LinkingError::LoadsAlong("DT_FILTER")),
    (elf::DT_TEXTREL, LinkingError::TextRelocations),
];

/// The longest name of a library that is read.
const LONGEST_NAME: usize = 255;

/// Looks for what a plugin has no need for, and returns the names of the libraries that it needs.
pub(super) fn check<Elf: FileHeader>(file: &ElfFile<'_, Elf>) -> Result<Vec<String>, LinkingError> {
    let endian = file.endian();
    if file.elf_header().e_phnum(endian) == elf::PN_XNUM {
        // The loader would take this for the number; others look for that elsewhere.
        return Err(LinkingError::Damaged("it has too many program headers"));
    }
    let headers = file.elf_program_headers();
    let of_type = |kind| headers.iter().filter(move |header| header.p_type(endian) == kind);
    let mut stacks = of_type(elf::PT_GNU_STACK).peekable();
    // Without any, the loader takes it that the stack is to be executable.
    if stacks.peek().is_none() || stacks.any(|stack| stack.p_flags(endian).contains(elf::PF_X)) {
        return Err(LinkingError::ExecutableStack);
    }
    let mut tables = of_type(elf::PT_DYNAMIC);
    let table = match (tables.next(), tables.next()) {
        (Some(table), None) => table.p_vaddr(endian).into(),
        (None, _) => return Err(LinkingError::NoDynamicTable),
        _ => return Err(LinkingError::Damaged("it has two dynamic tables")),
    };
    let image = Image::of(file)?;
    let entries = entries::<Elf>(&image, table, endian)?;
    let mut strings = None;
    for (tag, value) in entries.clone() {
        if let Some((_, refusal)) = REFUSED.iter().find(|(refused, _)| *refused == tag) {
            return Err(refusal.clone());
        }
        if tag == elf::DT_FLAGS && value & elf::DF_TEXTREL.0 != 0 {
            return Err(LinkingError::TextRelocations);
        }
        if tag == elf::DT_STRTAB && strings.replace(value).is_some() {
            return Err(LinkingError::Damaged("it has two tables of strings"));
        }
    }
    let needed = entries.filter(|(tag, _)| *tag == elf::DT_NEEDED);
    let needed = needed.map(|(_, place)| needed_library(&image, strings, place));
    let mut needed = needed.collect::<Result<Vec<_>, _>>()?;
    needed.sort_unstable();
    needed.dedup();
    Ok(needed.into_iter().map(str::to_owned).collect())
}

/// The entries of the dynamic table at an address, up to its end, which must be there.
fn entries<'data, Elf: FileHeader>(
    image: &Image<'data>,
    table: u64,
    endian: Elf::Endian,
) -> Result<impl Iterator<Item = (DynamicTag, u64)> + Clone + use<'data, Elf>, LinkingError> {
    const NOT_WHOLE: LinkingError = LinkingError::Damaged("its dynamic table isn't all there");
    let bytes = image.from(table).ok_or(NOT_WHOLE)?;
    let count = bytes.len() / size_of::<Elf::Dyn>();
    let (entries, _) =
        object::pod::slice_from_bytes::<Elf::Dyn>(bytes, count).map_err(|()| NOT_WHOLE)?;
    let end = entries.iter().position(|entry| entry.tag(endian) == elf::DT_NULL);
    let entries = &entries[..end.ok_or(NOT_WHOLE)?];
    Ok(entries.iter().map(move |entry| (entry.tag(endian), entry.val(endian))))
}

/// The name of a library that is needed, if it may be.
fn needed_library(
    image: &Image<'_>,
    strings: Option<u64>,
    place: u64,
) -> Result<&'static str, LinkingError> {
    const NO_NAME: LinkingError = LinkingError::Damaged("a library that it needs has no name");
    let bytes = strings.and_then(|strings| image.from(strings.checked_add(place)?));
    let bytes = bytes.ok_or(NO_NAME)?;
    let bytes = &bytes[..bytes.len().min(LONGEST_NAME + 1)];
    let end = bytes.iter().position(|byte| *byte == 0).ok_or(NO_NAME)?;
    let name = String::from_utf8_lossy(&bytes[..end]);
    let known = MAY_BE_NEEDED.iter().find(|known| **known == name);
    known.copied().ok_or_else(|| LinkingError::NeedsOther(name.into_owned()))
}
