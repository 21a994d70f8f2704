//! The way of an author from an empty folder to a command that runs in a playbook.

use playdock_tests::{Finished, Playdock, program};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An author in an empty folder.
struct Author(Playdock);

impl Author {
    fn new() -> Author {
        Author(Playdock::with_plugins(&[]))
    }

    /// Runs `playdock new` with the plugin-api of this workspace.
    fn begin(&self, name: &str) -> Finished {
        let plugin_api = workspace().join("plugin-api").to_string_lossy().into_owned();
        self.0.run(&["new", name, "--plugin-api", &plugin_api, "--output", "json"])
    }

    /// Runs a command to its end in the folder of the crate `hello`.
    fn run(&self, mut command: Command) -> Finished {
        let home = self.0.folder().join("home");
        command.current_dir(self.0.folder().join("hello"));
        command.env("XDG_CONFIG_HOME", home.join("configuration")).env_remove("PLAYDOCK_POLICY");
        let child = self.0.start(command);
        child.wait_with_output().expect("it can be waited for").into()
    }

    /// Runs cargo in the crate `hello`, on what this workspace has downloaded and built.
    fn cargo(&self, subcommand: &str) -> Finished {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([subcommand, "--offline"]).env("CARGO_TARGET_DIR", target());
        self.run(cargo)
    }

    /// Runs a line in the shell, in the crate `hello`.
    fn shell(&self, line: &str) -> Finished {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]);
        self.run(shell)
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("it exists")
}

fn target() -> PathBuf {
    program().ancestors().nth(2).expect("the program is in target/PROFILE").to_owned()
}

#[cfg(unix)]
#[test]
fn a_new_command_is_tested_built_trusted_and_run_as_its_own_lines_say() {
    let author = Author::new();
    let made = author.begin("hello");
    assert_eq!(made.code, Some(0), "{made:?}");
    let made = made.answer();
    assert_eq!((&made["folder"], &made["command"]), (&"hello".into(), &"Hello".into()));
    let hello = author.0.folder().join("hello");
    // The same versions as here: others may not have been downloaded.
    std::fs::copy(workspace().join("Cargo.lock"), hello.join("Cargo.lock")).expect("it is copied");

    let tested = author.cargo("test");
    assert_eq!(tested.code, Some(0), "{tested:?}");
    assert!(tested.output.contains("the_library_runs_the_command ... ok"), "{tested:?}");
    let built = author.cargo("build");
    assert_eq!(built.code, Some(0), "{built:?}");
    assert!(!built.errors.contains("warning"), "{}", built.errors);
    // Cargo built it into this workspace's folder, unoptimised, to build less.
    let file = format!("{}hello{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    std::fs::create_dir_all(hello.join("target/release")).expect("it can be made");
    std::fs::copy(target().join("debug").join(&file), hello.join("target/release").join(&file))
        .expect("cargo built it");

    let next: Vec<&str> =
        made["next"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let refused = author.shell(next[4]);
    assert_eq!(refused.code, Some(4), "it ran without being trusted: {refused:?}");
    let trusted = author.shell(next[3]);
    assert_eq!(trusted.code, Some(0), "{trusted:?}");
    let ran = author.shell(next[4]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for words in ["In Progress", "Successful: 3 incidents", "ended at \"Done\""] {
        assert!(ran.output.contains(words), "\"{words}\" is not in: {}", ran.output);
    }
    let checked = author.shell(&format!("{} --quick", next[5]));
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.output.contains(" 0 failed"), "{checked:?}");
    let readme = std::fs::read_to_string(hello.join("README.md")).expect("it was written");
    for line in &next[1..] {
        let line = line.replace(&*program().to_string_lossy(), "playdock");
        assert!(readme.lines().any(|it| it == line), "the README doesn't have: {line}");
    }
}

#[test]
fn nothing_is_overwritten_and_a_bad_name_makes_nothing() {
    let author = Author::new();
    let file = author.0.folder().join("hello/notes");
    std::fs::create_dir(author.0.folder().join("hello")).expect("a folder can be made");
    std::fs::write(&file, "mine").expect("a file can be written");
    for (name, words) in [
        ("hello", "hello exists already"),
        ("fn", "Rust has another meaning"),
        ("7up", "begins with a digit"),
        ("../hello", "it is a path"),
        ("incident", "can't be named Incident"),
        ("_", "it has no letter"),
    ] {
        let refused = author.begin(name);
        assert_eq!((refused.code, refused.output.as_str()), (Some(2), ""), "{refused:?}");
        assert_eq!(refused.errors.lines().count(), 1, "{refused:?}");
        assert!(refused.errors.contains(words), "\"{words}\" is not in: {}", refused.errors);
    }
    let left = std::fs::read_dir(author.0.folder()).expect("it exists").count();
    assert_eq!((left, std::fs::read(&file).expect("it is there")), (1, b"mine".to_vec()));
}
