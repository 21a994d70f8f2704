//! A run that is stopped, by its deadline or somebody, or that can't go on: its answer is no better
//! than what is so, and says what an earlier run had done.

use super::{ID, open_incidents, status};
use playdock_host::execution::{Answer, Ended};
use playdock_tests::{Playdock, WatchedStore, answer_rows, closing, in_postgres_too, parameters};
use serde_json::{Value, json};

in_postgres_too!(
    one_that_is_stopped_before_it_selects_is_no_success,
    one_that_cannot_go_on_shows_dates_in_the_zone_of_the_site,
    one_that_is_stopped_when_nothing_is_left_ends_as_any_other,
);

/// So many that they are recorded in two batches.
const MANY: usize = 9_000;

/// Runs the command under this id until its first outcomes are recorded.
fn interrupted(playdock: &Playdock, parameters: &Value, id: &str) -> Answer {
    let invocation = closing(parameters, id);
    let cancellation = invocation.cancellation.clone();
    let store = WatchedStore::new(playdock, move |_| cancellation.cancel());
    let answer = store.host().execute(&invocation).expect("there is an answer");
    assert_eq!(answer.return_data.as_str(), "Partially Successful");
    answer
}

fn open(playdock: &Playdock) -> usize {
    playdock.value("SELECT count(*) FROM incident WHERE status = 'Open'")
}

#[test]
fn one_that_is_stopped_before_it_selects_is_no_success() {
    let (playdock, numbers) = open_incidents(MANY);
    let parameters = parameters(&numbers);
    interrupted(&playdock, &parameters, ID[1]);
    let left = open(&playdock);
    assert!(left > 0);

    let invocation = closing(&parameters, ID[1]);
    invocation.cancellation.cancel();
    let second = playdock.host().execute(&invocation).expect("there is an answer");
    assert_eq!((second.ended, open(&playdock)), (Ended::Cancelled, left));
    assert_eq!(second.return_data.as_str(), "Partially Successful");
    assert_eq!(
        second.error,
        "The execution was cancelled. What an earlier run recorded stands; the same execution id \
         goes on with the rest."
    );
    assert_eq!(answer_rows(&second).len(), MANY - left);

    let third = playdock.close(&parameters, &ID);
    assert_eq!((third.code, open(&playdock)), (Some(0), 0));
}

#[test]
fn a_playbook_whose_task_is_stopped_before_it_selects_takes_no_branch_of_success() {
    let (playdock, numbers) = open_incidents(MANY);
    let parameters = json!({
        "Incident Numbers": serde_json::to_string(&numbers).expect("they are texts"),
        "Bypass Required Pending Tasks": "Yes",
        "Username": "admin user",
    });
    let step = "action--207f8c27-f5ba-4f6e-bec5-498e376fa848";
    interrupted(&playdock, &parameters, &format!("r1:{step}"));
    let left = open(&playdock);

    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin/examples/close-in-bulk.json");
    let text = std::fs::read(file).expect("the example is there");
    let mut playbook: Value = serde_json::from_slice(&text).expect("it is JSON");
    let action = &mut playbook["workflow"][step];
    action["timeout"] = json!(1);
    action["commands"][0]["parameters"] = parameters;
    playbook.as_object_mut().expect("it is an object").remove("playbook_variables");
    playdock.file("playbook.json", playbook.to_string());
    let site = ["--site", "Security Operations", "--execution-id", "r1"];
    let run = playdock.run(&[&["run", "playbook.json"][..], &site].concat());
    assert_eq!(open(&playdock), left, "{run:?}");
    assert!(!run.output.contains("Successful, ended at \"Done\""), "{}", run.output);
    assert!(run.output.ends_with("--execution-id r1 goes on with it\n"), "{}", run.output);
    assert_ne!(run.code, Some(0), "{run:?}");
}

#[test]
fn one_that_cannot_go_on_shows_dates_in_the_zone_of_the_site() {
    let (playdock, numbers) = open_incidents(MANY);
    let parameters = parameters(&numbers);
    let first = interrupted(&playdock, &parameters, ID[1]);
    playdock.import(
        "{\"kind\":\"user\",\"username\":\"admin user\",\"active\":false,\
         \"sites\":[\"Security Operations\"]}",
    );
    let second = playdock.close(&parameters, &ID);
    assert!(second.error().contains("not active"), "{}", second.error());
    let date = |rows: &[Value]| {
        rows.iter().find(|row| row["Status"] == "Closed").map(|row| row["Close Date"].clone())
    };
    assert!(date(&answer_rows(&first)).is_some());
    assert_eq!(date(&answer_rows(&first)), date(&second.rows()));
}

#[test]
fn one_that_is_stopped_when_nothing_is_left_ends_as_any_other() {
    let (playdock, mut numbers) = open_incidents(3);
    numbers.push("missing".to_owned());
    let invocation = closing(&parameters(&numbers), ID[1]);
    let cancellation = invocation.cancellation.clone();
    let store = WatchedStore::new(&playdock, move |_| cancellation.cancel());
    let answer = store.host().execute(&invocation).expect("there is an answer");
    assert_eq!(answer.ended, Ended::Finished);
    assert_eq!(answer.error, "1 of 4 incidents was not closed: 1 does not exist");
    assert_eq!(status(&playdock, "INC-0"), "Closed");
}
