//! `playdock run`: a playbook, whose tasks run as automatic executions.

mod end;

use super::arguments::{Common, Output, Run};
use super::exit::{self, Code, Failure};
use super::{incidents, interrupt, known, output, present, progress, setup, terminal};
use crate::execution::{Answer, Cancellation, Ended, Host, Invocation, Parameters, ReturnData};
use crate::playbook::{Ending, Playbook, Task, TaskOutcome, TaskRunner};
use end::End;
use indicatif::ProgressBar;
use playdock_plugin_api::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub(super) fn run(common: &Common, arguments: &Run) -> Result<ExitCode, Failure> {
    let name = arguments.playbook.display();
    let json = std::fs::read(&arguments.playbook)
        .map_err(|error| Failure::usage(format!("{name} can't be read: {error}")))?;
    let playbook =
        Playbook::load(&json).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    let ready = playbook.prepare(&supplied(&arguments.set)?).map_err(Failure::usage)?;
    let (host, store) = setup::host(common)?;
    check_commands(&playbook, &host)
        .map_err(|message| Failure::usage(format!("{name}: {message}")))?;
    let mut described = HashMap::new();
    for (_, command) in playbook.commands() {
        described.insert(command, host.describe(command)?);
    }
    let outputs = |command: &str| {
        let outputs = described.get(command).map(|it| it.all_outputs().map(str::to_owned));
        outputs.map(Iterator::collect).unwrap_or_default()
    };
    playbook
        .check_outputs(outputs)
        .and_then(|()| {
            playbook.check_parameters(|command| described.get(command).map(|it| &it.parameters))
        })
        .map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    if let Some(file) = &arguments.import {
        let summary = incidents::import_file(&*store, file, None)?;
        terminal::say(&format!("{}: {summary}", file.display()));
    }
    known::check_site(&*store, &arguments.site)?;
    let run_id = arguments.execution.execution_id.clone();
    let mut tasks = Tasks {
        host: &host,
        site: &arguments.site,
        run_id: run_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
        clock: arguments.execution.clock,
        output: common.output,
        cancellation: Cancellation::default(),
        commands_of_step: HashMap::new(),
        failure: None,
    };
    interrupt::cancel_on_interrupt(&tasks.cancellation);
    log::info!(target: "playdock", "the run {} of {name} begins", tasks.run_id);
    let report = ready.run(&mut tasks);
    let end = End {
        report: &report,
        run_id: &tasks.run_id,
        goes_on: !matches!(tasks.failure, Some(RunFailure::NoAnswer(_))),
        interrupted: matches!(tasks.failure, Some(RunFailure::Stopped(_))),
        was_run: &|step| tasks.commands_of_step.contains_key(step),
    };
    let written = end.write(common.output);
    let code = match tasks.failure {
        Some(RunFailure::NoAnswer(failure)) => return Err(failure),
        Some(RunFailure::Stopped(code)) => code,
        None if report.ending == Ending::Cancelled => exit::STOPPED,
        None => exit::result_code(report.result),
    };
    written?;
    Ok(code.into())
}

/// The values of variables, each given once.
fn supplied(set: &[(String, String)]) -> Result<BTreeMap<String, String>, Failure> {
    let mut supplied = BTreeMap::new();
    for (name, value) in set {
        if supplied.insert(name.clone(), value.clone()).is_some() {
            return Err(Failure::usage(format!("--set gives {name} twice; give it once")));
        }
    }
    Ok(supplied)
}

/// Refuses a playbook whose commands are not all there, before any of them runs.
fn check_commands(playbook: &Playbook, host: &Host) -> Result<(), String> {
    for (step, command) in playbook.commands() {
        if !host.commands().any(|known| known == command) {
            let known = known::nearest_first(command, host.commands());
            return Err(format!(
                "the step {step} runs the command {command}, which no plugin has; the plugins have \
                 {known}"
            ));
        }
    }
    Ok(())
}

/// Runs the tasks of a playbook on a host, and writes each answer as it comes.
struct Tasks<'a> {
    host: &'a Host,
    site: &'a str,
    run_id: String,
    clock: Option<Timestamp>,
    output: Output,
    cancellation: Cancellation,
    /// How many commands of each step were run, since a step may have several.
    commands_of_step: HashMap<String, usize>,
    /// What ended the run before its end.
    failure: Option<RunFailure>,
}

enum RunFailure {
    /// A task has no answer.
    NoAnswer(Failure),
    /// A task was stopped.
    Stopped(Code),
}

/// A line of the JSON output: an answer, and which task gave it.
#[derive(Serialize)]
struct Line<'a> {
    step: &'a str,
    execution: &'a str,
    #[serde(flatten)]
    answer: &'a Answer,
}

impl TaskRunner for Tasks<'_> {
    fn run_task(&mut self, task: &Task<'_>) -> TaskOutcome {
        let id = self.execution_id(task.step_id);
        let (bar, progress) = progress::incidents();
        let answer = self.execute(task, &id, progress);
        bar.finish_and_clear();
        let written = answer.and_then(|answer| {
            self.write(task, &id, &answer)
                .map_err(|failure| failure.of_execution(&id, answer.ended, &self.run_id))?;
            Ok(answer)
        });
        match written {
            Ok(answer) => {
                let stop = !matches!(answer.ended, Ended::Finished | Ended::CommandBroke);
                if stop {
                    self.failure = Some(RunFailure::Stopped(exit::code(&answer)));
                }
                // A task whose own time was over has failed, and the playbook may go on.
                let stop = stop && answer.ended != Ended::DeadlinePassed;
                TaskOutcome { result: answer.return_data, outputs: outputs(&answer), stop }
            }
            Err(failure) => {
                let outputs = BTreeMap::from([("error".to_owned(), failure.message.clone())]);
                self.failure = Some(RunFailure::NoAnswer(failure));
                TaskOutcome { result: ReturnData::Failed, outputs, stop: true }
            }
        }
    }

    fn wait(&mut self, delay: Duration) -> bool {
        const SLICE: Duration = Duration::from_millis(50);
        let bar =
            ProgressBar::new_spinner().with_message(format!("waiting {} ms", delay.as_millis()));
        let end = Instant::now() + delay;
        while !self.cancellation.is_cancelled() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            bar.tick();
            std::thread::sleep(left.min(SLICE));
        }
        bar.finish_and_clear();
        !self.cancellation.is_cancelled()
    }
}

impl Tasks<'_> {
    /// The same run id again gives every task the id that it had.
    fn execution_id(&mut self, step: &str) -> String {
        let commands = self.commands_of_step.entry(step.to_owned()).or_default();
        *commands += 1;
        match *commands {
            1 => format!("{}:{step}", self.run_id),
            number => format!("{}:{step}:{number}", self.run_id),
        }
    }

    fn execute(
        &self,
        task: &Task<'_>,
        id: &str,
        progress: crate::execution::Progress,
    ) -> Result<Answer, Failure> {
        let json = serde_json::value::to_raw_value(&task.parameters).map_err(Failure::usage)?;
        let parameters = Parameters::from_raw(json).map_err(Failure::usage)?;
        let mut invocation = Invocation::automatic(task.command, parameters, self.site);
        invocation.execution_id = Some(id.to_owned());
        invocation.clock = self.clock;
        invocation.cancellation = self.cancellation.clone();
        invocation.progress = Some(progress);
        if let Some(timeout) = task.timeout {
            invocation.timeout = timeout;
        }
        Ok(self.host.execute(&invocation)?)
    }

    fn write(&self, task: &Task<'_>, id: &str, answer: &Answer) -> Result<(), Failure> {
        if self.output == Output::Json {
            return output::write_json(&Line { step: task.step_id, execution: id, answer });
        }
        let name = task.step_name.unwrap_or(task.step_id);
        output::write(|out| {
            let title = format!("{name} ({})", task.command);
            writeln!(out, "{}", terminal::safe(&title))?;
            present::answer(out, answer)?;
            writeln!(out)
        })
    }
}

/// What a playbook can use of an answer.
fn outputs(answer: &Answer) -> BTreeMap<String, String> {
    let mut outputs: BTreeMap<String, String> =
        answer.outputs.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    outputs.insert("returnData".to_owned(), answer.return_data.as_str().to_owned());
    outputs.insert("error".to_owned(), answer.error.clone());
    outputs.insert("contextData".to_owned(), answer.context_data());
    outputs
}
