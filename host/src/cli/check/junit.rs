//! What was checked, as JUnit's XML, which servers that build and test can read.

use super::Checked;
use crate::check::Place;
use playdock_plugin_api::testing::conformance::Verdict;
use std::io::{self, Write};

pub(super) fn write(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let library = escaped(&checked.file.identity().name);
    let failed = checked.count(|verdict| matches!(verdict, Verdict::Failed(_)));
    let skipped = checked.count(|verdict| matches!(verdict, Verdict::Skipped(_)));
    let count = checked.tried.len();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuite name=\"playdock check {library}\" tests=\"{count}\" failures=\"{failed}\" \
         errors=\"0\" skipped=\"{skipped}\">"
    )?;
    for tried in checked.tried {
        let case = checked.case(tried);
        let class = match tried.command.is_empty() {
            true => library.clone(),
            false => format!("{library}.{}", escaped(&tried.command)),
        };
        let place = tried.place.map(|place| format!(" ({})", Place::name(place)));
        write!(
            out,
            "  <testcase classname=\"{class}\" name=\"{}{}\" time=\"{:.3}\"",
            case.id,
            place.unwrap_or_default(),
            tried.took.as_secs_f64()
        )?;
        match &tried.verdict {
            Verdict::Passed => writeln!(out, "/>")?,
            Verdict::Skipped(why) => {
                writeln!(out, "><skipped message=\"{}\"/></testcase>", escaped(why))?;
            }
            Verdict::Failed(finding) => {
                let (happened, expected) = (escaped(&finding.happened), escaped(&finding.expected));
                let (input, again) = (escaped(&finding.input), escaped(&checked.replay(tried)));
                writeln!(
                    out,
                    "><failure message=\"{happened}\">{}\nexpected  {expected}\nhappened  \
                     {happened}\ninput     {input}\nmend      {}\nagain     {again}</failure>\
                     </testcase>",
                    escaped(case.description),
                    escaped(case.advice)
                )?;
            }
        }
    }
    writeln!(out, "</testsuite>")
}

/// Text as XML has it; characters that XML can't have become a visible sign.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other if other.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_have_is_escaped_or_shown_as_a_sign() {
        assert_eq!(
            escaped("a<b>&\"c\"\u{0}\u{1b}\n\u{ffff}é"),
            "a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}\u{fffd} \u{fffd}é"
        );
    }
}
