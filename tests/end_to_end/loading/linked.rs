//! Libraries that would make the system's loader do more than to load them are refused before any
//! of their code runs, whatever their sections say.
#![cfg(target_os = "linux")]

use super::{assert_says, nothing, refusal};
use playdock_host::plugins::InspectedFile;
use playdock_tests::{Playdock, Random, SITE_AND_USER, library};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const PROGRAM_HEADERS: usize = 64;
const PROGRAM_HEADER_SIZE: usize = 56;
const LOAD: u64 = 1;
const DYNAMIC: u64 = 2;
const STACK: u64 = 0x6474_e551;

const NEEDED: u64 = 1;
const STRINGS: u64 = 5;
/// An entry that the loader can do without.
const RELATIVE_COUNT: u64 = 0x6fff_fff9;

/// A real library of 64 bits whose bytes are changed. It has a constructor.
struct Changed(Vec<u8>);

impl Changed {
    fn new() -> Changed {
        Changed(std::fs::read(library("constructor")).expect("the library can be read"))
    }

    fn number(&self, place: usize, bytes: usize) -> u64 {
        let bytes = self.0[place..place + bytes].iter().rev();
        bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn set(&mut self, place: usize, number: u64) {
        self.0[place..place + 8].copy_from_slice(&number.to_le_bytes());
    }

    /// Where the program headers of a type stand in the file.
    fn headers(&self, kind: u64) -> Vec<usize> {
        let places = (0..self.number(56, 2) as usize)
            .map(|index| PROGRAM_HEADERS + index * PROGRAM_HEADER_SIZE);
        places.filter(|place| self.number(*place, 4) == kind).collect()
    }

    /// Where the file has what is at an address.
    fn place_of(&self, address: u64) -> usize {
        let segments = self.headers(LOAD).into_iter().map(|header| {
            let [offset, start, size] = [8, 16, 32].map(|at| self.number(header + at, 8));
            (offset, start, size)
        });
        let found = segments.into_iter().find(|(_, start, size)| {
            address.checked_sub(*start).is_some_and(|inside| inside < *size)
        });
        let (offset, start, _) = found.expect("the address lies in a segment");
        (address - start + offset) as usize
    }

    /// Where the entries of the dynamic table with a tag stand in the file.
    fn entries(&self, tag: u64) -> Vec<usize> {
        let table = self.place_of(self.number(self.headers(DYNAMIC)[0] + 16, 8));
        let entries = (table..).step_by(16).take_while(|place| self.number(*place, 8) != 0);
        entries.filter(|place| self.number(*place, 8) == tag).collect()
    }

    /// Puts another entry in the place of one that the loader can do without.
    fn put(&mut self, tag: u64, value: u64) {
        let place = self.entries(RELATIVE_COUNT)[0];
        self.set(place, tag);
        self.set(place + 8, value);
    }

    fn in_folder(&self, playdock: &Playdock) -> PathBuf {
        playdock.file("changed.so", &self.0)
    }
}

/// Checks that a changed library is refused wherever it is named, and that its constructor doesn't
/// run; returns the line.
fn refused(changed: &Changed) -> String {
    let playdock = nothing();
    playdock.import(SITE_AND_USER);
    let file = changed.in_folder(&playdock);
    let inspected = run(&playdock, &file, &["plugins", "inspect", &file.to_string_lossy()]);
    let parameters = playdock.file("parameters.json", "{}");
    let parameters = parameters.to_string_lossy();
    for isolation in ["worker", "in-process"] {
        let mut invoke = vec!["invoke", "Constructed", "--params", &parameters];
        invoke.extend(["--site", "Security Operations", "--manual", "--user", "admin user"]);
        invoke.extend(["--isolation", isolation]);
        assert_eq!(run(&playdock, &file, &invoke), inspected);
    }
    inspected
}

fn run(playdock: &Playdock, file: &Path, arguments: &[&str]) -> String {
    let trace = playdock.folder().join("trace");
    let mut command = playdock.command(arguments);
    command.arg("--plugin").arg(file).env("CONSTRUCTOR_TRACE", &trace);
    let finished = playdock.start(command).wait_with_output().expect("it ends").into();
    assert!(!trace.exists(), "the constructor ran: {arguments:?}");
    refusal(&finished, file)
}

#[test]
fn folders_to_search_are_refused() {
    for (tag, name) in [(15, "DT_RPATH"), (29, "DT_RUNPATH")] {
        let mut changed = Changed::new();
        changed.put(tag, 1);
        assert_says(&refused(&changed), &["folders of its own", name, "link it without -rpath"]);
    }
}

#[test]
fn what_is_loaded_along_is_refused() {
    for (tag, name) in [
        (0x6fff_fefc, "DT_AUDIT"),
        (0x6fff_fefb, "DT_DEPAUDIT"),
        (0x7fff_fffd, "DT_AUXILIARY"),
        (0x7fff_ffff, "DT_FILTER"),
    ] {
        let mut changed = Changed::new();
        changed.put(tag, 1);
        assert_says(&refused(&changed), &["loaded along", name, "link it without"]);
    }
}

#[test]
fn other_libraries_are_refused_by_their_whole_name() {
    let mut changed = Changed::new();
    let strings = changed.number(changed.entries(STRINGS)[0] + 8, 8);
    let first = changed.number(changed.entries(NEEDED)[0] + 8, 8);
    let name = changed.place_of(strings + first);
    for other in [&b"libz.so.1\0"[..], b"/libc.so.6\0", b"./libm.so\0", b"libc.so.60\0", b"\0"] {
        changed.0[name..name + other.len()].copy_from_slice(other);
        let shown = String::from_utf8_lossy(&other[..other.len() - 1]).into_owned();
        let says = ["it needs ", &shown, "link that one statically, or do without it"];
        assert_says(&refused(&changed), &says);
    }
}

#[test]
fn code_that_changes_and_a_stack_that_runs_are_refused() {
    for (tag, value) in [(22, 0), (30, 4)] {
        let mut changed = Changed::new();
        // Those that it has are set aside: the last one would hold.
        for place in changed.entries(tag) {
            changed.set(place, RELATIVE_COUNT);
        }
        changed.put(tag, value);
        assert_says(&refused(&changed), &["text relocations", "position-independent"]);
    }
    let says = ["a stack that can be executed", "link it with -z noexecstack"];
    let mut changed = Changed::new();
    let stack = changed.headers(STACK)[0];
    changed.0[stack + 4] |= 1;
    assert_says(&refused(&changed), &says);
    let mut changed = Changed::new();
    changed.0[stack] = 0;
    assert_says(&refused(&changed), &says);
}

#[test]
fn the_table_that_counts_is_the_one_that_the_loader_reads() {
    // Without sections of that kind, and with a place in the file that is another one.
    let mut changed = Changed::new();
    changed.put(29, 1);
    let (sections, count) = (changed.number(40, 8) as usize, changed.number(60, 2) as usize);
    for place in (0..count).map(|index| sections + index * 64) {
        if changed.number(place + 4, 4) == 6 {
            changed.0[place + 4..place + 8].fill(0);
        }
    }
    let dynamic = changed.headers(DYNAMIC)[0];
    changed.set(dynamic + 8, 0);
    assert_says(&refused(&changed), &["DT_RUNPATH"]);

    let mut changed = Changed::new();
    changed.0[dynamic] = 0;
    assert_says(&refused(&changed), &["no dynamic table", "build it as a cdylib"]);
    let mut changed = Changed::new();
    changed.set(dynamic + 16, 1 << 40);
    assert_says(&refused(&changed), &["dynamic table isn't all there", "build or copy it again"]);
    let mut changed = Changed::new();
    let segments = changed.headers(LOAD);
    let first = changed.number(segments[0] + 16, 8);
    changed.set(segments[1] + 16, first);
    assert_says(&refused(&changed), &["its segments overlap"]);
    let mut changed = Changed::new();
    changed.0[56..58].fill(0xff);
    assert_says(&refused(&changed), &["changed.so"]);
}

#[test]
fn no_change_of_a_library_makes_looking_at_it_panic() {
    let playdock = nothing();
    let (whole, mut random) = (Changed::new(), Random::new(20_261_123));
    let dynamic = whole.place_of(whole.number(whole.headers(DYNAMIC)[0] + 16, 8));
    let strings = whole.place_of(whole.number(whole.entries(STRINGS)[0] + 8, 8));
    let sections = whole.number(40, 8) as usize;
    let ends = [0, 800, dynamic, dynamic + 500, strings, strings + 1000, sections, whole.0.len()];
    let path = whole.in_folder(&playdock);
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("it can be written to");
    let (mut opened, mut refused) = (0, 0);
    for _ in 0..200 {
        let mut changes = Vec::new();
        for _ in 0..=random.below(3) {
            let region = 2 * random.below(4);
            let place = ends[region] + random.below(ends[region + 1] - ends[region]);
            let before = whole.0[place];
            let now = [before ^ 1 << random.below(8), 0xff, 0][random.below(3)];
            file.write_all_at(&[now], place as u64).expect("it can be changed");
            changes.push(place);
        }
        let cut = (random.below(10) == 0).then(|| random.below(whole.0.len()));
        if let Some(cut) = cut {
            file.set_len(cut as u64).expect("it can be cut");
        }
        match InspectedFile::open(&path) {
            Ok(_) => opened += 1,
            Err(error) => {
                assert!(error.to_string().contains("changed.so"), "{error}");
                refused += 1;
            }
        }
        let from = cut.unwrap_or(whole.0.len());
        file.write_all_at(&whole.0[from..], from as u64).expect("it can be made whole");
        for place in changes {
            file.write_all_at(&whole.0[place..=place], place as u64).expect("it can be undone");
        }
    }
    assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused");
}
