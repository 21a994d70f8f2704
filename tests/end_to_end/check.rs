//! `playdock check`: the checker is checked. Each case has a fixture that fails it, and each fixture
//! fails the cases that are listed for it and no other, wherever its code runs.
//!
//! `PLAYDOCK_CHECK_WHOLE` set lets the plugins that pass be checked whole, not quickly.

mod process;
mod report;
mod table;

use playdock_tests::{Finished, Playdock, library};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use table::{COMMANDS, LIBRARIES, NEEDS_ANOTHER, SHIPPED};

/// Runs `playdock check` on a library, with the seed that the table was made with.
fn check(playdock: &Playdock, file: &Path, more: &[&str]) -> Finished {
    let file = file.to_string_lossy();
    let mut arguments = vec!["check", &*file, "--seed", "7"];
    arguments.extend(more);
    playdock.run(&arguments)
}

fn nothing() -> Playdock {
    Playdock::with_plugins(&[])
}

/// The ids of the cases that failed for a command, or for the library where that is empty; with the
/// place where it failed in one alone.
fn failed(answer: &Value, command: &str) -> BTreeSet<String> {
    let cases = answer["cases"].as_array().expect("the cases are a list");
    let of = |verdict: &'static str| {
        cases.iter().filter(move |case| {
            case["command"].as_str().unwrap_or_default() == command && case["verdict"] == verdict
        })
    };
    let name = |case: &Value| case["id"].as_str().expect("an id is text").to_owned();
    let failed_in_one = |case: &&Value| of("passed").any(|other| other["id"] == case["id"]);
    of("failed")
        .map(|case| match failed_in_one(&case) {
            true => format!("{} {}", name(case), case["place"].as_str().unwrap_or_default()),
            false => name(case),
        })
        .collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// A copy of the shipped library that needs a library which there isn't.
fn needs_another(playdock: &Playdock) -> PathBuf {
    const NEEDED: &[u8] = b"libgcc_s.so.1\0";
    let mut bytes = std::fs::read(library(SHIPPED)).expect("the library can be read");
    let places: Vec<usize> = (0..bytes.len() - NEEDED.len())
        .filter(|place| bytes[*place] == b'l' && bytes[*place..].starts_with(NEEDED))
        .collect();
    assert!(!places.is_empty(), "it needs another library by now");
    for place in places {
        bytes[place..place + NEEDED.len()].copy_from_slice(b"libother.so.1\0");
    }
    playdock.file("needs_another.so", bytes)
}

#[test]
fn every_command_fails_the_cases_that_are_listed_for_it_and_no_other() {
    let mut arguments = vec!["--quick", "--output", "json"];
    for (command, _) in COMMANDS {
        arguments.extend(["--command", command]);
    }
    let finished = check(&nothing(), &library("nonconforming"), &arguments);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let answer = finished.answer();
    assert_eq!(failed(&answer, ""), set(&[]));
    for (command, expected) in COMMANDS {
        assert_eq!(failed(&answer, command), set(expected), "{command}");
    }
}

#[test]
fn every_library_fails_the_cases_that_are_listed_for_it_and_no_other() {
    let playdock = nothing();
    for (name, command, of_library, of_command) in LIBRARIES {
        let more = ["--quick", "--output", "json", "--command", command];
        let finished = check(&playdock, &library(name), &more);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let answer = finished.answer();
        assert_eq!(failed(&answer, ""), set(of_library), "{name}");
        assert_eq!(failed(&answer, command), set(of_command), "{name}");
    }
    let finished = check(&playdock, &needs_another(&playdock), &["--quick", "--output", "json"]);
    assert_eq!(failed(&finished.answer(), ""), set(NEEDS_ANOTHER));
}

#[test]
fn every_case_has_a_fixture_that_fails_it() {
    let listed = nothing().run(&["check", "--list", "--output", "json"]).answer();
    let listed = listed.as_array().expect("the list is one");
    let all: Vec<&str> = listed.iter().filter_map(|case| case["id"].as_str()).collect();
    assert!(all.len() > 30, "{all:?}");
    let of_libraries = LIBRARIES
        .iter()
        .flat_map(|(_, _, of_library, of_command)| of_library.iter().chain(of_command.iter()));
    let of_commands = COMMANDS.iter().flat_map(|(_, ids)| ids.iter());
    let named: BTreeSet<&str> = of_libraries
        .chain(of_commands)
        .chain(NEEDS_ANOTHER)
        .map(|id| id.split(' ').next().unwrap_or_default())
        .collect();
    for id in &all {
        assert!(named.contains(id), "no fixture fails the case {id}");
        let kebab = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(id.bytes().all(kebab), "{id}");
    }
    assert!(named.iter().all(|id| all.contains(id)), "{named:?}");
    for case in listed {
        for member in ["description", "mend", "asked_of"] {
            assert!(case[member].as_str().is_some_and(|text| !text.is_empty()), "{case}");
        }
    }
}

/// Lets a plugin be checked, which must pass every case.
fn passes(name: &str) {
    let whole = std::env::var_os("PLAYDOCK_CHECK_WHOLE").is_some();
    let more: &[&str] = if whole { &[] } else { &["--quick"] };
    let began = std::time::Instant::now();
    let finished = check(&nothing(), &library(name), more);
    println!("{} in {:.1} s", finished.output.trim_end(), began.elapsed().as_secs_f64());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let sum = finished.output.lines().last().unwrap_or_default();
    assert!(sum.contains(" 0 failed, 0 skipped (seed 7)"), "{finished:?}");
}

#[test]
fn the_shipped_plugin_passes() {
    passes(SHIPPED);
}

#[test]
fn the_commands_that_reopen_and_assign_pass() {
    passes("reopen_incidents");
    passes("assigning");
}
