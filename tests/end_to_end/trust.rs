//! Which plugins may run: none that nobody allowed, none that changed since, and on Linux none that
//! others could change.

#[cfg(target_os = "linux")]
mod files;
mod journal;
mod several_locks;
mod signatures;
mod signing;

use playdock_tests::{Finished, Playdock, SITE_AND_USER, library, parameters, program};
use std::path::{Path, PathBuf};

/// A folder with one library, which nobody trusts yet.
struct Folder {
    playdock: Playdock,
    plugin: PathBuf,
}

impl Folder {
    fn new() -> Folder {
        let playdock = Playdock::with_plugins(&[]);
        let bytes = std::fs::read(library("close_incident_in_bulk")).expect("it can be read");
        let real = playdock.folder().canonicalize().expect("the folder exists");
        playdock.file("plugin.so", bytes);
        Folder { playdock, plugin: real.join("plugin.so") }
    }

    /// Runs the program as it is without a policy of the tests.
    fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = self.playdock.command(arguments);
        command.env_remove("PLAYDOCK_POLICY");
        let child = self.playdock.start(command);
        child.wait_with_output().expect("it can be waited for").into()
    }

    fn list(&self, plugin: &Path) -> Finished {
        let plugin = plugin.to_string_lossy();
        self.run(&["plugins", "list", "--output", "json", "--plugin", &plugin])
    }

    fn trust(&self, more: &[&str]) -> Finished {
        let plugin = self.plugin.to_string_lossy();
        let finished = self.run(&[&["plugins", "trust", &plugin][..], more].concat());
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished
    }

    /// The library is built anew: another digest, the same commands.
    fn change(&self) {
        let mut bytes = std::fs::read(&self.plugin).expect("it can be read");
        bytes.push(0);
        std::fs::write(&self.plugin, bytes).expect("it can be written");
    }

    fn lock(&self) -> PathBuf {
        self.playdock.folder().join("home").join("configuration").join("playdock/plugins.lock")
    }

    fn assert_runs(&self, as_what: &str) {
        let listed = self.list(&self.plugin);
        assert_eq!((listed.code, listed.errors.as_str()), (Some(0), ""));
        assert_eq!(listed.answer()[0]["trusted"], as_what);
    }

    /// Checks that the library is refused, and that the one line has these words.
    fn assert_refused(&self, words: &[&str]) {
        assert_refusal(&self.list(&self.plugin), words);
    }
}

fn assert_refusal(finished: &Finished, words: &[&str]) {
    assert_eq!((finished.code, finished.output.as_str()), (Some(4), ""), "{finished:?}");
    assert_eq!(finished.errors.lines().count(), 1, "{finished:?}");
    for words in words {
        assert!(finished.errors.contains(words), "\"{words}\" is not in: {}", finished.errors);
    }
}

#[test]
fn a_plugin_is_refused_until_it_is_trusted_and_again_when_it_changed() {
    let folder = Folder::new();
    let path = folder.plugin.to_string_lossy().into_owned();
    let advice = format!("if you trust it, run: playdock plugins trust {path}\n");
    folder.assert_refused(&["is in no lock file", &advice]);

    let shown = folder.trust(&[]).output;
    let digest = folder.list(&folder.plugin).answer()[0]["sha256"].to_string();
    for words in ["close-incident-in-bulk", "CloseIncidentInBulk", digest.trim_matches('"')] {
        assert!(shown.contains(words), "\"{words}\" is not in: {shown}");
    }
    folder.assert_runs("locked");

    folder.playdock.import(SITE_AND_USER);
    let file = folder.playdock.file("parameters.json", parameters(&[""; 0]).to_string());
    let parameters = file.to_string_lossy();
    let mut invoke = vec!["invoke", "CloseIncidentInBulk", "--params", &parameters];
    invoke.extend(["--site", "Security Operations", "--plugin", &path]);
    let finished = folder.run(&invoke);
    assert_eq!(finished.code, Some(0), "{finished:?}");

    folder.change();
    let refused = ["it has changed since", "playdock plugins trust"];
    folder.assert_refused(&refused);
    assert_refusal(&folder.run(&invoke), &refused);
    folder.trust(&[]);
    folder.assert_runs("locked");
}

#[test]
fn what_was_trusted_before_a_change_is_not_trusted_any_more() {
    let folder = Folder::new();
    let old = std::fs::read(&folder.plugin).expect("it can be read");
    folder.trust(&[]);
    folder.change();
    folder.trust(&[]);
    std::fs::write(&folder.plugin, old).expect("it can be written");
    folder.assert_refused(&["it has changed since"]);
}

#[test]
fn a_plugin_in_development_may_be_built_again() {
    let folder = Folder::new();
    folder.trust(&["--dev"]);
    folder.assert_runs("dev");
    folder.change();
    folder.assert_runs("dev");
    let elsewhere = folder.playdock.folder().join("elsewhere.so");
    std::fs::copy(&folder.plugin, &elsewhere).expect("it can be copied");
    assert_refusal(&folder.list(&elsewhere), &["is in no lock file"]);
}

#[test]
fn trust_is_taken_back_by_file_or_by_name() {
    let folder = Folder::new();
    let file = folder.plugin.to_string_lossy().into_owned();
    for plugin in [&*file, "plugin.so", "close-incident-in-bulk"] {
        folder.trust(&[]);
        let finished = folder.run(&["plugins", "untrust", plugin]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        folder.assert_refused(&["is in no lock file"]);
        let again = folder.run(&["plugins", "untrust", plugin]);
        assert_eq!(again.code, Some(2), "{again:?}");
    }
}

#[test]
fn a_lock_file_that_is_named_is_used_in_place_of_ones_own() {
    let folder = Folder::new();
    folder.trust(&["--lock", "team.lock"]);
    assert!(!folder.lock().exists());
    folder.assert_refused(&["is in no lock file"]);
    let plugin = folder.plugin.to_string_lossy();
    let list = |lock| folder.run(&["plugins", "list", "--plugin", &plugin, "--lock", lock]);
    assert_eq!(list("team.lock").code, Some(0));
    let absent = list("absent.lock");
    assert_eq!(absent.code, Some(2), "{absent:?}");
    assert!(absent.errors.contains("there is no lock file absent.lock"), "{absent:?}");
    folder.playdock.file("bad.lock", "[[plugin]]\nfile = 1\n");
    assert_refusal(&list("bad.lock"), &["bad.lock can't be understood: line 2"]);
}

#[test]
fn no_lock_file_in_the_working_folder_is_taken() {
    let folder = Folder::new();
    folder.trust(&["--lock", "plugins.lock"]);
    let lock = std::fs::read(folder.playdock.folder().join("plugins.lock")).expect("it is there");
    for path in ["playdock.lock", "playdock/plugins.lock", ".config/playdock/plugins.lock"] {
        let path = folder.playdock.folder().join(path);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it is made");
        std::fs::write(path, &lock).expect("it can be written");
    }
    folder.assert_refused(&["is in no lock file"]);
    // Nor where the environment says that the configuration is there.
    for home in [".", ""] {
        let plugin = folder.plugin.to_string_lossy();
        let mut command = folder.playdock.command(&["plugins", "list", "--plugin", &plugin]);
        command.env_remove("PLAYDOCK_POLICY").env("XDG_CONFIG_HOME", home).env("HOME", home);
        let child = folder.playdock.start(command);
        let finished: Finished = child.wait_with_output().expect("it ends").into();
        assert_refusal(&finished, &["is in no lock file"]);
    }
}

#[test]
fn any_plugin_runs_where_the_policy_says_so_and_no_policy_is_made_up() {
    let folder = Folder::new();
    let plugin = folder.plugin.to_string_lossy();
    let list = |policy| folder.run(&["plugins", "list", "--plugin", &plugin, "--policy", policy]);
    let listed = list("any");
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let mut command = folder.playdock.command(&["plugins", "list", "--plugin", &plugin]);
    command.env("PLAYDOCK_POLICY", "all");
    let finished = folder.playdock.start(command).wait_with_output().expect("it ends");
    assert_eq!(finished.status.code(), Some(2));
}

#[test]
fn a_plugin_that_is_not_trusted_can_be_looked_at() {
    let folder = Folder::new();
    let finished = folder.run(&["plugins", "inspect", &folder.plugin.to_string_lossy()]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    // Elsewhere it says that its code was not run.
    assert_eq!(finished.errors.is_empty(), cfg!(target_os = "linux"), "{finished:?}");
}

#[test]
fn the_first_line_of_the_readme_needs_no_lock_file() {
    let playdock = Playdock::with_plugins(&[]);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin/examples");
    let playbook = examples.join("close-in-bulk.json").to_string_lossy().into_owned();
    let incidents = examples.join("incidents.jsonl").to_string_lossy().into_owned();
    let mut arguments = vec!["run", &playbook, "--site", "Security Operations"];
    arguments.extend(["--import", &incidents]);
    let mut command = playdock.command(&arguments);
    command.env_remove("PLAYDOCK_POLICY");
    let child = playdock.start(command);
    let finished: Finished = child.wait_with_output().expect("it can be waited for").into();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.output.contains("Successful: 5 incidents"), "{finished:?}");
}

/// A copy of the program with its library beside it, in a folder of their own.
#[cfg(target_os = "linux")]
fn copy_of_the_program(folder: &Path) -> (PathBuf, PathBuf) {
    std::fs::create_dir(folder).expect("a folder can be made");
    let copied = |from: PathBuf| {
        let to = folder.join(from.file_name().expect("it has a name"));
        std::fs::copy(from, &to).expect("it can be copied");
        to
    };
    (copied(program()), copied(library("close_incident_in_bulk")))
}
