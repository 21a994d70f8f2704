//! `playdock plugins`: what is in use, what a library says of itself, and which may run.

mod keys;
mod trust;

use super::arguments::{Common, Output, Plugins, PluginsAction};
use super::exit::Failure;
use super::{output, setup, table, terminal};
use crate::plugins::{InspectedFile, PluginFile, Trusted};
use serde::Serialize;
use std::process::ExitCode;
use std::sync::Arc;

pub(super) fn plugins(common: &Common, arguments: &Plugins) -> Result<ExitCode, Failure> {
    match &arguments.action {
        PluginsAction::List => {
            let plugins = setup::plugins(common)?;
            let line =
                |file: &Arc<PluginFile>| PluginLine::new(file.inspected(), Some(file.trusted()));
            let lines: Vec<PluginLine> = plugins.files().iter().map(line).collect();
            write_list(common, &lines)?;
        }
        PluginsAction::Inspect { file } => {
            let line = PluginLine::new(&InspectedFile::open(file)?, None);
            write_one(common, &line)?;
        }
        PluginsAction::Trust { file, dev } => trust::trust(common, file, *dev)?,
        PluginsAction::Untrust { plugin } => trust::untrust(common, plugin)?,
        PluginsAction::Keys(keys) => keys::keys(common, keys)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What is known of a library without running its code.
#[derive(Serialize)]
struct PluginLine {
    name: String,
    version: String,
    boundary: u32,
    commands: Vec<String>,
    file: String,
    size: u64,
    sha256: String,
    needs: Vec<String>,
    /// Why it may run; nothing of a library that is only looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted: Option<&'static str>,
    /// The key whose signature was found to be good, where one was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_by: Option<String>,
}

impl PluginLine {
    fn new(file: &InspectedFile, trusted: Option<Trusted>) -> PluginLine {
        let identity = file.identity();
        PluginLine {
            name: identity.name.clone(),
            version: identity.version.clone(),
            boundary: identity.boundary,
            commands: identity.commands.clone(),
            file: file.path().display().to_string(),
            size: file.size(),
            sha256: file.digest().to_owned(),
            needs: file.needed().to_vec(),
            trusted: trusted.map(Trusted::word),
            signed_by: trusted.and_then(Trusted::key).map(|key| key.to_string()),
        }
    }

    /// Why it may run, in a cell of a table.
    fn why(&self) -> String {
        let word = self.trusted.unwrap_or_default();
        self.signed_by.as_ref().map_or(word.to_owned(), |key| format!("{word} by {key}"))
    }
}

fn write_list(common: &Common, lines: &[PluginLine]) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::write_json(&lines);
    }
    let rows = lines.iter().map(|line| {
        let (name, version) = (line.name.clone(), line.version.clone());
        vec![name, version, line.commands.join(", "), line.why(), line.file.clone()]
    });
    let headings = ["Plugin", "Version", "Commands", "Trusted", "File"];
    output::write(|out| table::write(out, &headings, rows))
}

fn write_one(common: &Common, line: &PluginLine) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::write_json(line);
    }
    let facts = [
        ("Commands", line.commands.join(", ")),
        ("Boundary", format!("version {}", line.boundary)),
        ("File", line.file.clone()),
        ("Size", format!("{} bytes", line.size)),
        ("SHA-256", line.sha256.clone()),
        ("Needs", line.needs.join(", ")),
    ];
    output::write(|out| {
        let title = format!("{} {}", line.name, line.version);
        writeln!(out, "{}", terminal::safe(&title))?;
        for (name, value) in facts {
            writeln!(out, "  {name:<9} {}", terminal::safe(&value))?;
        }
        Ok(())
    })
}
