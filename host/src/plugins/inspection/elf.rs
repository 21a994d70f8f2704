//! Finding a section and a symbol of an ELF file by name.
//!
//! What the system's loader does goes by other tables (`linking.rs`); sections can say anything,
//! and here they say what a library wants to be known for. Names are compared in place, so that a
//! file of many names without an end costs no more than its length.

use object::read::elf::{ElfFile, FileHeader, SectionHeader, Sym};
use object::read::{Result, SectionIndex};

/// What stands in the section of this name, if there is one.
pub(super) fn section<'data, Elf: FileHeader>(
    file: &ElfFile<'data, Elf>,
    name: &[u8],
) -> Result<Option<&'data [u8]>> {
    let (endian, data, sections) = (file.endian(), file.data(), file.elf_section_table());
    if sections.is_empty() {
        return Ok(None);
    }
    let strings = SectionIndex(file.elf_header().shstrndx(endian, data)? as usize);
    let strings = sections.section(strings)?.data(endian, data)?;
    let found = sections.iter().find(|it| is_at(strings, it.sh_name(endian), name));
    found.map(|section| section.data(endian, data)).transpose()
}

/// Whether the table of dynamic symbols defines this name.
pub(super) fn has_symbol<Elf: FileHeader>(file: &ElfFile<'_, Elf>, name: &[u8]) -> Result<bool> {
    let (endian, symbols) = (file.endian(), file.elf_dynamic_symbol_table());
    if symbols.is_empty() {
        return Ok(false);
    }
    let strings = file.elf_section_table().section(symbols.string_section())?;
    let strings = strings.data(endian, file.data())?;
    let is_it = |symbol: &Elf::Sym| {
        !symbol.is_undefined(endian) && is_at(strings, symbol.st_name(endian), name)
    };
    Ok(symbols.iter().any(is_it))
}

/// Whether a table of strings has this one at this place.
fn is_at(strings: &[u8], place: u32, string: &[u8]) -> bool {
    let rest = strings.get(place as usize..).and_then(|rest| rest.strip_prefix(string));
    rest.is_some_and(|rest| rest.first() == Some(&0))
}
