//! The files of a new command. Their text is that of a crate which is compiled and tested in this
//! workspace (tests/fixtures/template_command), with its names replaced.

use super::names::Names;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use uuid::Uuid;

/// The files: where each lies in the new folder, and its text.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    (".gitignore", include_str!("template/gitignore")),
    ("README.md", include_str!("template/README.md")),
    ("playdock.toml", include_str!("template/playdock.toml")),
    ("src/lib.rs", include_str!("template/src/lib.rs")),
    ("src/tests.rs", include_str!("template/src/tests.rs")),
    ("tests/library.rs", include_str!("template/tests/library.rs")),
    ("examples/playbook.json", include_str!("template/examples/playbook.json")),
    ("examples/incidents.jsonl", include_str!("template/examples/incidents.jsonl")),
];

/// The crates that the new one depends on, none of which it can be named as.
const DEPENDENCIES: &[&str] = &["playdock-plugin-api", "schemars", "serde", "serde-json"];

/// The ids in the playbook end so, up to this number.
const ID: &str = "00000000-0000-4000-8000-00000000000";
const IDS: u32 = 7;
/// When the playbook in the template was made.
const MADE: &str = "2021-01-27T14:08:00.000Z";

/// Keeps the new crate out of a workspace that lies around it.
const OWN_WORKSPACE: &str = "
# A workspace of its own: the one around it doesn't list this crate.
[workspace]
";

/// What a new command is made of beside its names.
pub(super) struct Surroundings {
    /// How its manifest names playdock-plugin-api: members of a TOML table.
    pub(super) plugin_api: String,
    /// Whether it lies inside a workspace of somebody's.
    pub(super) in_workspace: bool,
}

/// The file name of its library on this system.
pub(super) fn library_file(names: &Names) -> String {
    format!("{DLL_PREFIX}{}{DLL_SUFFIX}", names.library)
}

/// The files of a new command.
///
/// # Errors
///
/// A sentence: the names mean something else in these files.
pub(super) fn files(
    names: &Names,
    surroundings: &Surroundings,
) -> Result<Vec<(&'static str, String)>, String> {
    if let Some(taken) = taken(names) {
        return Err(format!(
            "a new command can't be named {taken}: its code uses that name for something else; add a word"
        ));
    }
    let mut replaced = vec![
        ("template-command".to_owned(), names.krate.clone()),
        ("template_command".to_owned(), names.library.clone()),
        ("TemplateCommand".to_owned(), names.command.clone()),
        ("Template Command".to_owned(), names.title.clone()),
        ("@library@".to_owned(), library_file(names)),
        ("@plugin-api@".to_owned(), surroundings.plugin_api.clone()),
        ("@rust-version@".to_owned(), playdock_plugin_api::RUST_VERSION.to_owned()),
        ("@repository@".to_owned(), env!("CARGO_PKG_REPOSITORY").to_owned()),
        (MADE.to_owned(), jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()),
    ];
    replaced.extend((1..=IDS).map(|id| (format!("{ID}{id}"), Uuid::new_v4().to_string())));
    let file = |&(path, text): &(&'static str, &str)| {
        let text = replaced.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let own_workspace = path == "Cargo.toml" && surroundings.in_workspace;
        (path, if own_workspace { text + OWN_WORKSPACE } else { text })
    };
    Ok(FILES.iter().map(file).collect())
}

/// The name, if it stands for something else in the template's code.
fn taken(names: &Names) -> Option<&str> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let code = FILES.iter().filter(|(path, _)| path.ends_with(".rs"));
    let mut words = code.flat_map(|(_, text)| text.split(|character| !is_part(character)));
    if DEPENDENCIES.contains(&names.krate.as_str()) {
        return Some(&names.krate);
    }
    words.any(|word| word == names.command).then_some(&names.command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::Playbook;

    fn made(name: &str) -> Vec<(&'static str, String)> {
        let surroundings =
            Surroundings { plugin_api: "version = \"1\"".to_owned(), in_workspace: false };
        files(&Names::of(name).unwrap(), &surroundings).unwrap()
    }

    #[test]
    fn nothing_of_the_template_s_own_names_is_left() {
        for (path, text) in made("assign-owner") {
            let text = text.to_lowercase();
            for left in ["template", "@", ID, MADE] {
                assert!(!text.contains(left), "{left} is in {path}:\n{text}");
            }
        }
    }

    #[test]
    fn the_playbook_is_one_and_has_ids_of_its_own() {
        let playbook = || {
            let files = made("assign-owner");
            files.into_iter().find(|(path, _)| *path == "examples/playbook.json").unwrap().1
        };
        let (first, second) = (playbook(), playbook());
        assert!(Playbook::load(first.as_bytes()).is_ok());
        let id =
            |text: &str| text.lines().find(|line| line.contains("playbook--")).map(str::to_owned);
        assert_ne!(id(&first), id(&second));
        assert!(FILES.iter().any(|(_, text)| text.contains(&format!("{ID}{IDS}"))));
        assert!(!FILES.iter().any(|(_, text)| text.contains(&format!("{ID}{}", IDS + 1))));
    }

    #[test]
    fn a_name_that_the_code_uses_otherwise_is_refused() {
        let surroundings = Surroundings { plugin_api: String::new(), in_workspace: false };
        for name in ["parameters", "incident", "Outcome", "serde", "serde_json", "Vec", "ok"] {
            assert!(files(&Names::of(name).unwrap(), &surroundings).is_err(), "{name}");
        }
    }

    #[test]
    fn inside_a_workspace_it_is_one_of_its_own() {
        let manifest = |in_workspace| {
            let surroundings = Surroundings { plugin_api: "path = \"a\"".to_owned(), in_workspace };
            let files = files(&Names::of("hello").unwrap(), &surroundings).unwrap();
            toml::from_str::<toml::Table>(&files[0].1).unwrap()
        };
        assert!(manifest(true).contains_key("workspace"));
        assert!(!manifest(false).contains_key("workspace"));
    }
}
