//! Looking at plugins, which runs none of their code but inside a sandbox.

use super::{SHIPPED, nothing};
use playdock_tests::{Finished, Playdock, SITE_AND_USER, library, parameters};
use serde_json::{Value, json};

/// What is to be said of the shipped library, but for its digest and what it needs.
fn assert_is_the_shipped_one(said: &Value) {
    let file = library(SHIPPED).canonicalize().expect("the library exists");
    let size = std::fs::metadata(&file).expect("it exists").len();
    assert_eq!(said["name"], "close-incident-in-bulk", "{said}");
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"), "{said}");
    assert_eq!(said["boundary"], 1, "{said}");
    assert_eq!(said["commands"], json!(["CloseIncidentInBulk"]), "{said}");
    assert_eq!(said["file"], file.to_string_lossy().as_ref(), "{said}");
    assert_eq!(said["size"], size, "{said}");
    let digest = said["sha256"].as_str().expect("a digest is text");
    assert_eq!(digest.len(), 64, "{said}");
    assert!(said["needs"].as_array().is_some_and(|it| !it.is_empty()));
}

#[test]
fn inspect_says_what_a_library_is() {
    let (playdock, file) = (nothing(), library(SHIPPED));
    let path = file.to_string_lossy();
    let said = playdock.run(&["plugins", "inspect", &path, "--output", "json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    // Elsewhere it says that its code was not run.
    assert_eq!(said.errors.is_empty(), cfg!(target_os = "linux"), "{said:?}");
    let errors = said.errors.clone();
    let said = said.answer();
    assert_is_the_shipped_one(&said);

    let text = playdock.run(&["plugins", "inspect", &path]);
    assert_eq!((text.code, text.errors), (Some(0), errors));
    let lines: Vec<&str> = text.output.lines().collect();
    let title = format!("close-incident-in-bulk {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(lines[0], title);
    for (name, value) in [
        ("Commands", "CloseIncidentInBulk".to_owned()),
        ("Boundary", "version 1".to_owned()),
        ("File", said["file"].as_str().expect("it is text").to_owned()),
        ("Size", format!("{} bytes", said["size"])),
        ("SHA-256", said["sha256"].as_str().expect("it is text").to_owned()),
    ] {
        let line = format!("  {name:<9} {value}");
        assert!(lines.contains(&line.as_str()), "\"{line}\" is not in: {lines:#?}");
    }
}

#[test]
fn the_digest_is_the_one_that_the_journal_keeps() {
    let playdock = Playdock::new();
    playdock.import(SITE_AND_USER);
    let more = ["--execution-id", "digest"];
    let finished = playdock.close(&parameters(&[""; 0]), &more);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let listed = playdock.run(&["plugins", "list", "--output", "json"]);
    let kept: String = playdock.value("SELECT plugin_digest FROM execution");
    assert_eq!(listed.answer()[0]["sha256"], kept);
}

#[test]
fn list_says_which_plugins_are_in_use() {
    let playdock = Playdock::with_plugins(&[SHIPPED, "misbehaving"]);
    let said = playdock.run(&["plugins", "list", "--output", "json"]);
    assert_eq!((said.code, said.errors.as_str()), (Some(0), ""));
    let said = said.answer();
    assert_is_the_shipped_one(&said[0]);
    assert_eq!(said[1]["name"], "misbehaving");
    assert_eq!(said.as_array().map(Vec::len), Some(2));

    let text = playdock.run(&["plugins", "list"]);
    assert_eq!((text.code, text.errors.as_str()), (Some(0), ""));
    for words in ["Plugin", "Version", "Commands", "File"] {
        assert!(text.output.lines().next().is_some_and(|it| it.contains(words)));
    }
    assert!(text.output.contains("close-incident-in-bulk"), "{text:?}");
    assert!(text.output.contains("CloseIncidentInBulk"), "{text:?}");
}

#[test]
fn without_an_option_the_configuration_says_which_and_without_one_the_shipped_one_is_in_use() {
    let playdock = nothing();
    let listed = || playdock.run(&["plugins", "list", "--output", "json"]).answer();
    assert_is_the_shipped_one(&listed()[0]);
    let file = json!(library("misbehaving").to_string_lossy());
    playdock.file("playdock.toml", format!("[[plugin]]\nfile = {file}\n"));
    let said = listed();
    assert_eq!(said[0]["name"], "misbehaving");
    assert_eq!(said.as_array().map(Vec::len), Some(1));
}

#[test]
fn inspect_and_list_run_no_code_of_a_library() {
    let playdock = Playdock::with_plugins(&["constructor"]);
    playdock.import(SITE_AND_USER);
    let trace = playdock.folder().join("trace");
    let file = library("constructor");
    let run = |arguments: &[&str]| -> Finished {
        let mut command = playdock.command(arguments);
        command.env("CONSTRUCTOR_TRACE", &trace);
        let child = playdock.start(command);
        child.wait_with_output().expect("it ends").into()
    };
    for arguments in [&["plugins", "inspect", &*file.to_string_lossy()][..], &["plugins", "list"]] {
        let finished = run(arguments);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(!trace.exists(), "the constructor ran: {arguments:?}");
    }
    playdock.import(SITE_AND_USER);
    let parameters = playdock.file("parameters.json", "{}");
    let parameters = parameters.to_string_lossy();
    let mut invoke = vec!["invoke", "Constructed", "--params", &parameters];
    invoke.extend(["--site", "Security Operations", "--manual", "--user", "admin user"]);
    let finished = run(&invoke);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    #[cfg(target_os = "linux")]
    assert!(!trace.exists(), "a constructor in a worker reaches no file");
    invoke.extend(["--isolation", "in-process"]);
    let finished = run(&invoke);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(trace.exists(), "the constructor would have left a trace");
}
