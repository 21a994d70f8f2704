//! What the journal keeps of the conditions under which the code of an execution ran.

use super::Folder;
use playdock_tests::{SITE_AND_USER, parameters};
use serde_json::Value;

impl Folder {
    /// Runs the command of this folder's library and returns what the journal says of it, for
    /// programs and for people.
    fn journaled(&self, more: &[&str]) -> (Value, String) {
        self.playdock.import(SITE_AND_USER);
        let file = self.playdock.file("parameters.json", parameters(&[""; 0]).to_string());
        let (file, plugin) = (file.to_string_lossy(), self.plugin.to_string_lossy());
        let mut invoke = vec!["invoke", "CloseIncidentInBulk", "--params", &file];
        invoke.extend(["--site", "Security Operations", "--execution-id", "a"]);
        if !self.playdock.folder().join("playdock.toml").exists() {
            invoke.extend(["--plugin", &plugin]);
        }
        let finished = self.run(&[&invoke[..], more].concat());
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let show = ["executions", "show", "a"];
        let json = self.run(&[&show[..], &["--output", "json"]].concat());
        (json.answer(), self.run(&show).output)
    }
}

fn line<'a>(shown: &'a str, name: &str) -> &'a str {
    let line = shown.lines().find_map(|line| line.trim_start().strip_prefix(name));
    line.unwrap_or_else(|| panic!("{name} is not in: {shown}")).trim()
}

#[test]
fn a_plugin_in_development_is_plain_to_see() {
    let folder = Folder::new();
    folder.trust(&["--dev"]);
    let (json, text) = folder.journaled(&[]);
    assert_eq!((&json["trusted"], &json["signed_by"]), (&"dev".into(), &Value::Null));
    assert_eq!(line(&text, "Trusted"), "dev (whatever was built in its place)");
}

#[test]
fn the_key_of_a_signed_plugin_is_kept() {
    let (folder, signer) = Folder::signed();
    folder.keys(&["add", &signer.key()]);
    let (json, text) = folder.journaled(&["--policy", "signed"]);
    assert_eq!((&json["trusted"], &json["signed_by"]), (&"signed".into(), &signer.id().into()));
    assert_eq!(line(&text, "Trusted"), format!("signed by {}", signer.id()));
}

#[test]
fn where_a_plugin_ran_is_kept_and_an_option_is_above_the_configuration() {
    for (option, expected) in [(None, "in-process"), (Some("worker"), "worker")] {
        let folder = Folder::new();
        folder.trust(&[]);
        let configuration = "[[plugin]]\nfile = \"plugin.so\"\nisolation = \"in-process\"\n";
        folder.playdock.file("playdock.toml", configuration);
        let more = option.map(|it| ["--isolation", it]);
        let (json, text) = folder.journaled(more.as_ref().map_or(&[], |it| &it[..]));
        if cfg!(target_os = "linux") {
            assert_eq!(
                (&json["trusted"], &json["isolation"]),
                (&"locked".into(), &expected.into())
            );
            assert!(line(&text, "Ran").starts_with(expected), "{text}");
        }
        if expected == "in-process" {
            assert_eq!(json["unprotected"], Value::Array(Vec::new()));
            assert_eq!(line(&text, "Ran"), "in-process (no sandbox)");
        }
    }
}

#[test]
fn a_policy_in_the_working_folder_is_refused() {
    let folder = Folder::new();
    folder.playdock.file("playdock.toml", "policy = \"any\"\n[[plugin]]\nfile = \"plugin.so\"\n");
    let listed = folder.run(&["plugins", "list"]);
    assert_eq!(listed.code, Some(2), "{listed:?}");
    assert!(listed.errors.contains("unknown field `policy`"), "{listed:?}");
}

/// From here on, this thread and what it starts find no Landlock, as on an old kernel.
#[cfg(target_os = "linux")]
fn forget_landlock() {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
    let rules = [(libc::SYS_landlock_create_ruleset, Vec::new())];
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    let processor = std::env::consts::ARCH.try_into().expect("the processor is known");
    let filter = SeccompFilter::new(rules.into(), SeccompAction::Allow, unknown, processor);
    let filter = filter.and_then(BpfProgram::try_from).expect("the filter is well-formed");
    apply_filter(&filter).expect("a filter can be set");
}

#[cfg(target_os = "linux")]
#[test]
fn a_part_of_the_sandbox_that_was_missing_is_kept() {
    let run = || {
        forget_landlock();
        let folder = Folder::new();
        folder.trust(&[]);
        folder.journaled(&[])
    };
    let (json, text) = std::thread::spawn(run).join().expect("the command runs");
    assert_eq!(json["isolation"], "worker");
    let missing = json["unprotected"].as_array().expect("it is a list");
    assert_eq!(missing.len(), 1, "{json}");
    let missing = missing[0].as_str().expect("it is text");
    assert!(missing.contains("Landlock"), "{missing}");
    assert_eq!(line(&text, "Ran"), format!("worker, unprotected: {missing}"));
}
