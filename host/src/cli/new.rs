//! `playdock new`: writes a crate with one small command, which builds, tests and runs as it is.

mod names;
mod template;

use super::arguments::{Common, New, Output};
use super::exit::Failure;
use super::{output, terminal};
use names::Names;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use template::{Surroundings, library_file};

pub(super) fn new(common: &Common, arguments: &New) -> Result<ExitCode, Failure> {
    let names = Names::of(&arguments.name).map_err(Failure::usage)?;
    let folder = PathBuf::from(&names.krate);
    let here = std::env::current_dir()
        .map_err(|error| Failure::usage(format!("the working folder can't be found: {error}")))?;
    let surroundings = Surroundings {
        plugin_api: plugin_api(arguments.plugin_api.as_deref())?,
        in_workspace: is_in_workspace(&here),
    };
    let files = template::files(&names, &surroundings).map_err(Failure::usage)?;
    write_all(&folder, &files).map_err(Failure::usage)?;
    let made = Made {
        folder: folder.display().to_string(),
        command: names.command.clone(),
        files: files.iter().map(|(path, _)| *path).collect(),
        next: next(&names),
    };
    say(common, &made)?;
    Ok(ExitCode::SUCCESS)
}

/// What was made, and what to type next.
#[derive(Serialize)]
struct Made {
    folder: String,
    command: String,
    files: Vec<&'static str>,
    next: Vec<String>,
}

fn say(common: &Common, made: &Made) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::write_json(made);
    }
    output::write(|out| {
        writeln!(out, "The command {} is in the folder {}. Next:\n", made.command, made.folder)?;
        made.next.iter().try_for_each(|line| writeln!(out, "  {}", terminal::safe(line)))
    })
}

/// The lines to type next.
fn next(names: &Names) -> Vec<String> {
    let library = format!("target/release/{}", library_file(names));
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let program = in_the_folder(&called);
    vec![
        format!("cd {}", names.krate),
        "cargo test".to_owned(),
        "cargo build --release".to_owned(),
        format!("{program} plugins trust --dev {library}"),
        format!(
            "{program} run examples/playbook.json --site \"Security Operations\" --import examples/incidents.jsonl"
        ),
        format!("{program} check {library}"),
    ]
}

/// How `called` is called in the folder of the new crate: by its name, if it was found by that, else by
/// its path.
fn in_the_folder(called: &Path) -> String {
    match from_the_folder(called).display().to_string() {
        _ if called.components().count() < 2 => "playdock".to_owned(),
        path if path.contains(char::is_whitespace) => format!("\"{path}\""),
        path => path,
    }
}

/// A path as it is seen from the folder of the new crate, which is in the working folder.
fn from_the_folder(path: &Path) -> PathBuf {
    let path = path.strip_prefix(".").unwrap_or(path);
    if path.is_absolute() { path.to_owned() } else { Path::new("..").join(path) }
}

/// How the manifest names playdock-plugin-api: by the version of this program, or by its path.
fn plugin_api(path: Option<&Path>) -> Result<String, Failure> {
    let Some(path) = path else {
        return Ok(format!("version = {:?}", env!("CARGO_PKG_VERSION")));
    };
    let refused = |why: String| {
        Failure::usage(format!("{} isn't the folder of playdock-plugin-api: {why}", path.display()))
    };
    let manifest = fs::read_to_string(path.join("Cargo.toml"))
        .map_err(|error| refused(format!("its Cargo.toml can't be read: {error}")))?;
    let manifest: toml::Table = toml::from_str(&manifest).map_err(|error| {
        refused(format!("its Cargo.toml can't be understood: {}", error.message()))
    })?;
    let name = manifest.get("package").and_then(|package| package.get("name"));
    if name.and_then(toml::Value::as_str) != Some("playdock-plugin-api") {
        return Err(refused("its Cargo.toml is of another crate".to_owned()));
    }
    let path = from_the_folder(path);
    let Some(path) = path.to_str() else {
        return Err(refused("a manifest can't hold this path, which isn't UTF-8".to_owned()));
    };
    Ok(format!("path = {}", toml::Value::from(path)))
}

/// Whether one of the folders from here up has a manifest with a workspace.
fn is_in_workspace(here: &Path) -> bool {
    let manifests = here.ancestors().map(|folder| folder.join("Cargo.toml"));
    // What can't be read or understood here, cargo would say of the new crate.
    let mut readable = manifests.filter_map(|path| fs::read_to_string(path).ok());
    readable.any(|text| {
        toml::from_str::<toml::Table>(&text)
            .is_ok_and(|manifest| manifest.contains_key("workspace"))
    })
}

/// Writes all files into a new folder, or leaves none.
fn write_all(folder: &Path, files: &[(&str, String)]) -> Result<(), String> {
    fs::create_dir(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => format!(
            "{} exists already, and nothing in it was changed; choose another name",
            folder.display()
        ),
        _ => format!("the folder {} can't be made: {error}", folder.display()),
    })?;
    let written = files.iter().try_for_each(|(path, text)| {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    });
    written.map_err(|error| {
        // It was made above and is nobody else's. Where it can't be removed, the error tells why.
        let _ = fs::remove_dir_all(folder);
        format!("the folder {} can't be filled: {error}", folder.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_filled_whole_or_not_at_all() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("hello");
        let file = || ("a/b", "text".to_owned());
        let under_a_file = ("a/b/c", "text".to_owned());
        assert!(write_all(&folder, &[file(), under_a_file]).unwrap_err().contains("filled"));
        assert!(!folder.exists());
        write_all(&folder, &[file()]).unwrap();
        let again = write_all(&folder, &[("a/b", "other".to_owned())]).unwrap_err();
        assert!(again.contains("exists already"), "{again}");
        assert_eq!(fs::read_to_string(folder.join("a/b")).unwrap(), "text");
    }

    #[test]
    fn the_folder_of_the_plugin_api_is_told_from_others() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let named = plugin_api(Some(&here.join("../plugin-api"))).unwrap();
        assert!(named.starts_with("path = \"") && named.contains("plugin-api"), "{named}");
        assert!(plugin_api(Some(here)).unwrap_err().message.contains("of another crate"));
        assert!(plugin_api(Some(&here.join("src"))).unwrap_err().message.contains("can't be read"));
    }

    #[test]
    fn paths_are_as_seen_from_the_folder_of_the_crate() {
        for (path, seen) in [
            ("playdock", "playdock"),
            ("target/release/playdock", "../target/release/playdock"),
            ("./playdock", "../playdock"),
            ("../my tools/playdock", "\"../../my tools/playdock\""),
        ] {
            assert_eq!(in_the_folder(Path::new(path)), seen);
        }
        let absolute = std::path::absolute("plugin-api").unwrap();
        assert_eq!(from_the_folder(&absolute), absolute);
        assert_eq!(from_the_folder(Path::new("plugin-api")), Path::new("../plugin-api"));
    }

    #[test]
    fn a_workspace_around_is_seen() {
        assert!(is_in_workspace(Path::new(env!("CARGO_MANIFEST_DIR"))));
        assert!(!is_in_workspace(tempfile::tempdir().unwrap().path()));
    }
}
