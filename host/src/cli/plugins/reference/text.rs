//! The reference of a command for a terminal.

use super::{Parameter, Reference, column_kind};
use crate::cli::terminal::safe;
use std::io::{self, Write};

/// Writes it, after an empty line.
pub(in crate::cli::plugins) fn write(
    out: &mut dyn Write,
    reference: &Reference<'_>,
) -> io::Result<()> {
    let command = reference.description;
    writeln!(out, "\n{}: {}", safe(&command.name), safe(&command.title))?;
    writeln!(out, "  {}", safe(&command.description))?;
    writeln!(out, "  Category  {}", safe(&command.category))?;
    if !command.tags.is_empty() {
        writeln!(out, "  Tags      {}", safe(&command.tags.join(", ")))?;
    }

    writeln!(out, "\n  Parameters")?;
    if reference.parameters.is_empty() {
        writeln!(out, "    none")?;
    }
    for parameter in &reference.parameters {
        write_parameter(out, parameter)?;
    }

    if !command.columns.context.is_empty() {
        writeln!(out, "\n  Columns")?;
    }
    for column in &command.columns.context {
        writeln!(out, "    {}: {}", safe(&column.name), column_kind(column.kind))?;
    }

    let outputs: Vec<&str> = command.all_outputs().collect();
    writeln!(out, "\n  Outputs for playbooks\n    {}", safe(&outputs.join(", ")))?;

    let reasons = reference.reasons();
    if !reasons.is_empty() {
        writeln!(out, "\n  Reasons in the examples")?;
    }
    for (reason, result) in reasons {
        writeln!(out, "    {} ({})", safe(&reason), result.as_str())?;
    }

    if !reference.examples.is_empty() {
        writeln!(out, "\n  Examples")?;
    }
    for example in &reference.examples {
        writeln!(out, "    {}", safe(&example.title))?;
    }
    Ok(())
}

fn write_parameter(out: &mut dyn Write, parameter: &Parameter<'_>) -> io::Result<()> {
    let need = parameter.need.word().to_lowercase();
    writeln!(out, "    {} ({need})", safe(parameter.name))?;
    let facts = [
        ("Type", Some(parameter.kind.clone())),
        ("Options", Some(parameter.options.join(", ")).filter(|it| !it.is_empty())),
        ("Default", parameter.default.clone()),
        ("Sample", parameter.sample.clone()),
    ];
    if !parameter.description.is_empty() {
        writeln!(out, "      {}", safe(&one_line(parameter.description)))?;
    }
    for (name, value) in facts {
        if let Some(value) = value {
            writeln!(out, "      {name}: {}", safe(&value))?;
        }
    }
    Ok(())
}

/// A comment's paragraphs as one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
