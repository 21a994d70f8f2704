//! Files that are no library, or a library that was cut or changed: refused in one line, and never
//! by a signal.

use super::{assert_says, copy, make_store, nothing, refusal, refused_unloaded};
use playdock_tests::Playdock;
use std::fs::OpenOptions;
use std::path::Path;

/// Checks that these bytes, in a file, are refused; returns the line.
fn refused(playdock: &Playdock, bytes: &[u8]) -> String {
    refused_unloaded(playdock, &playdock.file("changed.so", bytes))
}

/// Replaces every occurrence of some bytes by others of the same length.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut place = 0;
    let mut count = 0;
    while let Some(found) = find(&bytes[place..], from) {
        place += found;
        bytes[place..place + to.len()].copy_from_slice(to);
        count += 1;
    }
    assert!(count > 0, "the library has no {from:?}");
    bytes
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    // One byte first, since the file is long and the build has no optimisations.
    let mut start = 0;
    loop {
        start += bytes[start..].iter().position(|byte| *byte == part[0])?;
        if bytes[start..].starts_with(part) {
            return Some(start);
        }
        start += 1;
    }
}

#[test]
fn an_empty_file_and_files_of_other_kinds_are_refused() {
    let playdock = nothing();
    let (words, advice) = ("is not a dynamic library", "name the library");
    assert_says(&refused(&playdock, b""), &[words, "it is empty"]);
    for bytes in [&b"a text, and no library\n"[..], b"#!/bin/sh\nexit 0\n", &[0; 4096]] {
        assert_says(&refused(&playdock, bytes), &[words, advice]);
    }
    let archive = b"!<arch>\nnothing.o/      0           0     0     644     0         `\n";
    assert_says(&refused(&playdock, archive), &["changed.so"]);
}

#[test]
#[cfg_attr(windows, ignore = "a DLL may end with names that nothing loads, and work without them")]
fn a_file_that_was_cut_is_refused_wherever_it_was_cut() {
    let playdock = nothing();
    let (file, bytes) = copy(&playdock);
    std::fs::write(&file, &bytes).expect("a file can be written");
    let whole = bytes.len();
    let mut lengths = vec![1, 4, 10, 16, 63, 64, 65, 100, 1000, 4096, 65_536];
    lengths.extend((1..16).map(|part| whole / 16 * part));
    lengths.extend([whole - 4096, whole - 64, whole - 1]);
    lengths.sort_unstable();
    for length in lengths.into_iter().rev() {
        let open = OpenOptions::new().write(true).open(&file);
        let cut = open.and_then(|file| file.set_len(length as u64));
        cut.unwrap_or_else(|error| panic!("{error}"));
        let path = file.to_string_lossy();
        let finished = playdock.run(&["plugins", "list", "--plugin", &path]);
        let line = refusal(&finished, &file);
        let said = ["build or copy it again", "is not a dynamic library"];
        assert!(said.iter().any(|said| line.contains(said)), "{length}: {line}");
    }
}

/// What an ELF file of 64 bits says in its header.
#[cfg(target_os = "linux")]
mod elf {
    use super::*;

    const CLASS: usize = 4;
    const TYPE: usize = 16;
    const MACHINE: usize = 18;
    const PROGRAM_HEADERS: usize = 32;
    const SECTIONS: usize = 40;
    const PROGRAM_HEADER_COUNT: usize = 56;
    const PROGRAM_HEADER_SIZE: usize = 56;
    const SECTION_COUNT: usize = 60;

    fn changed(change: impl FnOnce(&mut [u8])) -> String {
        let playdock = nothing();
        let (_, mut bytes) = copy(&playdock);
        change(&mut bytes);
        refused(&playdock, &bytes)
    }

    #[test]
    fn a_library_for_another_processor_is_refused() {
        for (machine, name) in [(183, "aarch64"), (243, "riscv64"), (62, "x86_64")] {
            if name == std::env::consts::ARCH {
                continue;
            }
            let line = changed(|bytes| bytes[MACHINE] = machine);
            assert_says(&line, &[name, "build it for this machine"]);
        }
    }

    #[test]
    fn a_library_of_32_bits_is_refused() {
        let header = |machine: u8| {
            let mut header = vec![0; 52];
            header[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
            header[TYPE] = 3;
            header[MACHINE] = machine;
            header[20] = 1;
            header[40] = 52;
            header
        };
        let line = refused(&nothing(), &header(3));
        assert_says(&line, &["i386", "build it for this machine"]);
        // Only the class is that of 32 bits; the rest is as it was.
        assert_says(&changed(|bytes| bytes[CLASS] = 1), &["changed.so"]);
    }

    #[test]
    fn an_object_file_is_refused() {
        let line = changed(|bytes| bytes[TYPE] = 1);
        assert_says(&line, &["is not a dynamic library"]);
    }

    #[test]
    fn a_segment_that_goes_on_past_the_end_is_refused() {
        for member in [8, 32] {
            // The offset of each segment that is loaded, or its size.
            let line = changed(|bytes| {
                let start = u64_at(bytes, PROGRAM_HEADERS);
                for index in 0..usize::from(bytes[PROGRAM_HEADER_COUNT]) {
                    let header = start + index * PROGRAM_HEADER_SIZE;
                    if bytes[header..header + 4] == [1, 0, 0, 0] {
                        let place = header + member;
                        bytes[place..place + 8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
                    }
                }
            });
            assert_says(&line, &["truncated or damaged", "build or copy it again"]);
        }
    }

    #[test]
    fn a_library_without_sections_is_refused() {
        let line = changed(|bytes| {
            bytes[SECTIONS..SECTIONS + 8].fill(0);
            bytes[SECTION_COUNT..SECTION_COUNT + 4].fill(0);
        });
        assert_says(&line, &["not a Playdock plugin"]);
    }

    fn u64_at(bytes: &[u8], place: usize) -> usize {
        let bytes = bytes[place..place + 8].try_into().expect("8 bytes");
        usize::try_from(u64::from_le_bytes(bytes)).expect("it is a place in the file")
    }
}

#[test]
fn an_identity_that_can_not_be_read_is_refused() {
    let playdock = nothing();
    let (_, bytes) = copy(&playdock);
    let whole = b"{\"boundary\":1,\"name\":\"close";
    for broken in [
        b"{\"boundary\":x,\"name\":\"close",
        b"\0\"boundary\":1,\"name\":\"close",
        b"{\"boundary\":1,\"name\":\"cl\nse",
        b"\xff\"boundary\":1,\"name\":\"close",
        b"{\"boundary\":1,\"nome\":\"close",
    ] {
        let line = refused(&playdock, &replaced(&bytes, whole, broken));
        assert_says(&line, &["identity", "export_plugin!"]);
    }
}

#[test]
fn a_library_whose_header_has_another_name_or_version_is_refused() {
    let playdock = nothing();
    let (file, bytes) = copy(&playdock);
    let (name, other) = (b"_1as_0lib_1header_0root", b"_1as_0lib_1footer_0root");
    let line = refused(&playdock, &replaced(&bytes, name, other));
    assert_says(&line, &["not a Playdock plugin", "header"]);

    let (magic, other) = (b"abi stable library for Rust", b"abi stable library for Dust");
    playdock.file("changed.so", replaced(&bytes, magic, other));
    make_store(&playdock);
    let line =
        refusal(&super::invoke(&playdock, &file, "CloseIncidentInBulk", &[]), Path::new(&file));
    assert_says(&line, &["abi_stable"]);
}
