//! Executions that broke off, once more: the same id goes on with what was left, and a preview has
//! nothing to go on with.

use super::{PLUGINS, becomes, misbehave, numbers, open_incidents, playdock_for, run};
use playdock_host::execution::Ended;
use playdock_tests::{Playdock, SITE_AND_USER, answer_rows, incident, invocation};
use serde_json::json;

#[test]
fn a_preview_that_breaks_off_leaves_the_store_as_it_was() {
    let playdock = playdock_for(["PanicsWhileRecording"].into_iter());
    let before = playdock.dump();
    let numbers = numbers("PanicsWhileRecording");
    let finished = playdock.invoke("PanicsWhileRecording", &misbehave(&numbers), &["--preview"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(finished.outcomes()[0].1, "would-close");
    assert_eq!(playdock.dump(), before);
}

#[test]
fn what_panicked_between_pages_goes_on_under_its_id() {
    // More than the host looks up at once.
    let numbers: Vec<String> = (0..8200).map(|number| format!("M-{number:04}")).collect();
    let lines: String = numbers.iter().map(|it| incident(it, json!({}))).collect();
    let playdock = Playdock::with_plugins(&PLUGINS);
    playdock.import(&format!("{SITE_AND_USER}{lines}"));
    let host = playdock.host();
    let run = || {
        let invocation = invocation("PanicsBetweenPages", &misbehave(&numbers), "pages");
        host.execute(&invocation).expect("there is an answer")
    };
    let first = run();
    assert!(first.error.contains("between pages, on purpose"), "{}", first.error);
    let said = becomes(&first);
    let left = said.iter().filter(|it| *it == "not-attempted").count();
    assert!((1..8200).contains(&left), "{left}");
    assert!(
        first.error.contains(&format!(
            "{left} of 8200 incidents are left; the same execution id goes on with them."
        )),
        "{}",
        first.error
    );
    assert_eq!(
        open_incidents(&playdock, "M"),
        numbers[8200 - left..],
        "the first page is closed and the rest is as it was"
    );
    playdock.assert_nothing_is_half_closed();

    let second = run();
    assert_eq!(second.error, "");
    assert!(!second.replayed);
    assert_eq!(answer_rows(&second).len(), 8200);
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM audit"), 8200);
    playdock.assert_nothing_is_half_closed();

    let third = run();
    assert!(third.replayed);
    assert_eq!(answer_rows(&third), answer_rows(&second));
}

#[test]
fn the_id_of_an_execution_that_panicked_runs_again_and_replays_nothing() {
    let playdock = playdock_for(["PanicsInRun"].into_iter());
    let host = playdock.host();
    for _ in 0..3 {
        let answer = run(&host, "PanicsInRun", "again");
        assert_eq!(answer.ended, Ended::CommandBroke);
        assert!(!answer.replayed);
    }
    assert_eq!(
        playdock.value::<i64>("SELECT count(*) FROM execution"),
        1,
        "it stays one execution"
    );
}
