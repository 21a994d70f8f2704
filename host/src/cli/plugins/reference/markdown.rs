//! The reference of a command as a page in Markdown, with the sections of D3's pages.

use super::{Reference, column_kind};
use crate::cli::terminal;
use playdock_plugin_api::Example;
use std::io::{self, Write};

/// Writes the page.
pub(in crate::cli::plugins) fn write(
    out: &mut dyn Write,
    reference: &Reference<'_>,
    plugin: &str,
) -> io::Result<()> {
    let command = reference.description;
    writeln!(out, "# {}\n", text(&command.title))?;
    writeln!(out, "{}\n", text(&command.description))?;
    let facts = [
        ("Command", code(&command.name)),
        ("Command Category", text(&command.category)),
        ("Tags", text(&command.tags.join(", "))),
        ("Plugin", text(plugin)),
    ];
    writeln!(out, "| | |\n|---|---|")?;
    for (name, value) in facts {
        writeln!(out, "| {name} | {value} |")?;
    }

    inputs(out, reference)?;
    if let Some(example) = reference.examples.first() {
        writeln!(out, "\n### Sample Data\n")?;
        json(out, &example.parameters)?;
    }

    writeln!(out, "\n## Output\n")?;
    writeln!(
        out,
        "`returnData` is `Successful`, `Partially Successful` or `Failed`. `error` is empty where \
         every incident succeeded, and one sentence where not. `contextData` has an object for \
         each incident with the keys below, and where there is something to explain, `Reason` and \
         `Error message`; `result` shows the same as a table.\n"
    )?;
    writeln!(out, "| Column | Content |\n|---|---|")?;
    for column in &command.columns.context {
        writeln!(out, "| {} | {} |", text(&column.name), capitalised(column_kind(column.kind)))?;
    }
    let outputs: Vec<String> = command.all_outputs().map(code).collect();
    writeln!(
        out,
        "\nA playbook can take {} into variables. {} counts the incidents that succeeded, `failed` \
         the others.",
        outputs.join(", "),
        code(&command.succeeded)
    )?;
    reasons(out, reference)?;

    if !reference.examples.is_empty() {
        writeln!(out, "\n## Examples")?;
    }
    reference.examples.iter().try_for_each(|it| example(out, it))
}

fn inputs(out: &mut dyn Write, reference: &Reference<'_>) -> io::Result<()> {
    writeln!(out, "\n## Inputs\n")?;
    if reference.parameters.is_empty() {
        return writeln!(out, "The command has no parameters.");
    }
    writeln!(out, "| Parameter Name | Required/Optional | Type | Description | Sample Data |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for parameter in &reference.parameters {
        let mut description = text(parameter.description);
        if !parameter.options.is_empty() {
            let options: Vec<String> = parameter.options.iter().map(|it| code(it)).collect();
            description = format!("{description} Options: {}.", options.join(", "));
        }
        let default = parameter.default.iter().map(|it| format!(", default {}", code(it)));
        writeln!(
            out,
            "| {} | {}{} | {} | {} | {} |",
            text(parameter.name),
            parameter.need.word(),
            default.collect::<String>(),
            text(&parameter.kind),
            description.trim(),
            parameter.sample.as_deref().map(code).unwrap_or_default(),
        )?;
    }
    Ok(())
}

fn reasons(out: &mut dyn Write, reference: &Reference<'_>) -> io::Result<()> {
    let reasons = reference.reasons();
    if reasons.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nReasons in the examples below:\n\n| Reason | Result |\n|---|---|")?;
    reasons.iter().try_for_each(|(reason, result)| {
        writeln!(out, "| {} | {} |", code(reason), result.as_str())
    })
}

fn example(out: &mut dyn Write, example: &Example) -> io::Result<()> {
    writeln!(out, "\n### {}\n", text(&example.title))?;
    json(out, &example.parameters)?;
    writeln!(out, "\n| Incident Number | Before | Result | Reason |\n|---|---|---|---|")?;
    for outcome in &example.outcomes {
        let before = example.incidents.iter().find(|it| it.number == outcome.number);
        let before = before.map_or("", |it| it.status.as_str());
        let reason = outcome.reason.iter().map(|it| code(it.as_str())).collect::<String>();
        let (number, result) = (text(&outcome.number), outcome.result.as_str());
        writeln!(out, "| {number} | {} | {result} | {reason} |", text(before))?;
    }
    match example.error.is_empty() {
        true => Ok(()),
        false => writeln!(out, "\n`error`: {}", text(&example.error)),
    }
}

/// JSON in a block of its own.
fn json(out: &mut dyn Write, value: &serde_json::Value) -> io::Result<()> {
    writeln!(out, "```json")?;
    // A line of JSON that is indented begins with no backtick.
    writeln!(out, "{value:#}")?;
    writeln!(out, "```")
}

/// Text on one line in which nothing has a meaning in Markdown or HTML.
fn text(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut escaped = String::with_capacity(one_line.len());
    for character in terminal::safe(&one_line).chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Text as it is, in the type of code, fit for a cell of a table.
fn code(text: &str) -> String {
    let text = terminal::safe(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    // A fence that is longer than any in the text.
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let text = text.replace('|', "\\|");
    match longest {
        0 => format!("{fence}{text}{fence}"),
        _ => format!("{fence} {text} {fence}"),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_library_says_is_text_and_nothing_else() {
        assert_eq!(text("a | <b>\n*c* `d` [e](f)"), "a \\| &lt;b&gt; \\*c\\* \\`d\\` \\[e\\](f)");
        assert_eq!(text("\u{1b}[31m"), "\u{fffd}\\[31m");
        assert_eq!(code("a|b\nc"), "`a\\|b c`");
        assert_eq!(code("a``b"), "``` a``b ```");
    }
}
