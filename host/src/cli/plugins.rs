//! `playdock plugins`: what is in use, what a library says of itself, and which may run.

mod inspect;
mod keys;
mod reference;
mod trust;

use super::arguments::{Common, Output, Plugins, PluginsAction};
use super::exit::Failure;
use super::protected::Protected;
use super::{output, setup, table, terminal};
use crate::execution::Isolation;
use crate::plugins::{InspectedFile, Trusted};
use serde::Serialize;
use std::io::{self, Write};
use std::process::ExitCode;

pub(super) fn plugins(common: &Common, arguments: &Plugins) -> Result<ExitCode, Failure> {
    match &arguments.action {
        PluginsAction::List => list(common)?,
        PluginsAction::Inspect { file } => inspect::inspect(common, file)?,
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

/// A plugin that is in use, and what protects this program from it.
#[derive(Serialize)]
struct PluginInUse {
    #[serde(flatten)]
    plugin: PluginLine,
    #[serde(flatten)]
    protected: Protected,
}

fn list(common: &Common) -> Result<(), Failure> {
    let (plugins, isolations) = setup::plugins(common)?;
    // One worker is asked for all that are like it.
    let mut probed: Vec<(&Isolation, Protected)> = Vec::new();
    let mut in_use = Vec::new();
    for file in plugins.files() {
        let Some(isolation) = isolations.get(file.path()) else { continue };
        let known = probed.iter().find(|(other, _)| *other == isolation);
        let protected = match known {
            Some((_, protected)) => protected.clone(),
            None => {
                let protected = Protected::probe(isolation)?;
                probed.push((isolation, protected.clone()));
                protected
            }
        };
        let plugin = PluginLine::new(file.inspected(), Some(file.trusted()));
        in_use.push(PluginInUse { plugin, protected });
    }
    write_list(common, &in_use)
}

fn write_list(common: &Common, in_use: &[PluginInUse]) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::write_json(&in_use);
    }
    let rows = in_use.iter().map(|PluginInUse { plugin, protected }| {
        let (name, version) = (plugin.name.clone(), plugin.version.clone());
        let runs = protected.isolation.to_owned();
        vec![name, version, plugin.commands.join(", "), plugin.why(), runs, plugin.file.clone()]
    });
    let headings = ["Plugin", "Version", "Commands", "Trusted", "Runs", "File"];
    let mut said: Vec<String> = in_use.iter().map(|it| it.protected.to_string()).collect();
    said.sort_unstable();
    said.dedup();
    output::write(|out| {
        table::write(out, &headings, rows)?;
        said.iter().try_for_each(|line| writeln!(out, "{}", terminal::safe(line)))
    })
}

fn write_one(common: &Common, line: &PluginLine) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::write_json(line);
    }
    output::write(|out| write_facts(out, line))
}

fn write_facts(out: &mut dyn Write, line: &PluginLine) -> io::Result<()> {
    let facts = [
        ("Commands", line.commands.join(", ")),
        ("Boundary", format!("version {}", line.boundary)),
        ("File", line.file.clone()),
        ("Size", format!("{} bytes", line.size)),
        ("SHA-256", line.sha256.clone()),
        ("Needs", line.needs.join(", ")),
    ];
    let title = format!("{} {}", line.name, line.version);
    writeln!(out, "{}", terminal::safe(&title))?;
    facts
        .iter()
        .try_for_each(|(name, value)| writeln!(out, "  {name:<9} {}", terminal::safe(value)))
}
