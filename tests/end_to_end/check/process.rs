//! What a library can do to the processes in which it is checked: nothing beyond its own case.

use super::{check, failed, nothing, set};
use playdock_tests::library;
use std::path::Path;
use std::time::{Duration, Instant};

/// The command lines of all processes.
fn command_lines() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("there is a list of processes");
    let line = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).ok();
    let lines = processes.flatten().filter_map(line);
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

#[test]
fn a_case_that_goes_on_is_killed_with_all_that_it_started() {
    let playdock = nothing();
    let file = playdock.folder().join("hangs.so");
    std::fs::copy(library("nonconforming"), &file).expect("it can be copied");
    let path = file.to_string_lossy();
    let began = Instant::now();
    let more = ["--include", "unknown-parameter", "--command", "HangsOnUnknownNames"];
    let arguments = [&["check", &*path, "--timeout", "1", "--output", "json"][..], &more].concat();
    let child = playdock.start(playdock.command(&arguments));
    let process = child.id();
    let finished: playdock_tests::Finished =
        child.wait_with_output().expect("it can be waited for").into();
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let answer = finished.answer();
    assert_eq!(failed(&answer, "HangsOnUnknownNames"), set(&["unknown-parameter"]));
    for case in answer["cases"].as_array().expect("it is a list") {
        assert_eq!(case["expected"], "an end within 1 s", "{case}");
        let input = case["input"].as_str().unwrap_or_default();
        assert!(input.contains("No Such Parameter"), "{case}");
    }
    // A worker ends a moment after the process of its case.
    let case = format!("__check {process} ");
    let end = Instant::now() + Duration::from_secs(5);
    let is_of_it = |line: &String| {
        line.contains(&case) || (line.contains("__worker") && line.contains(&*path))
    };
    while let Some(line) = command_lines().into_iter().find(is_of_it) {
        assert!(Instant::now() < end, "it goes on: {line}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What stands in the fixture's file in the place of an attack.
const PLACE: &[u8; 32] = b"the attack of this constructor..";

#[test]
fn a_library_that_nobody_trusts_is_checked_and_reaches_nothing() {
    let playdock = nothing();
    let trace = Path::new("/tmp/written-by-a-constructor");
    for (attack, expected) in [
        ("write a file", &[][..]),
        ("start a program", &[]),
        ("exit", &["loads"]),
        ("crash", &["loads"]),
    ] {
        let mut bytes = std::fs::read(library("hostile_constructor")).expect("it can be read");
        let found = bytes.windows(PLACE.len()).position(|window| window == PLACE);
        let place = found.expect("the fixture has a place for an attack");
        bytes[place..place + PLACE.len()].copy_from_slice(format!("{attack:.<32}").as_bytes());
        let file = playdock.file("constructor.so", bytes);
        let more = ["--include", "loads", "--output", "json", "--policy", "locked"];
        let finished = check(&playdock, &file, &more);
        assert_eq!(failed(&finished.answer(), ""), set(expected), "{attack}");
        assert!(!trace.exists(), "{attack}");
    }
}
