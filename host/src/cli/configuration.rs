//! `playdock.toml` in the working folder: which plugins are used where no `--plugin` is given.

use super::exit::Failure;
use serde::Deserialize;
use std::path::{Path, PathBuf};

const FILE: &str = "playdock.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    #[serde(default)]
    plugin: Vec<PluginEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PluginEntry {
    file: PathBuf,
}

/// The plugins that the configuration lists; `None` where there is no configuration.
pub(super) fn plugins() -> Result<Option<Vec<PathBuf>>, Failure> {
    let text = match std::fs::read_to_string(Path::new(FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::usage(format!("{FILE} can't be read: {error}"))),
    };
    read(&text).map(Some)
}

fn read(text: &str) -> Result<Vec<PathBuf>, Failure> {
    let configuration: Configuration = toml::from_str(text)
        .map_err(|error| Failure::usage(format!("{FILE}: {}", error.to_string().trim_end())))?;
    Ok(configuration.plugin.into_iter().map(|plugin| plugin.file).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_listed_by_their_files() {
        let files = read("[[plugin]]\nfile = \"a.so\"\n[[plugin]]\nfile = \"b/c.so\"\n").unwrap();
        assert_eq!(files, [PathBuf::from("a.so"), PathBuf::from("b/c.so")]);
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        assert!(read("[[plugin]]\nflie = \"a.so\"\n").unwrap_err().message.contains("flie"));
        assert!(read("plugins = [\"a.so\"]\n").unwrap_err().message.contains("plugins"));
    }
}
