//! `playdock check`: tries what is asked of every plugin, and says what to mend.

mod json;
mod junit;
mod text;

use super::arguments::{Check, Common, DEFAULT_LIMIT, Output};
use super::exit::{self, Failure};
use super::{output, progress, terminal};
use crate::check::{Amount, Listed, NEEDED_LIBRARIES, Plan, Tried, catalogue, run};
use crate::plugins::{InspectedFile, KeptFile, PluginError};
use playdock_plugin_api::testing::conformance::{Effort, Verdict};
use std::process::ExitCode;

/// What was tried, for whoever writes it.
struct Checked<'a> {
    file: &'a InspectedFile,
    plan: &'a Plan,
    tried: &'a [Tried],
    /// The options that decide what a case does, beside its seed.
    options: String,
}

pub(super) fn check(common: &Common, arguments: &Check) -> Result<ExitCode, Failure> {
    let cases = meant(arguments)?;
    let Some(path) = arguments.file.as_ref().filter(|_| !arguments.list) else {
        return list(common, &cases).map(|()| ExitCode::SUCCESS);
    };
    let kept = KeptFile::open_refused_too(path)?;
    let file = kept.inspected();
    if let Some(cause) = file.refused()
        && !cases.iter().any(|case| case.id == NEEDED_LIBRARIES)
    {
        // Without that case, others would run its code.
        return Err(PluginError::Refused { path: path.clone(), cause: cause.clone() }.into());
    }
    let plan = Plan {
        commands: commands(arguments, file)?,
        amount: amount(arguments),
        limit: arguments.timeout,
        cases,
    };
    let bar = progress::cases(plan.count());
    let (tried, unprotected) = run(&plan, &kept, &|| bar.inc(1));
    bar.finish_and_clear();
    for part in unprotected {
        log::warn!("the plugin ran without a part of the sandbox: {part}");
    }
    let options = options(arguments);
    let checked = Checked { file, plan: &plan, tried: &tried, options };
    match common.output {
        Output::Text | Output::Markdown => {
            output::write(|out| text::write(out, &checked, common.verbose > 0))?
        }
        Output::Json => output::write_json(&json::report(&checked))?,
        Output::Junit => output::write(|out| junit::write(out, &checked))?,
    }
    match checked.count(|verdict| matches!(verdict, Verdict::Failed(_))) {
        0 => Ok(exit::SUCCESSFUL.into()),
        _ => Ok(exit::FAILED.into()),
    }
}

/// The cases that the patterns leave.
fn meant(arguments: &Check) -> Result<Vec<Listed>, Failure> {
    let mut cases = catalogue();
    for pattern in arguments.include.iter().chain(&arguments.exclude) {
        if !cases.iter().any(|case| pattern.matches(case.id)) {
            return Err(Failure::usage(format!(
                "no case has an id like {pattern}; playdock check --list shows them"
            )));
        }
    }
    let any = |patterns: &[glob::Pattern], id| patterns.iter().any(|it| it.matches(id));
    cases.retain(|case| {
        let included = arguments.include.is_empty() || any(&arguments.include, case.id);
        included && !any(&arguments.exclude, case.id)
    });
    match cases.is_empty() {
        true => Err(Failure::usage("--exclude leaves out every case that --include takes in")),
        false => Ok(cases),
    }
}

/// The options that decide what a case does, as they are typed again.
fn options(arguments: &Check) -> String {
    let quick = if arguments.quick { " --quick" } else { "" };
    match arguments.timeout.as_secs_f64().to_string() {
        limit if limit == DEFAULT_LIMIT => quick.to_owned(),
        limit => format!("{quick} --timeout {limit}"),
    }
}

/// The commands of the library that are meant.
fn commands(arguments: &Check, file: &InspectedFile) -> Result<Vec<String>, Failure> {
    let known = &file.identity().commands;
    match arguments.command.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(Failure::usage(format!(
            "{} has no command {name}; it has {}",
            file.path().display(),
            known.join(", ")
        ))),
        None if arguments.command.is_empty() => Ok(known.clone()),
        None => Ok(arguments.command.clone()),
    }
}

fn amount(arguments: &Check) -> Amount {
    // Short enough to be read and typed again.
    let seed = arguments.seed.unwrap_or_else(|| u64::from(fastrand::u32(..)));
    match arguments.quick {
        true => {
            let effort = Effort { seed, inputs: 50, huge: 128 << 10 };
            Amount { effort, calls: 500, loads: 50 }
        }
        false => {
            let effort = Effort { seed, inputs: 1_000, huge: 4 << 20 };
            Amount { effort, calls: 10_000, loads: 300 }
        }
    }
}

fn list(common: &Common, cases: &[Listed]) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::write_json(&json::list(cases));
    }
    output::write(|out| {
        let longest = cases.iter().map(|case| case.id.len()).max().unwrap_or(0);
        cases.iter().try_for_each(|case| {
            writeln!(out, "{:longest$}  {}", case.id, terminal::safe(case.description))
        })
    })
}

impl Checked<'_> {
    fn count(&self, is: impl Fn(&Verdict) -> bool) -> usize {
        self.tried.iter().filter(|it| is(&it.verdict)).count()
    }

    fn case(&self, tried: &Tried) -> &Listed {
        &self.plan.cases[tried.case]
    }

    /// The line that tries a case again.
    fn replay(&self, tried: &Tried) -> String {
        let file = self.file.path().display();
        let mut line = format!("playdock check {file} --include {}", self.case(tried).id);
        if !tried.command.is_empty() {
            line.push_str(&format!(" --command {}", tried.command));
        }
        line.push_str(&format!(" --seed {}", self.plan.amount.effort.seed));
        line.push_str(&self.options);
        line
    }
}
