//! In whose name incidents are closed, where that user may work, and what another site's
//! incidents look like from here.

use playdock_tests::{
    Playdock, SITE_AND_USER, in_postgres_too, incident, invocation, parameters, with,
};
use serde_json::{Value, json};

in_postgres_too!(
    an_automatic_execution_closes_as_its_username_parameter,
    the_incident_of_another_site_looks_exactly_like_one_that_does_not_exist,
    of_two_incidents_with_one_number_that_of_the_site_is_closed,
);

const OTHERS: &str = r#"{"kind":"site","name":"Client B","time_zone":"UTC"}
{"kind":"user","username":"jane","sites":["Security Operations"]}
{"kind":"user","username":"both","sites":["Security Operations","Client B"]}
{"kind":"user","username":"trainee","sites":["Security Operations"],"may_close":false}
{"kind":"user","username":"gone","sites":["Security Operations"],"active":false}
{"kind":"user","username":"elsewhere","sites":["Client B"]}
{"kind":"incident","number":"foreign","site":"Client B"}
{"kind":"incident","number":"shared","site":"Client B"}
"#;

fn store() -> Playdock {
    let playdock = Playdock::new();
    let lines: String = ["1", "2", "3"].map(|it| incident(it, json!({}))).concat();
    playdock.import(&format!("{SITE_AND_USER}{OTHERS}{lines}"));
    playdock
}

fn by(username: Value) -> Value {
    with(parameters(&["1"]), "Username", username)
}

fn without_username() -> Value {
    let mut parameters = parameters(&["1"]);
    parameters.as_object_mut().expect("an object").remove("Username");
    parameters
}

/// Checks that nobody acts, and that nothing is done.
#[track_caller]
fn assert_nobody_acts(playdock: &Playdock, parameters: &Value, more: &[&str], names: &str) {
    let finished = playdock.close(parameters, more);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let answer = finished.answer();
    assert_eq!(answer["result"], "");
    assert_eq!(answer["contextData"], json!([]));
    assert!(finished.error().contains(names), "{finished:?}");
    let closed: i64 = playdock.value("SELECT count(*) FROM incident WHERE status = 'Closed'");
    assert_eq!(closed, 0);
}

#[test]
fn an_automatic_execution_closes_as_its_username_parameter() {
    let playdock = store();
    let finished = playdock.close(&by(json!("jane")), &[]);
    assert_eq!(finished.rows()[0]["Closed By"], "jane", "{finished:?}");
    let stored = "SELECT closed_by, acting_user FROM incident JOIN audit ON incident.id = incident";
    assert_eq!(playdock.rows(stored), ["jane|jane"]);
}

#[test]
fn an_automatic_execution_without_an_acting_user_fails_as_a_whole() {
    let playdock = store();
    assert_nobody_acts(&playdock, &without_username(), &[], "\"Username\"");
    for blank in [json!(null), json!(""), json!(" \t")] {
        assert_nobody_acts(&playdock, &by(blank), &[], "\"Username\"");
    }
    for wrong in [json!(7), json!(["jane"]), json!(true), json!({})] {
        assert_nobody_acts(&playdock, &by(wrong), &[], "\"Username\"");
    }
    assert_nobody_acts(&playdock, &by(json!("nobody")), &[], "nobody");
    assert_nobody_acts(&playdock, &by(json!("Jane")), &[], "Jane");
    assert_nobody_acts(&playdock, &by(json!("gone")), &[], "gone");
}

#[test]
fn a_person_closes_as_that_person_whatever_the_parameter_says() {
    let given = [json!("admin user"), json!("nobody"), json!("gone"), json!(null), json!(7)];
    let manual = ["--manual", "--user", "jane"];
    for username in given {
        let playdock = store();
        let finished = playdock.close(&by(username.clone()), &manual);
        assert_eq!(finished.code, Some(0), "{username}: {finished:?}");
        assert_eq!(finished.rows()[0]["Closed By"], "jane", "{username}");
    }
    let playdock = store();
    let finished = playdock.close(&without_username(), &manual);
    assert_eq!(finished.rows()[0]["Closed By"], "jane", "{finished:?}");
    let modes = playdock.rows("SELECT mode, acting_user FROM execution");
    assert_eq!(modes, ["manual|jane"]);
}

#[test]
fn a_person_who_is_unknown_or_inactive_does_nothing() {
    let playdock = store();
    for person in ["nobody", "gone"] {
        let manual = ["--manual", "--user", person];
        assert_nobody_acts(&playdock, &by(json!("jane")), &manual, person);
    }
}

#[test]
fn who_may_not_close_is_told_so_for_each_incident() {
    let playdock = store();
    let parameters = with(parameters(&["1", "missing", "2"]), "Username", json!("trainee"));
    let finished = playdock.close(&parameters, &[]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let expected = [("1", "not-permitted"), ("missing", "not-found"), ("2", "not-permitted")]
        .map(|(number, reason)| (number.to_owned(), reason.to_owned()));
    assert_eq!(finished.outcomes(), expected);
    assert_eq!(finished.rows()[0]["Status"], "Open");
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM audit"), 0);
}

#[test]
fn a_site_without_access_and_a_site_that_does_not_exist_answer_alike() {
    let playdock = store();
    let host = playdock.host();
    let answer = |site: &str, username: &str| {
        let id = format!("{site}:{username}").replace(' ', "-");
        let mut invocation = invocation("CloseIncidentInBulk", &by(json!(username)), &id);
        site.clone_into(&mut invocation.site);
        let answer = host.execute(&invocation).expect("it is an answer");
        let answer = serde_json::to_value(&answer).expect("it is JSON");
        assert_eq!(answer["returnData"], "Failed");
        assert_eq!(answer["contextData"], json!([]));
        answer.to_string().replace(site, "SITE")
    };
    for username in ["jane", "nobody", "gone"] {
        assert_eq!(answer("Client B", username), answer("Client Z", username), "{username}");
    }
    assert_eq!(answer("Security Operations", "elsewhere"), answer("No Such", "elsewhere"));
}

#[test]
fn a_site_that_the_store_does_not_have_is_a_mistake_on_the_command_line() {
    let playdock = store();
    let before = playdock.dump();
    let parameters = by(json!("jane")).to_string();
    let arguments = ["invoke", "CloseIncidentInBulk", "--params", "-", "--site", "Client Z"];
    let finished = playdock.run_with_input(&arguments, parameters.as_bytes());
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.errors.contains("there is no site \"Client Z\""), "{finished:?}");
    assert_eq!(playdock.dump(), before);
}

#[test]
fn the_incident_of_another_site_looks_exactly_like_one_that_does_not_exist() {
    let playdock = store();
    // This user may close the incident where it belongs, and it is none of this site's business.
    for username in ["jane", "both"] {
        let answer = |number: &str| {
            let parameters = with(parameters(&[number, "2"]), "Username", json!(username));
            let at_once = ["--preview", "--clock", "2021-01-27T14:08:00Z"];
            let finished = playdock.close(&parameters, &at_once);
            assert_eq!(finished.rows()[0]["Reason"], "not-found", "{finished:?}");
            finished.output.replace(number, "NUMBER")
        };
        assert_eq!(answer("foreign"), answer("missing"));
    }
    let finished = playdock.close(&with(parameters(&["foreign"]), "Username", json!("both")), &[]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM audit"), 0);
}

#[test]
fn of_two_incidents_with_one_number_that_of_the_site_is_closed() {
    let playdock = store();
    playdock.import(&incident("shared", json!({})));
    let parameters = with(parameters(&["shared"]), "Username", json!("both"));
    let finished = playdock.close(&parameters, &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let closed = "SELECT site.name FROM incident JOIN site ON site.id = incident.site
         WHERE status = 'Closed'";
    assert_eq!(playdock.rows(closed), ["Security Operations"]);
}
