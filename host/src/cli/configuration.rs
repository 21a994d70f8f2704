//! `playdock.toml` in the working folder: which plugins are used where no `--plugin` is given, and
//! where they run. Whether they may run is none of its business: whoever sent the folder wrote it.

use super::arguments::IsolationArgument;
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

/// A plugin to use.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PluginEntry {
    /// The library.
    pub(super) file: PathBuf,
    /// Where it runs, where that is said.
    pub(super) isolation: Option<IsolationArgument>,
}

/// The plugins that the configuration lists; `None` where there is no configuration.
pub(super) fn plugins() -> Result<Option<Vec<PluginEntry>>, Failure> {
    let text = match std::fs::read_to_string(Path::new(FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::usage(format!("{FILE} can't be read: {error}"))),
    };
    read(&text).map(Some)
}

fn read(text: &str) -> Result<Vec<PluginEntry>, Failure> {
    let configuration: Configuration = toml::from_str(text)
        .map_err(|error| Failure::usage(format!("{FILE}: {}", error.to_string().trim_end())))?;
    Ok(configuration.plugin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_listed_by_their_files() {
        let second = "[[plugin]]\nfile = \"b/c.so\"\nisolation = \"in-process\"\n";
        let plugins = read(&format!("[[plugin]]\nfile = \"a.so\"\n{second}")).unwrap();
        let entry = |file: &str, isolation| PluginEntry { file: file.into(), isolation };
        let in_process = Some(IsolationArgument::InProcess);
        assert_eq!(plugins, [entry("a.so", None), entry("b/c.so", in_process)]);
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        assert!(read("[[plugin]]\nflie = \"a.so\"\n").unwrap_err().message.contains("flie"));
        assert!(read("plugins = [\"a.so\"]\n").unwrap_err().message.contains("plugins"));
        // Nor does the working folder say which plugins may run.
        assert!(read("policy = \"any\"\n").unwrap_err().message.contains("policy"));
        let elsewhere = read("[[plugin]]\nfile = \"a.so\"\nisolation = \"none\"\n");
        assert!(elsewhere.unwrap_err().message.contains("in-process"));
    }
}
