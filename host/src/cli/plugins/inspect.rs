//! `playdock plugins inspect`: what a library is, and what it says of its commands.
//!
//! It need not be trusted: its file is read without running its code, and its code is asked for its
//! commands inside a sandbox that lacks nothing, or not at all.

use super::reference::{Reference, markdown, text};
use super::{PluginLine, write_facts};
use crate::cli::arguments::{Common, Output};
use crate::cli::exit::{self, Failure};
use crate::cli::{output, setup, terminal};
use crate::execution::{InspectionError, describe_in_sandbox};
use crate::plugins::KeptFile;
use playdock_plugin_api::messages::CommandDescription;
use serde::Serialize;
use std::path::Path;

/// What is known of a library, for programs.
#[derive(Serialize)]
struct Inspected<'a> {
    #[serde(flatten)]
    line: &'a PluginLine,
    /// What it says of its commands; nothing where it was not asked or gave no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    descriptions: Option<&'a [CommandDescription]>,
}

pub(super) fn inspect(common: &Common, path: &Path) -> Result<(), Failure> {
    let file = KeptFile::open(path)?;
    let described = describe_in_sandbox(&setup::this_program()?, &file);
    let line = PluginLine::new(file.inspected(), None);
    let descriptions = described.as_deref().ok();
    let references = || descriptions.into_iter().flatten().map(Reference::of);
    match common.output {
        Output::Json => output::write_json(&Inspected { line: &line, descriptions })?,
        Output::Text | Output::Junit => output::write(|out| {
            write_facts(out, &line)?;
            references().try_for_each(|reference| text::write(out, &reference))
        })?,
        Output::Markdown => output::write(|out| {
            let plugin = format!("{} {}", line.name, line.version);
            references().enumerate().try_for_each(|(index, reference)| {
                // A page after another.
                let between = if index > 0 { "\n" } else { "" };
                write!(out, "{between}")?;
                markdown::write(out, &reference, &plugin)
            })
        })?,
    }
    match described {
        Ok(_) => Ok(()),
        Err(InspectionError::Plugin(error)) => Err(error.into()),
        // What its file says was shown, which is all that there is here.
        Err(error) if common.output != Output::Markdown => {
            terminal::say(&error.to_string());
            Ok(())
        }
        Err(error) => Err(Failure { code: exit::PLUGIN, message: error.to_string() }),
    }
}
