//! Loading plugins: what can't be used is refused in one line, before and apart from all else, and
//! what can be used works however it is loaded.

mod copied;
mod damaged;
#[cfg(target_os = "linux")]
mod describing;
mod inspecting;
mod linked;

use playdock_host::plugins::{PluginFile, Plugins, Trust};
use playdock_tests::{Finished, Playdock, library};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Barrier;

/// The command that the project ships.
const SHIPPED: &str = "close_incident_in_bulk";

fn nothing() -> Playdock {
    Playdock::with_plugins(&[])
}

/// Makes its store, so that nothing is said of that later.
fn make_store(playdock: &Playdock) {
    playdock.import("{\"kind\":\"site\",\"name\":\"Other\",\"time_zone\":\"UTC\"}\n");
}

/// Checks that the program refused a plugin, and returns the one line that says why.
fn refusal(finished: &Finished, file: &Path) -> String {
    assert_eq!(finished.code, Some(4), "{finished:?}");
    assert_eq!(finished.output, "", "{finished:?}");
    let lines: Vec<&str> = finished.errors.lines().collect();
    assert_eq!(lines.len(), 1, "{finished:?}");
    let file = file.file_name().expect("the file has a name");
    let named = lines[0].contains(&*file.to_string_lossy());
    assert!(lines[0].starts_with("playdock: ") && named, "{lines:?}");
    lines[0].to_owned()
}

/// Runs a command of a plugin as the person `admin user`.
fn invoke(playdock: &Playdock, file: &Path, command: &str, more: &[&str]) -> Finished {
    let plugin = file.to_string_lossy();
    let mut arguments = vec!["--plugin", &*plugin, "--manual", "--user", "admin user"];
    arguments.extend(more);
    playdock.invoke(command, &json!({}), &arguments)
}

/// Checks that a file is refused by `inspect`, by `list` and by an invocation, which leaves no
/// store behind; returns the line.
fn refused_unloaded(playdock: &Playdock, file: &Path) -> String {
    let path = file.to_string_lossy();
    let inspected = refusal(&playdock.run(&["plugins", "inspect", &path]), file);
    let listed = playdock.run(&["plugins", "list", "--plugin", &path]);
    assert_eq!(refusal(&listed, file), inspected);
    let invoked = invoke(playdock, file, "CloseIncidentInBulk", &[]);
    assert_eq!(refusal(&invoked, file), inspected);
    assert!(!playdock.folder().join("playdock.db").exists());
    inspected
}

/// Checks that a library, which looks well from outside, is refused when it is loaded.
fn refused_when_loaded(name: &str, command: &str) -> String {
    let (playdock, file) = (nothing(), library(name));
    make_store(&playdock);
    let path = file.to_string_lossy();
    let listed = playdock.run(&["plugins", "list", "--plugin", &path]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let in_a_worker = refusal(&invoke(&playdock, &file, command, &[]), &file);
    if cfg!(target_os = "linux") {
        let inspected = playdock.run(&["plugins", "inspect", &path]);
        assert_eq!((inspected.code, inspected.errors.trim_end()), (Some(4), &*in_a_worker));
        assert!(inspected.output.contains("SHA-256"), "{inspected:?}");
    }
    let in_process = invoke(&playdock, &file, command, &["--isolation", "in-process"]);
    assert_eq!(refusal(&in_process, &file), in_a_worker);
    in_a_worker
}

fn assert_says(line: &str, words: &[&str]) {
    for words in words {
        assert!(line.contains(words), "\"{words}\" is not in: {line}");
    }
}

#[test]
fn a_file_that_is_not_there_or_a_folder_is_refused() {
    let playdock = nothing();
    let absent = playdock.folder().join("absent.so");
    assert_says(&refused_unloaded(&playdock, &absent), &["there is no such file"]);
    let folder = playdock.folder().join("folder.so");
    std::fs::create_dir(&folder).expect("a folder can be made");
    assert_says(&refused_unloaded(&playdock, &folder), &["it is a folder"]);
}

#[test]
fn a_library_without_our_header_is_refused() {
    let line = refused_unloaded(&nothing(), &library("plain_library"));
    assert_says(&line, &["not a Playdock plugin", "export_plugin!"]);
}

#[test]
fn a_library_for_another_boundary_is_refused() {
    let line = refused_unloaded(&nothing(), &library("other_boundary"));
    let words = ["version 99", "version 1:", "build it with a matching playdock-plugin-api"];
    assert_says(&line, &words);
}

#[test]
fn a_boundary_laid_out_otherwise_is_refused() {
    let line = refused_when_loaded("other_layout", "AnswersNumbers");
    assert_says(&line, &["build it with a matching playdock-plugin-api"]);
}

#[test]
fn a_library_whose_file_and_code_name_different_commands_is_refused() {
    let line = refused_when_loaded("lying", "Innocent");
    assert_says(&line, &["Innocent", "Disguised", "export_plugin!"]);
}

#[test]
fn a_library_that_panics_when_it_is_to_describe_itself_is_refused() {
    let line = refused_when_loaded("panics_in_describe", "Indescribable");
    assert_says(&line, &["panicked", "words fail me,", "on two lines"]);
}

#[test]
fn two_plugins_with_one_command_name_are_refused() {
    let playdock = Playdock::with_plugins(&[SHIPPED, "same_command"]);
    let line = refusal(&playdock.run(&["plugins", "list"]), &library("same_command"));
    let shipped = library(SHIPPED).display().to_string();
    let words = ["a command CloseIncidentInBulk", &shipped, "leave one of them out"];
    assert_says(&line, &words);
}

#[test]
fn the_same_file_given_twice_is_refused() {
    let playdock = Playdock::with_plugins(&[SHIPPED, SHIPPED]);
    let line = refusal(&playdock.run(&["plugins", "list"]), &library(SHIPPED));
    assert_says(&line, &["CloseIncidentInBulk", "leave one of them out"]);
}

#[test]
fn bad_files_spoil_neither_each_other_nor_a_good_one_that_follows() {
    let playdock = nothing();
    let mut plugins = Plugins::new();
    let text = playdock.file("text.so", "no library");
    for file in [text, library("plain_library"), library("other_boundary")] {
        assert!(plugins.add(&file).is_err(), "{}", file.display());
    }
    for name in ["other_layout", "lying", "panics_in_describe"] {
        let file =
            PluginFile::open(&library(name), &Trust::any()).expect("it looks well from outside");
        for _ in 0..2 {
            assert!(file.load().is_err(), "{name}");
        }
    }
    let names = [SHIPPED, "misbehaving", "not_a_message", "constructor"];
    for name in names {
        let added = plugins.add(&library(name));
        added.unwrap_or_else(|error| panic!("{error}"));
    }
    for file in plugins.files() {
        let loaded = file.load().unwrap_or_else(|error| panic!("{error}"));
        let described: Vec<&str> = loaded.commands().iter().map(|it| &*it.name).collect();
        assert_eq!(described, file.identity().commands);
    }
    assert_eq!(plugins.files().len(), names.len());
    assert!(plugins.add(&library("same_command")).is_err());
    assert_eq!(plugins.files().len(), names.len());
}

#[test]
fn three_hundred_threads_load_one_plugin_at_once() {
    const THREADS: usize = 300;
    let library = library(SHIPPED);
    let open =
        || PluginFile::open(&library, &Trust::any()).unwrap_or_else(|error| panic!("{error}"));
    // Each is loaded for itself, by ten threads.
    let files: Vec<PluginFile> = (0..THREADS / 10).map(|_| open()).collect();
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (file, start) = (&files[thread % files.len()], &start);
            scope.spawn(move || {
                start.wait();
                let loaded = file.load().unwrap_or_else(|error| panic!("{error}"));
                assert!(loaded.command("CloseIncidentInBulk").is_some());
            });
        }
    });
}

#[test]
fn a_thread_with_a_small_stack_opens_and_loads_a_plugin() {
    let library = library(SHIPPED);
    let load = move || {
        let file =
            PluginFile::open(&library, &Trust::any()).unwrap_or_else(|error| panic!("{error}"));
        let loaded = file.load().unwrap_or_else(|error| panic!("{error}"));
        assert!(loaded.command("CloseIncidentInBulk").is_some());
    };
    let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(load);
    let joined = thread.expect("a thread can be started").join();
    joined.expect("the thread comes to its end");
}

/// A copy of the shipped library in a folder, to be changed.
fn copy(playdock: &Playdock) -> (PathBuf, Vec<u8>) {
    let bytes = std::fs::read(library(SHIPPED)).expect("the library can be read");
    (playdock.folder().join("changed.so"), bytes)
}
