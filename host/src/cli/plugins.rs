//! `playdock plugins`: what is in use, and what a library says of itself.

use super::arguments::{Common, Output, Plugins, PluginsAction};
use super::exit::Failure;
use super::{present, setup, terminal};
use crate::plugins::PluginFile;
use serde::Serialize;
use std::io::{self, Write};
use std::process::ExitCode;

pub(super) fn plugins(common: &Common, arguments: &Plugins) -> Result<ExitCode, Failure> {
    match &arguments.action {
        PluginsAction::List => {
            let plugins = setup::plugins(common)?;
            let lines: Vec<PluginLine> = plugins
                .files()
                .iter()
                .map(|file| file.as_ref().into())
                .collect();
            write_list(common, &lines).map_err(Failure::output)?;
        }
        PluginsAction::Inspect { file } => {
            let line = PluginLine::from(&PluginFile::open(file)?);
            write_one(common, &line).map_err(Failure::output)?;
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

fn write_list(common: &Common, lines: &[PluginLine]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if common.output == Output::Json {
        serde_json::to_writer(&mut out, lines)?;
        return writeln!(out);
    }
    let rows = lines.iter().map(|line| {
        vec![
            line.name.clone(),
            line.version.clone(),
            line.commands.join(", "),
            line.file.clone(),
        ]
    });
    writeln!(
        out,
        "{}",
        present::table(&["Plugin", "Version", "Commands", "File"], rows)
    )
}

fn write_one(common: &Common, line: &PluginLine) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if common.output == Output::Json {
        serde_json::to_writer(&mut out, line)?;
        return writeln!(out);
    }
    writeln!(
        out,
        "{} {}",
        terminal::safe(&line.name),
        terminal::safe(&line.version)
    )?;
    for (name, value) in [
        ("Commands", line.commands.join(", ")),
        ("Boundary", format!("version {}", line.boundary)),
        ("File", line.file.clone()),
        ("Size", format!("{} bytes", line.size)),
        ("SHA-256", line.sha256.clone()),
        ("Needs", line.needs.join(", ")),
    ] {
        writeln!(out, "  {name:<9} {}", terminal::safe(&value))?;
    }
    Ok(())
}
