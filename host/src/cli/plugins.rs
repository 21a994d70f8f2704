//! `playdock plugins`: what is in use, and what a library says of itself.

use super::arguments::{Common, Output, Plugins, PluginsAction};
use super::exit::Failure;
use super::{output, setup, table, terminal};
use crate::plugins::PluginFile;
use serde::Serialize;
use std::process::ExitCode;

pub(super) fn plugins(common: &Common, arguments: &Plugins) -> Result<ExitCode, Failure> {
    match &arguments.action {
        PluginsAction::List => {
            let plugins = setup::plugins(common)?;
            let lines: Vec<PluginLine> =
                plugins.files().iter().map(|file| file.as_ref().into()).collect();
            write_list(common, &lines)?;
        }
        PluginsAction::Inspect { file } => {
            let line = PluginLine::from(&PluginFile::open(file)?);
            write_one(common, &line)?;
        }
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
}

impl From<&PluginFile> for PluginLine {
    fn from(file: &PluginFile) -> PluginLine {
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
        }
    }
}

fn write_list(common: &Common, lines: &[PluginLine]) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::write_json(&lines);
    }
    let rows = lines.iter().map(|line| {
        let (name, version) = (line.name.clone(), line.version.clone());
        vec![name, version, line.commands.join(", "), line.file.clone()]
    });
    let headings = ["Plugin", "Version", "Commands", "File"];
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
