//! Commands that misbehave: the execution fails and says why, what was committed stands and is
//! reported, and the host goes on in the same process.

mod leftovers;
mod resuming;

use playdock_host::execution::{Answer, Ended, Host};
use playdock_tests::{
    Playdock, SITE_AND_USER, answer_rows, incident, invocation, outcome, parameters,
};
use serde_json::{Value, json};

const PLUGINS: [&str; 3] = ["misbehaving", "close_incident_in_bulk", "not_a_message"];

/// What becomes of the three incidents of an execution: the result or the reason of each, or no
/// rows at all.
type Becomes = &'static [&'static str];
const NO_ROWS: Becomes = &[];
const FIRST_DONE: Becomes = &["Successful", "not-attempted", "not-attempted"];
const ALL_DONE: Becomes = &["Successful", "Successful", "Successful"];

/// Commands that break off: the words of the error, and what becomes of the incidents. All of
/// these executions can go on.
const BREAK_OFF: &[(&str, &str, Becomes)] = &[
    ("PanicsInRun", "The command PanicsInRun panicked: at once, on purpose (at ", NO_ROWS),
    (
        "PanicsWhileRecording",
        "The command PanicsWhileRecording panicked: at PanicsWhileRecording-2, on purpose (at ",
        FIRST_DONE,
    ),
    (
        "PanicsInDrop",
        "The command PanicsInDrop panicked: in a destructor, on purpose (at ",
        ALL_DONE,
    ),
    (
        "PanicPayloadPanicsInDrop",
        "The command PanicPayloadPanicsInDrop panicked: a panic without words",
        NO_ROWS,
    ),
    (
        "PassesOnAnotherPanic",
        "The command PassesOnAnotherPanic panicked: in a thread, on purpose",
        NO_ROWS,
    ),
    (
        "LeavesIncidentsOut",
        "The command LeavesIncidentsOut ended without an outcome for 2 incidents.",
        FIRST_DONE,
    ),
    (
        "RecordsTwice",
        "The command RecordsTwice recorded an outcome for position 0, which has an outcome already.",
        FIRST_DONE,
    ),
    ("AnswersNothing", "What the command AnswersNothing answered is not a message: ", NO_ROWS),
    ("AnswersGarbage", "What the command AnswersGarbage answered is not a message: ", NO_ROWS),
    (
        "AnswersInvalidUtf8",
        "What the command AnswersInvalidUtf8 answered is not a message: ",
        NO_ROWS,
    ),
    (
        "AnswersHalfAMessage",
        "What the command AnswersHalfAMessage answered is not a message: ",
        NO_ROWS,
    ),
    (
        "AnswersAnotherJson",
        "What the command AnswersAnotherJson answered is not a message: ",
        NO_ROWS,
    ),
    (
        "AnswersAnotherMessage",
        "What the command AnswersAnotherMessage answered is the message \"launched\"",
        NO_ROWS,
    ),
    (
        "AnswersAnotherQuestion",
        "The command AnswersAnotherQuestion answered another question.",
        NO_ROWS,
    ),
    (
        "AnswersTenMegabytes",
        "The plugin not-a-message gave no answer to AnswersTenMegabytes: it sent a message of \
         10485760 bytes, and ",
        NO_ROWS,
    ),
    (
        "AnswersAGigabyte",
        "The plugin not-a-message gave no answer to AnswersAGigabyte: it sent a message of \
         1073741824 bytes, and ",
        NO_ROWS,
    ),
    (
        "AnswersThatItWasCancelled",
        "The command AnswersThatItWasCancelled stopped, though nobody told it to.",
        NO_ROWS,
    ),
];

/// Commands whose first recording is refused as a whole, and which say so: they fail before they
/// did anything.
const REFUSED: &[(&str, &str)] = &[
    (
        "RecordsTwiceAtOnce",
        "The command RecordsTwiceAtOnce recorded two outcomes for position 0 at once.",
    ),
    (
        "RecordsUnknownPosition",
        "The command RecordsUnknownPosition recorded an outcome for position 1000, which is not selected.",
    ),
    (
        "RecordsBeforeLooking",
        "The command RecordsBeforeLooking recorded an outcome for position 0, which was not looked at.",
    ),
    ("WrongCells", "The command WrongCells recorded a row of 2 cells, and its columns have 1."),
    (
        "ClosesStaleVersion",
        "The command ClosesStaleVersion recorded a change of a version that it was not given.",
    ),
    (
        "ClosesImpossibleVersion",
        "The command ClosesImpossibleVersion recorded a change of a version that it was not given.",
    ),
    (
        "ForgesAWaiver",
        "The command ForgesAWaiver recorded that it waived a task or a field that there is not.",
    ),
    ("ClosesAFailure", "The command ClosesAFailure recorded a failure together with a change."),
    (
        "ClosesNothing",
        "The command ClosesNothing recorded a change of an incident that there is not.",
    ),
];

/// The numbers of the incidents that a command misbehaves with.
fn numbers(command: &str) -> [String; 3] {
    [1, 2, 3].map(|number| format!("{command}-{number}"))
}

fn misbehave(numbers: &[String]) -> Value {
    json!({"Incident Numbers": numbers, "Username": "admin user"})
}

/// A folder with three incidents for each of these commands, and all the plugins.
fn playdock_for<'a>(commands: impl Iterator<Item = &'a str>) -> Playdock {
    let playdock = Playdock::with_plugins(&PLUGINS);
    let lines: String =
        commands.flat_map(numbers).map(|number| incident(&number, json!({}))).collect();
    playdock.import(&format!("{SITE_AND_USER}{lines}"));
    playdock
}

fn run(host: &Host, command: &str, id: &str) -> Answer {
    let invocation = invocation(command, &misbehave(&numbers(command)), id);
    let answer = host.execute(&invocation);
    answer.unwrap_or_else(|error| panic!("{command}: {error}"))
}

fn becomes(answer: &Answer) -> Vec<String> {
    let rows = answer_rows(answer);
    rows.iter().map(|row| outcome(row).1).collect()
}

fn open_incidents(playdock: &Playdock, command: &str) -> Vec<String> {
    playdock.rows(&format!(
        "SELECT number FROM incident WHERE status = 'Open' AND number GLOB '{command}-*'"
    ))
}

fn state(playdock: &Playdock, id: &str) -> String {
    playdock.value(&format!("SELECT state FROM execution WHERE execution_id = '{id}'"))
}

/// Closes the incidents that a command left, with the command that the project ships.
fn close_the_rest(host: &Host, command: &str) {
    let id = format!("after-{command}");
    let good = invocation("CloseIncidentInBulk", &parameters(&numbers(command)), &id);
    let answer = host.execute(&good).expect("there is an answer");
    assert_eq!(answer.error, "", "after {command}");
    assert_eq!(answer_rows(&answer).len(), 3, "after {command}");
}

#[test]
fn a_command_that_breaks_off_fails_alone_and_the_next_one_runs_in_the_same_process() {
    let playdock = playdock_for(BREAK_OFF.iter().map(|case| case.0));
    break_off(&playdock, &playdock.host());
}

#[test]
#[cfg(target_os = "linux")]
fn a_command_that_breaks_off_in_a_worker_fails_in_the_same_way() {
    let playdock = playdock_for(BREAK_OFF.iter().map(|case| case.0));
    break_off(&playdock, &playdock.host_with_workers());
}

fn break_off(playdock: &Playdock, host: &Host) {
    for (command, words, expected) in BREAK_OFF {
        let answer = run(host, command, command);
        assert!(answer.error.starts_with(words), "{}", answer.error);
        assert!(answer.error.len() < 400, "{command}: {}", answer.error);
        assert_eq!(answer.return_data.as_str(), "Failed", "{command}");
        assert_eq!(answer.ended, Ended::CommandBroke, "{command}");
        assert_eq!(becomes(&answer), *expected, "{command}");
        let written = serde_json::to_value(&answer).expect("the answer can be written");
        assert_eq!(written["result"] == "", expected.is_empty(), "{command}: {written}");
        let done = expected.iter().filter(|said| **said == "Successful");
        let left = open_incidents(playdock, command);
        assert_eq!(left, numbers(command)[done.count()..], "{command}");
        assert_eq!(state(playdock, command), "interrupted", "{command}");
        close_the_rest(host, command);
        assert!(open_incidents(playdock, command).is_empty(), "{command}");
    }
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn a_recording_that_makes_no_sense_is_refused_as_a_whole() {
    let playdock = playdock_for(REFUSED.iter().map(|case| case.0));
    refuse(&playdock, &playdock.host());
}

#[test]
#[cfg(target_os = "linux")]
fn a_recording_that_makes_no_sense_is_refused_when_it_comes_from_a_worker() {
    let playdock = playdock_for(REFUSED.iter().map(|case| case.0));
    refuse(&playdock, &playdock.host_with_workers());
}

fn refuse(playdock: &Playdock, host: &Host) {
    for (command, sentence) in REFUSED {
        let answer = run(host, command, command);
        assert_eq!(answer.error, *sentence, "{command}");
        assert_eq!(answer.return_data.as_str(), "Failed", "{command}");
        assert_eq!(answer_rows(&answer), [] as [Value; 0], "{command}");
        assert_eq!(open_incidents(playdock, command), numbers(command));
        close_the_rest(host, command);
    }
    let lines = "SELECT count(*) FROM ledger JOIN execution ON execution.id = execution
        WHERE command <> 'CloseIncidentInBulk'";
    assert_eq!(playdock.value::<i64>(lines), 0);
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn the_program_says_so_and_the_journal_keeps_it() {
    let commands = ["PanicsWhileRecording", "LeavesIncidentsOut", "RecordsTwice"];
    let playdock = playdock_for(commands.into_iter());
    for command in commands {
        let more = ["--execution-id", command];
        let finished = playdock.invoke(command, &misbehave(&numbers(command)), &more);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert_eq!(finished.answer()["returnData"], "Failed");
        let said: Vec<String> = finished.outcomes().into_iter().map(|it| it.1).collect();
        assert_eq!(said, FIRST_DONE, "{command}");
        let shown = playdock.run(&["executions", "show", command, "--output", "json"]);
        let shown = shown.answer();
        assert_eq!(shown["state"], "interrupted", "{shown}");
        assert_eq!(shown["return_data"], "Failed", "{shown}");
        assert_eq!(shown["error"], finished.answer()["error"], "{shown}");
        assert_eq!(shown["incidents"][0]["number"], format!("{command}-1"));
        assert_eq!(shown["incidents"].as_array().map(Vec::len), Some(1));
    }
    playdock.assert_nothing_is_half_closed();
}
