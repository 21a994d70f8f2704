//! What commands say and do beside their answers: their logs, calls that make no sense, threads and
//! hosts that they keep, and many of them at once.

use super::{PLUGINS, close_the_rest, misbehave, numbers, playdock_for, run};
use playdock_tests::{Playdock, invocation, parameters};
use std::time::Duration;

#[test]
fn records_reach_the_hosts_log_as_its_level_says() {
    let playdock = playdock_for(["LogsWithLevels"].into_iter());
    let all = [
        ("ERROR", "this is an error"),
        ("WARN", "this is a warning"),
        ("INFO", "this is information"),
        ("DEBUG", "this is for debugging"),
        ("TRACE", "this is a trace of two lines"),
    ];
    for (flag, shown) in [("-v", 3), ("-vv", 4), ("-vvv", 5), ("", 2)] {
        let flags: Vec<&str> = [flag].into_iter().filter(|it| !it.is_empty()).collect();
        let finished = playdock.invoke("LogsWithLevels", &misbehave(&[]), &flags);
        assert_eq!(finished.answer()["returnData"], "Successful");
        let of_the_command = finished.errors.lines().filter(|line| {
            line.split(": ").nth(1) == Some("misbehaving") && line.contains("this is")
        });
        let expected = all.iter().take(shown);
        let expected: Vec<String> = expected
            .map(|(level, said)| format!("{level}: misbehaving: misbehaving::logs: {said}"))
            .collect();
        assert_eq!(of_the_command.collect::<Vec<_>>(), expected, "{flag} {finished:?}");
    }
}

#[test]
fn a_panic_is_one_line_of_the_log_and_the_answer_stays_alone_on_standard_output() {
    let playdock = playdock_for(["PanicsInRun"].into_iter());
    let finished = playdock.invoke("PanicsInRun", &misbehave(&[]), &[]);
    assert_eq!(finished.code, Some(1));
    assert_eq!(finished.output.lines().count(), 1, "{finished:?}");
    let lines: Vec<&str> = finished.errors.lines().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("ERROR: misbehaving: "), "{lines:?}");
    assert!(lines[0].contains("panicked: at once, on purpose"), "{lines:?}");
}

#[test]
fn a_thread_that_stays_behind_disturbs_nobody() {
    let playdock = playdock_for(["StaysBehind"].into_iter());
    let host = playdock.host();
    for round in 0..5 {
        let invocation = invocation("StaysBehind", &misbehave(&[]), &format!("stays-{round}"));
        let answer = host.execute(&invocation).expect("there is an answer");
        assert_eq!(answer.error, "");
    }
    // By then each thread has logged and panicked.
    std::thread::sleep(Duration::from_millis(200));
    close_the_rest(&host, "StaysBehind");
}

#[test]
fn a_host_that_a_command_kept_refuses_calls_once_the_execution_is_over() {
    let playdock = playdock_for(["KeepsItsHost"].into_iter());
    let host = playdock.host();
    let first = run(&host, "KeepsItsHost", "first");
    assert_eq!(first.error, "nothing was kept yet");
    let second = run(&host, "KeepsItsHost", "second");
    assert_eq!(second.error, "The execution is over.");
    close_the_rest(&host, "KeepsItsHost");
}

#[test]
fn calls_that_make_no_sense_get_a_reply_that_says_so() {
    let playdock = playdock_for(["CallsWithNonsense"].into_iter());
    let host = playdock.host();
    let answer = run(&host, "CallsWithNonsense", "nonsense");
    let replies: Vec<&str> = answer.error.lines().collect();
    let beginnings = [
        "{\"failed\":{\"error\":\"The call is not a message: ",
        "{\"failed\":{\"error\":\"The call is not a message: ",
        "{\"failed\":{\"error\":\"The call is not a message: ",
        "{\"unsupported\":{\"what\":\"the message \\\"launch\\\"",
        "{\"failed\":{\"error\":\"The command CallsWithNonsense asked for incidents before it had selected any.\"}}",
    ];
    assert_eq!(replies.len(), beginnings.len(), "{replies:#?}");
    for (reply, beginning) in replies.iter().zip(beginnings) {
        assert!(reply.starts_with(beginning), "{reply}");
    }
    close_the_rest(&host, "CallsWithNonsense");
}

#[test]
fn good_executions_run_beside_bad_ones_in_many_threads() {
    const BAD: [&str; 4] =
        ["PanicsInRun", "PanicsInDrop", "PanicPayloadPanicsInDrop", "AnswersGarbage"];
    let names: Vec<String> = (0..32).map(|thread| format!("T{thread}")).collect();
    let playdock: Playdock = playdock_for(names.iter().map(String::as_str));
    assert_eq!(playdock.plugins().len(), PLUGINS.len());
    let host = playdock.host();
    std::thread::scope(|scope| {
        for (index, name) in names.iter().enumerate() {
            let host = &host;
            scope.spawn(move || {
                let numbers = numbers(name);
                if index % 2 == 0 {
                    let command = BAD[index / 2 % BAD.len()];
                    let invocation = invocation(command, &misbehave(&numbers), name);
                    let answer = host.execute(&invocation).expect("there is an answer");
                    assert!(answer.error.contains(command), "{}", answer.error);
                } else {
                    let good = invocation("CloseIncidentInBulk", &parameters(&numbers), name);
                    let answer = host.execute(&good).expect("there is an answer");
                    assert_eq!(answer.error, "");
                }
            });
        }
    });
    for name in &names {
        close_the_rest(&host, name);
    }
    playdock.assert_nothing_is_half_closed();
}
