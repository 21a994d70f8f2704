//! What was checked, for people: what failed, and what to mend.

use super::Checked;
use crate::check::{Place, Tried};
use crate::cli::terminal;
use playdock_plugin_api::testing::conformance::{Finding, Verdict};
use std::io::{self, Write};

/// How much of a finding is shown.
const LONGEST: usize = 600;

/// Writes what failed, and with `all` the others in a line each; then the sum.
pub(super) fn write(out: &mut dyn Write, checked: &Checked<'_>, all: bool) -> io::Result<()> {
    if all {
        for tried in checked.tried {
            let word = match &tried.verdict {
                Verdict::Passed => "passed ",
                Verdict::Failed(_) => "FAILED ",
                Verdict::Skipped(_) => "skipped",
            };
            let place = tried.place.map_or("", Place::name);
            let id = checked.case(tried).id;
            let command = terminal::safe(&tried.command);
            write!(out, "{word} {:>6.2} s  {id} {place} {command}", tried.took.as_secs_f64())?;
            match &tried.verdict {
                Verdict::Skipped(why) => writeln!(out, ": {}", shown(why))?,
                _ => writeln!(out)?,
            }
        }
        writeln!(out)?;
    }
    let mut rest = checked.tried;
    while let [first, later @ ..] = rest {
        rest = later;
        let Verdict::Failed(finding) = &first.verdict else { continue };
        // The same in the other place is said once.
        let same = later.first().filter(|next| {
            (next.case, &next.command, &next.verdict)
                == (first.case, &first.command, &first.verdict)
        });
        if same.is_some() {
            rest = &later[1..];
        }
        write_failure(out, checked, first, finding, same.is_some())?;
    }
    let count = |is: fn(&Verdict) -> bool| checked.count(is);
    let identity = checked.file.identity();
    writeln!(
        out,
        "{} {}: {} passed, {} failed, {} skipped (seed {})",
        terminal::safe(&identity.name),
        terminal::safe(&identity.version),
        count(|verdict| matches!(verdict, Verdict::Passed)),
        count(|verdict| matches!(verdict, Verdict::Failed(_))),
        count(|verdict| matches!(verdict, Verdict::Skipped(_))),
        checked.plan.amount.effort.seed
    )
}

fn write_failure(
    out: &mut dyn Write,
    checked: &Checked<'_>,
    tried: &Tried,
    finding: &Finding,
    in_both: bool,
) -> io::Result<()> {
    let case = checked.case(tried);
    let place = match tried.place {
        _ if in_both => ", in process and in a worker",
        Some(Place::InProcess) => ", in process",
        Some(Place::Worker) => ", in a worker",
        None => "",
    };
    let command = match tried.command.is_empty() {
        true => String::new(),
        false => format!(" of {}", terminal::safe(&tried.command)),
    };
    writeln!(out, "FAILED {}{command}{place}", case.id)?;
    writeln!(out, "  {}.", case.description)?;
    writeln!(out, "  expected  {}", shown(&finding.expected))?;
    writeln!(out, "  happened  {}", shown(&finding.happened))?;
    if !finding.input.is_empty() {
        writeln!(out, "  input     {}", shown(&finding.input))?;
    }
    writeln!(out, "  mend      {}", case.advice)?;
    writeln!(out, "  again     {}\n", terminal::safe(&checked.replay(tried)))
}

fn shown(text: &str) -> String {
    terminal::clipped(text, LONGEST)
}
