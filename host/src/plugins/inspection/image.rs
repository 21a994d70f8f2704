//! An ELF file as the system's loader lays it out in memory: addresses, not places in the file.

use super::linking::LinkingError;
use object::elf;
use object::read::elf::{ElfFile, FileHeader, ProgramHeader};

/// The smallest unit in which files are laid into memory.
const SMALLEST_PAGE: u64 = 4096;

/// The segments that are laid into memory; no two of them share a page, so that there is no
/// question which of them an address belongs to.
pub(super) struct Image<'data> {
    segments: Vec<(u64, &'data [u8])>,
}

impl<'data> Image<'data> {
    pub(super) fn of<Elf: FileHeader>(
        file: &ElfFile<'data, Elf>,
    ) -> Result<Image<'data>, LinkingError> {
        let endian = file.endian();
        let mut segments = Vec::new();
        // The page behind the last segment.
        let mut end = 0;
        for header in file.elf_program_headers() {
            if header.p_type(endian) != elf::PT_LOAD {
                continue;
            }
            let content = header.data(endian, file.data());
            let content =
                content.map_err(|()| LinkingError::Damaged("a segment isn't all there"))?;
            let address: u64 = header.p_vaddr(endian).into();
            let page = header.p_align(endian).into().max(SMALLEST_PAGE);
            let size = header.p_memsz(endian).into().max(content.len() as u64);
            let behind = address.checked_add(size);
            let behind = behind.and_then(|behind| behind.checked_next_multiple_of(page));
            let (Some(behind), true) = (behind, page.is_power_of_two()) else {
                return Err(LinkingError::Damaged("a segment has no place in memory"));
            };
            if !segments.is_empty() && address / page * page < end {
                return Err(LinkingError::Damaged("its segments overlap"));
            }
            end = behind;
            segments.push((address, content));
        }
        Ok(Image { segments })
    }

    /// What the file puts at an address, up to the end of its segment.
    pub(super) fn from(&self, address: u64) -> Option<&'data [u8]> {
        self.segments.iter().find_map(|(start, content)| {
            let place = usize::try_from(address.checked_sub(*start)?).ok()?;
            content.get(place..).filter(|rest| !rest.is_empty())
        })
    }
}
