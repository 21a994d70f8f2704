//! `playdock plugins`: what is in use, what a library says of itself, and which may run.

mod inspect;
mod reference;

use super::arguments::{Common, Output, Plugins, PluginsAction};
use super::exit::Failure;
use super::{output, policy, setup, table, terminal};
use crate::plugins::{Entry, InspectedFile, PluginFile, Trust, Trusted};
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;
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
        PluginsAction::Inspect { file } => inspect::inspect(common, file)?,
        PluginsAction::Trust { file, dev } => trust(common, file, *dev)?,
        PluginsAction::Untrust { plugin } => untrust(common, plugin)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn trust(common: &Common, path: &Path, dev: bool) -> Result<(), Failure> {
    // As it would be loaded: what could not be loaded needn't be trusted.
    let file = PluginFile::open(path, &Trust::any())?;
    let mut lock = policy::own_lock(common)?;
    let (entry, trusted) = match dev {
        true => (Entry::dev(file.inspected()), Trusted::Dev),
        false => (Entry::of(file.inspected()), Trusted::Locked),
    };
    lock.add(entry);
    lock.write()?;
    write_one(common, &PluginLine::new(file.inspected(), Some(trusted)))?;
    terminal::say(&match dev {
        true => format!("whatever is built there may run now; {} says so", lock.path().display()),
        false => format!("it may run now, as it is; {} says so", lock.path().display()),
    });
    Ok(())
}

fn untrust(common: &Common, plugin: &Path) -> Result<(), Failure> {
    let mut lock = policy::own_lock(common)?;
    let (name, path) = (plugin.display(), lock.path().display().to_string());
    if !lock.remove(plugin) {
        return Err(Failure::usage(format!(
            "{path} has no plugin {name}; name a plugin or a file that is in it"
        )));
    }
    lock.write()?;
    terminal::say(&format!("{path} no longer has {name}"));
    Ok(())
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
        }
    }
}

fn write_list(common: &Common, lines: &[PluginLine]) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::write_json(&lines);
    }
    let rows = lines.iter().map(|line| {
        let (name, version) = (line.name.clone(), line.version.clone());
        let trusted = line.trusted.unwrap_or_default().to_owned();
        vec![name, version, line.commands.join(", "), trusted, line.file.clone()]
    });
    let headings = ["Plugin", "Version", "Commands", "Trusted", "File"];
    output::write(|out| table::write(out, &headings, rows))
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
