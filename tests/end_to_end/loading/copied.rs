//! Where code can't be run from memory files, libraries are run from private copies.
//!
//! The whole program runs where `vm.memfd_noexec` is 2, which a namespace of processes can have for
//! itself since Linux 6.3. Where none can be made, the tests say that they were not run.
#![cfg(target_os = "linux")]

use super::{SHIPPED, assert_says, nothing, refusal};
use playdock_tests::{Finished, Playdock, SITE_AND_USER, incident, library, parameters};
use serde_json::json;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `unshare` with what it takes to forbid memory files in what it starts; `None`, and a word about
/// it, where that isn't possible.
fn without_memory_files() -> Option<Vec<&'static str>> {
    const SCRIPT: &str = r#"echo 2 > /proc/sys/vm/memfd_noexec && exec "$@""#;
    let kinds: [&[&str]; 2] = [&[], &["--user", "--map-root-user"]];
    let found = kinds.into_iter().find_map(|kind| {
        let mut wrapper = vec!["unshare"];
        wrapper.extend(kind);
        wrapper.extend(["--pid", "--fork", "--mount-proc", "sh", "-c", SCRIPT, "sh"]);
        let mut probe = Command::new(wrapper[0]);
        let probe = probe.args(&wrapper[1..]).arg("true").stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success()).then_some(wrapper)
    });
    if found.is_none() {
        eprintln!("not run: memory files can't be forbidden here");
    }
    found
}

/// Runs the program where memory files can't be executed.
fn run(
    wrapper: &[&str],
    playdock: &Playdock,
    change: fn(&mut Command),
    arguments: &[&str],
) -> Finished {
    let mut wrapped = Command::new(wrapper[0]);
    let command = playdock.command(arguments);
    wrapped.args(&wrapper[1..]).arg(command.get_program()).args(command.get_args());
    wrapped.current_dir(playdock.folder()).env_remove("XDG_CACHE_HOME");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    change(&mut wrapped);
    playdock.start(wrapped).wait_with_output().expect("it ends").into()
}

fn close(wrapper: &[&str], playdock: &Playdock, number: &str, isolation: &str) -> Finished {
    let parameters = playdock.file("parameters.json", parameters(&[number]).to_string());
    let parameters = parameters.to_string_lossy();
    let mut arguments = vec!["invoke", "CloseIncidentInBulk", "--params", &parameters];
    arguments.extend(["--site", "Security Operations", "--isolation", isolation]);
    run(wrapper, playdock, |_| {}, &arguments)
}

fn copies(playdock: &Playdock) -> PathBuf {
    playdock.folder().join("home/.cache/playdock/plugins")
}

fn only_file(folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn a_copy_is_made_used_and_replaced_when_it_was_changed() {
    let Some(wrapper) = without_memory_files() else { return };
    let playdock = Playdock::new();
    let numbers = ["1", "2", "3"];
    let lines: String = numbers.iter().map(|number| incident(number, json!({}))).collect();
    playdock.import(&format!("{SITE_AND_USER}{lines}"));
    let folder = copies(&playdock);
    assert!(!folder.exists(), "elsewhere than there, memory files are used");
    for (number, isolation) in [("1", "worker"), ("2", "in-process")] {
        let finished = close(&wrapper, &playdock, number, isolation);
        assert_eq!((finished.code, &*finished.errors), (Some(0), ""), "{finished:?}");
    }
    let mode = folder.metadata().expect("it was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let (copy, original) = (only_file(&folder), std::fs::read(library(SHIPPED)));
    let original = original.expect("the library can be read");
    assert!(std::fs::read(&copy).is_ok_and(|copied| copied == original));

    set_permissions(&copy, Permissions::from_mode(0o700)).expect("the mode can be set");
    std::fs::write(&copy, "something else").expect("the copy can be changed");
    let finished = close(&wrapper, &playdock, "3", "worker");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(only_file(&folder), copy);
    assert!(std::fs::read(&copy).is_ok_and(|copied| copied == original));
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM incident WHERE status = 'Closed'"), 3);
}

#[test]
fn a_folder_that_is_not_the_users_alone_is_refused() {
    let Some(wrapper) = without_memory_files() else { return };
    let playdock = nothing();
    let folder = copies(&playdock);
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    set_permissions(&folder, Permissions::from_mode(0o755)).expect("the mode can be set");
    let file = library(SHIPPED);
    let list = ["plugins", "list", "--plugin", &*file.to_string_lossy()];
    let line = refusal(&run(&wrapper, &playdock, |_| {}, &list), &file);
    assert_says(&line, &["a private copy", &format!("run: chmod 700 {}", folder.display())]);
    let without_home = |command: &mut Command| {
        command.env_remove("HOME");
    };
    let line = refusal(&run(&wrapper, &playdock, without_home, &list), &file);
    assert_says(&line, &["a private copy", "set XDG_CACHE_HOME or HOME"]);
}

#[test]
fn a_worker_reads_its_copy_and_nothing_else() {
    let Some(wrapper) = without_memory_files() else { return };
    let playdock = Playdock::with_plugins(&["hostile"]);
    playdock.import(&format!("{SITE_AND_USER}{}", incident("1", json!({}))));
    let asked = json!({
        "Incident Numbers": ["1"], "Attack": "read a file", "Target": "/etc/passwd",
        "Username": "admin user",
    });
    let asked = playdock.file("asked.json", asked.to_string());
    let asked = asked.to_string_lossy();
    let mut arguments = vec!["invoke", "Attacks", "--params", &asked];
    arguments.extend(["--site", "Security Operations", "--output", "json"]);
    let answer = run(&wrapper, &playdock, |_| {}, &arguments).answer();
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(error.contains("ermission denied"), "{answer}");
}
