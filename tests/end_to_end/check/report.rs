//! What `playdock check` says, and its exit codes.

use super::{check, nothing};
use playdock_tests::library;

/// Checks one case of a command of the library of fixtures.
fn one(command: &str, case: &str, more: &[&str]) -> playdock_tests::Finished {
    let arguments = [&["--quick", "--command", command, "--include", case][..], more].concat();
    check(&nothing(), &library("nonconforming"), &arguments)
}

#[test]
fn a_failure_says_what_was_expected_what_happened_and_what_to_mend() {
    let finished = one("TakesUnknownNames", "unknown-parameter", &[]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let file = library("nonconforming").display().to_string();
    let lines: Vec<&str> = finished.output.lines().collect();
    let again = format!(
        "  again     playdock check {file} --include unknown-parameter --command \
         TakesUnknownNames --seed 7 --quick"
    );
    assert_eq!(
        lines,
        [
            "FAILED unknown-parameter of TakesUnknownNames, in process and in a worker",
            "  A parameter that the command doesn't have is refused by name.",
            "  expected  it to fail for a parameter that it doesn't have",
            "  happened  it came to its end",
            "  input     parameters {\"Incident Numbers\":[\"INC-1\",\"INC-2\",\"INC-3\",\"INC-4\"],\"Note\":\"a note\",\"Username\":\"admin user\",\"No Such Parameter\":\"a\"}",
            "  mend      Let the SDK read the parameters struct: no map, no #[serde(flatten)], no wrapper.",
            &again,
            "",
            "nonconforming 0.1.0: 0 passed, 2 failed, 0 skipped (seed 7)",
        ]
    );
    assert_eq!(finished.errors, "");
}

#[test]
fn a_seed_gives_the_same_input_again_and_another_seed_another() {
    let input = |seed: &str| {
        let file = library("nonconforming").display().to_string();
        let mut arguments = vec!["check", &file, "--seed", seed, "--output", "json"];
        arguments.extend(["--include", "fuzzed-*", "--command", "CutsInsideACharacter"]);
        let answer = nothing().run(&arguments).answer();
        answer["cases"][0]["input"].as_str().expect("it failed on an input").to_owned()
    };
    assert_eq!(input("11"), input("11"));
    assert_ne!(input("11"), input("12"));
}

#[test]
fn junit_has_every_case_and_is_escaped() {
    let finished = one("CutsInsideACharacter", "*-parameter*", &["--output", "junit"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let xml = &finished.output;
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite "), "{xml}");
    let cases = xml.matches("<testcase ").count();
    assert!(xml.contains(&format!("tests=\"{cases}\" failures=\"2\"")), "{xml}");
    assert_eq!(xml.matches("<failure ").count(), 2, "{xml}");
    assert!(xml.contains("name=\"fuzzed-parameters (worker)\""), "{xml}");
    assert!(xml.contains("&quot;Incident Numbers&quot;"), "{xml}");
    assert!(xml.ends_with("</testsuite>\n"), "{xml}");
}

#[test]
fn patterns_choose_the_cases() {
    let ids = |more: &[&str]| -> Vec<String> {
        let finished = nothing().run(&[&["check", "--list"][..], more].concat());
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let id = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        finished.output.lines().map(id).collect()
    };
    let during = ["cancelled-before", "cancelled-during", "cancelled-after"];
    assert_eq!(ids(&["--include", "cancelled-*"]), during);
    let more = ["--include", "cancelled-*", "--include", "preview", "--exclude", "*-before"];
    assert_eq!(ids(&more), ["preview", "cancelled-during", "cancelled-after"]);
    assert!(ids(&["--exclude", "*-*"]).contains(&"deadline".to_owned()));
}

#[test]
fn what_makes_no_sense_is_bad_usage_and_what_is_no_plugin_cannot_be_checked() {
    let playdock = nothing();
    let good = library("nonconforming");
    for (more, words) in [
        (&["--include", "no-such-case"][..], "playdock check --list shows them"),
        (&["--command", "NoSuchCommand"], "no command NoSuchCommand; it has Conforms"),
        (&["--include", "[a"], "--include"),
        (&["--timeout", "0"], "--timeout"),
    ] {
        let finished = check(&playdock, &good, more);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.errors.contains(words), "{finished:?}");
    }
    let finished = playdock.run(&["plugins", "list", "--output", "junit"]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    for name in ["plain_library", "other_boundary"] {
        let finished = check(&playdock, &library(name), &[]);
        assert_eq!(finished.code, Some(4), "{finished:?}");
        assert_eq!((finished.output.as_str(), finished.errors.lines().count()), ("", 1));
    }
}
