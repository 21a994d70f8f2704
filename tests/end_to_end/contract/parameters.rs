//! Every form in which each parameter is accepted, and the error where it is in none of them.

use playdock_tests::{Playdock, incident, parameters, with};
use serde_json::{Value, json};

fn store() -> Playdock {
    Playdock::with_incidents([
        incident("20210127-198", json!({})),
        incident("080924-1609", json!({})),
        incident("TEST-INCIDENT-73", json!({})),
        incident("tasks", json!({"tasks": [{"title": "Reset password", "required": true}]})),
        incident("fields", json!({"fields": [{"name": "Root cause", "required_on_close": true}]})),
    ])
}

/// What a preview says of each incident, so that one store serves many calls.
#[track_caller]
fn outcomes(playdock: &Playdock, parameters: &Value) -> Vec<(String, String)> {
    let finished = playdock.close(parameters, &["--preview"]);
    let answer = finished.answer();
    assert!(answer["result"] != "", "{parameters}: {answer}");
    finished.outcomes()
}

/// The error of parameters that fail as a whole.
#[track_caller]
fn error(playdock: &Playdock, parameters: &Value) -> String {
    let finished = playdock.close(parameters, &[]);
    assert_eq!(finished.code, Some(1), "{parameters}: {finished:?}");
    let answer = finished.answer();
    assert_eq!(answer["result"], "", "{parameters}");
    assert_eq!(answer["contextData"], json!([]), "{parameters}");
    assert_eq!(answer["returnData"], "Failed", "{parameters}");
    finished.error()
}

#[test]
fn incident_numbers_come_in_five_forms() {
    let playdock = store();
    let both = ["20210127-198", "080924-1609"];
    for (given, expected) in [
        (json!(["20210127-198", "080924-1609"]), &both[..]),
        (json!([" 20210127-198\t", "\n080924-1609\u{a0}"]), &both),
        (json!("[\"20210127-198\", \"080924-1609\"]"), &both),
        (json!(" [\"20210127-198\", \"080924-1609\"] "), &both),
        (json!("20210127-198,080924-1609"), &both),
        (json!(" , 20210127-198 ,, 080924-1609 ,"), &both),
        (json!("TEST-INCIDENT-73"), &["TEST-INCIDENT-73"]),
        (json!("  TEST-INCIDENT-73\n"), &["TEST-INCIDENT-73"]),
    ] {
        let parameters = with(parameters(&["-"]), "Incident Numbers", given.clone());
        let expected: Vec<_> = expected
            .iter()
            .map(|number| ((*number).to_owned(), "would-close".to_owned()))
            .collect();
        assert_eq!(outcomes(&playdock, &parameters), expected, "{given}");
    }
}

#[test]
fn a_repeated_number_counts_once_at_its_first_place_and_case_matters() {
    let playdock = store();
    let numbers = parameters(&[
        "TEST-INCIDENT-73",
        "20210127-198",
        " TEST-INCIDENT-73",
        "test-incident-73",
        "20210127-198",
    ]);
    let expected = [
        ("TEST-INCIDENT-73", "would-close"),
        ("20210127-198", "would-close"),
        ("test-incident-73", "not-found"),
    ]
    .map(|(number, said)| (number.to_owned(), said.to_owned()));
    assert_eq!(outcomes(&playdock, &numbers), expected);
}

#[test]
fn no_incidents_at_all_is_a_success_without_rows() {
    let playdock = store();
    for empty in [json!([]), json!("[]")] {
        let finished = playdock.close(&with(parameters(&["-"]), "Incident Numbers", empty), &[]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let answer = finished.answer();
        assert_eq!(answer["returnData"], "Successful");
        assert_eq!(answer["error"], "");
        assert_eq!(answer["contextData"], json!([]));
    }
}

#[test]
fn incident_numbers_in_no_form_fail_as_a_whole() {
    let playdock = store();
    for (given, also) in [
        (json!(null), ""),
        (json!(""), ""),
        (json!(" \t"), ""),
        (json!(" , ,"), ""),
        (json!(20_210_127), ""),
        (json!(true), ""),
        (json!({"a": 1}), ""),
        (json!("[\"20210127-198\""), ""),
        (json!("[20210127-198]"), ""),
        (json!("[\"a\"] b"), ""),
        (json!(["a", "b", 7]), "2"),
        (json!(["a", null]), "1"),
        (json!([" ", "a"]), "0"),
        (json!(["a", ["b"]]), "1"),
        (json!("[\"a\", 3]"), "1"),
    ] {
        let parameters = with(parameters(&["-"]), "Incident Numbers", given.clone());
        let error = error(&playdock, &parameters);
        assert!(error.contains("\"Incident Numbers\""), "{given}: {error}");
        assert!(error.contains(also), "{given}: {error}");
    }
}

#[test]
fn bypasses_come_as_yes_and_no_in_any_case_or_as_booleans() {
    let playdock = store();
    let forms = [
        (
            "would-close",
            [json!("Yes"), json!("yes"), json!("YES"), json!("true"), json!("True"), json!(true)],
        ),
        ("", [json!("No"), json!("no"), json!("nO"), json!("false"), json!("FALSE"), json!(false)]),
    ];
    for (name, number, blocked) in [
        ("Bypass Required Pending Tasks", "tasks", "required-tasks-pending"),
        ("Bypass All Required Fields", "fields", "required-fields-missing"),
    ] {
        for (said, values) in &forms {
            let said = if said.is_empty() { blocked } else { said };
            for value in values {
                let parameters = with(parameters(&[number]), name, value.clone());
                assert_eq!(
                    outcomes(&playdock, &parameters),
                    [(number.to_owned(), said.to_owned())],
                    "{name}: {value}"
                );
            }
        }
    }
}

#[test]
fn a_bypass_in_no_form_fails_as_a_whole() {
    let playdock = store();
    let wrong = [json!("maybe"), json!("Y"), json!("1"), json!(1), json!(0), json!([]), json!({})];
    for name in ["Bypass Required Pending Tasks", "Bypass All Required Fields"] {
        for value in &wrong {
            let error = error(&playdock, &with(parameters(&["tasks"]), name, value.clone()));
            assert!(error.contains(&format!("\"{name}\"")), "{value}: {error}");
        }
    }
}

#[test]
fn null_and_blank_are_errors_for_the_required_bypass_and_absent_for_the_other() {
    let playdock = store();
    for blank in [json!(null), json!(""), json!(" \n")] {
        let tasks = with(parameters(&["tasks"]), "Bypass Required Pending Tasks", blank.clone());
        let error = error(&playdock, &tasks);
        assert!(error.contains("\"Bypass Required Pending Tasks\""), "{blank}: {error}");
        let fields = with(parameters(&["fields"]), "Bypass All Required Fields", blank.clone());
        let expected = ("fields".to_owned(), "required-fields-missing".to_owned());
        assert_eq!(outcomes(&playdock, &fields), [expected], "{blank}");
    }
}

#[test]
fn a_blank_conclusion_is_as_absent_and_one_that_is_no_text_an_error() {
    let playdock = store();
    let numbers = ["20210127-198", "080924-1609", "TEST-INCIDENT-73"];
    for (number, blank) in numbers.iter().zip([json!(null), json!(""), json!(" \n\t")]) {
        let finished = playdock.close(&with(parameters(&[number]), "Conclusion", blank), &[]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
    let conclusions = playdock.rows("SELECT DISTINCT conclusion FROM incident");
    assert_eq!(conclusions, [""]);
    for wrong in [json!(7), json!(["text"]), json!(false)] {
        let error = error(&playdock, &with(parameters(&["tasks"]), "Conclusion", wrong));
        assert!(error.contains("\"Conclusion\""), "{error}");
    }
}

#[test]
fn a_conclusion_may_have_65536_characters() {
    let playdock = store();
    let longest = format!("é{}", "x".repeat(65_535));
    let too_long = json!(format!("{longest}."));
    let error = error(&playdock, &with(parameters(&["20210127-198"]), "Conclusion", too_long));
    assert_eq!(error, "Parameter \"Conclusion\": must not have more than 65536 characters.");
    let longest = with(parameters(&["20210127-198"]), "Conclusion", json!(longest));
    assert_eq!(playdock.close(&longest, &[]).code, Some(0));
}

#[test]
fn an_unknown_parameter_is_named_with_the_nearest_known_one() {
    let playdock = store();
    for (given, nearest) in [
        ("Incident Number", "Incident Numbers"),
        ("bypass required pending tasks", "Bypass Required Pending Tasks"),
        ("Bypass All Fields", "Bypass All Required Fields"),
        ("Conclusions", "Conclusion"),
    ] {
        let error = error(&playdock, &with(parameters(&["1"]), given, json!("x")));
        let both =
            error.contains(&format!("\"{given}\"")) && error.contains(&format!("\"{nearest}\""));
        assert!(both, "{error}");
    }
}

#[test]
fn a_misspelt_username_is_named_as_any_other_parameter() {
    let playdock = store();
    let parameters = json!({"Incident Numbers": ["1"], "Bypass Required Pending Tasks": "No",
        "Usrname": "admin user"});
    let error = error(&playdock, &parameters);
    assert!(error.contains("\"Usrname\"") && error.contains("\"Username\""), "{error}");
}

#[test]
fn a_required_parameter_that_is_missing_is_named() {
    let playdock = store();
    for name in ["Incident Numbers", "Bypass Required Pending Tasks", "Username"] {
        let mut parameters = parameters(&["1"]);
        parameters.as_object_mut().expect("an object").remove(name);
        let error = error(&playdock, &parameters);
        assert!(error.contains(&format!("\"{name}\"")), "{error}");
    }
}
