//! Input that is broken, huge or hostile: a clear answer, nothing unescaped, nothing half done.

mod hostile;
mod stores;

use playdock_tests::{
    Finished, Playdock, SITE_AND_USER, in_postgres_too, incident, outcomes, parameters, with,
};
use serde_json::json;

in_postgres_too!(
    a_number_with_nul_is_one_that_does_not_exist_and_stops_no_other,
    a_conclusion_with_nul_becomes_what_its_preview_says,
);

fn invoke(playdock: &Playdock, input: &[u8]) -> Finished {
    let mut arguments = vec!["invoke", "CloseIncidentInBulk", "--params", "-"];
    arguments.extend(["--site", "Security Operations", "--output", "json"]);
    playdock.run_with_input(&arguments, input)
}

#[test]
fn what_is_no_json_object_is_refused_in_one_line() {
    let playdock = Playdock::with_incidents([incident("1", json!({}))]);
    let before = playdock.dump();
    let deep = "[".repeat(100_000);
    let deep_object = "{\"a\":".repeat(100_000);
    let inputs: [&[u8]; 13] = [
        b"",
        b"not json",
        b"{\"Incident Numbers\":[\"1\"]",
        b"{} {}",
        b"[]",
        b"null",
        b"7",
        b"\"1\"",
        b"{\"Incident Numbers\":\"\xff\xfe\"}",
        b"{\"Conclusion\":\"\\ud800\"}",
        b"\xef\xbb\xbf\xff",
        deep.as_bytes(),
        deep_object.as_bytes(),
    ];
    for input in inputs {
        let start = String::from_utf8_lossy(&input[..input.len().min(40)]);
        let finished = invoke(&playdock, input);
        assert_eq!(finished.code, Some(2), "{start}: {finished:?}");
        assert_eq!(finished.output, "", "{start}");
        assert_eq!(finished.errors.lines().count(), 1, "{start}: {}", finished.errors);
        assert!(finished.errors.contains("standard input"), "{start}: {}", finished.errors);
        assert!(finished.errors.len() < 300, "{start}");
    }
    assert_eq!(playdock.dump(), before);
    let arguments = ["invoke", "CloseIncidentInBulk", "--site", "A", "--params", "{\"a\": 1}"];
    let finished = playdock.run(&arguments);
    let sentence = "--params takes the name of a file, or - for standard input, and no JSON";
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.errors.contains(sentence), "{finished:?}");
}

#[test]
fn a_parameter_given_twice_is_an_error_whatever_it_says() {
    let playdock = Playdock::with_incidents([incident("1", json!({}))]);
    for twice in [
        r#""Username":"admin user","Username":"admin user""#,
        r#""Username":"admin user","Incident Numbers":["2"]"#,
        r#""Username":"admin user","Bypass Required Pending Tasks":"Yes""#,
    ] {
        let input =
            format!(r#"{{"Incident Numbers":["1"],"Bypass Required Pending Tasks":"No",{twice}}}"#);
        let finished = invoke(&playdock, input.as_bytes());
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.error().contains("given twice"), "{finished:?}");
    }
    assert_eq!(playdock.rows("SELECT status FROM incident"), ["Open"]);
}

#[test]
fn of_fifty_thousand_numbers_those_that_exist_are_closed() {
    let exists = |number: &usize| number.is_multiple_of(2);
    let lines = (0..50_000).filter(exists);
    let playdock = Playdock::with_incidents(lines.map(|it| incident(&it.to_string(), json!({}))));
    let numbers: Vec<String> = (0..50_000).map(|it| it.to_string()).collect();
    let finished = playdock.close(&parameters(&numbers), &[]);
    assert_eq!(finished.code, Some(3), "{}", finished.errors);
    let error = "25000 of 50000 incidents were not closed: 25000 do not exist";
    let answer = finished.answer();
    assert_eq!(answer["error"], error);
    let rows = answer["contextData"].as_array().expect("an array");
    assert_eq!(rows.len(), 50_000);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row["Incident Number"], index.to_string());
        let found = if exists(&index) { "Successful" } else { "Failed" };
        assert_eq!(row["Result"], found, "{row}");
    }
}

#[test]
fn a_number_of_ten_megabytes_is_a_number_that_does_not_exist() {
    let playdock = Playdock::with_incidents([incident("1", json!({}))]);
    let huge = "0123456789".repeat(1 << 20);
    let parameters = parameters(&[huge.as_str(), "1"]);
    let id = ["--execution-id", "nightly-1"];
    let finished = playdock.close(&parameters, &id);
    assert_eq!(finished.code, Some(3), "{}", finished.errors);
    assert!(finished.outcomes() == outcomes(&[(&huge, "not-found"), ("1", "Successful")]));
    let again = playdock.close(&parameters, &id);
    assert!(again.output == finished.output);

    // People are shown the beginning of it.
    let mut arguments = vec!["invoke", "CloseIncidentInBulk", "--params", "-"];
    arguments.extend(["--site", "Security Operations"]);
    let shown = playdock.run_with_input(&arguments, parameters.to_string().as_bytes());
    assert_eq!(shown.code, Some(3), "{}", shown.errors);
    assert!(shown.output.len() < 10_000, "{}", shown.output.len());

    // An error doesn't repeat it either.
    let wrong = with(parameters, "Bypass Required Pending Tasks", json!(huge));
    let finished = playdock.close(&wrong, &[]);
    assert_eq!(finished.code, Some(1), "{}", finished.errors);
    assert!(finished.error().len() < 1000);
}

#[test]
fn a_null_character_and_other_scripts_are_text_like_any_other() {
    let conclusions = ["a\0b", "\u{202e}סגור בטוח", "事件已关闭 🎉"];
    for (conclusion, before) in conclusions.iter().zip(["", "<p>x\0y</p>", "<p>é</p>"]) {
        let playdock =
            Playdock::with_incidents([incident("INC\0-1", json!({"conclusion": before}))]);
        let parameters = with(parameters(&["INC\0-1", "INC"]), "Conclusion", json!(conclusion));
        let finished = playdock.close(&parameters, &[]);
        assert_eq!(finished.code, Some(3), "{finished:?}");
        let expected = [("INC\0-1", "Successful"), ("INC", "not-found")];
        assert_eq!(finished.outcomes(), outcomes(&expected));
        let stored: String = playdock.value("SELECT conclusion FROM incident");
        // What is appended is HTML, which has no U+0000.
        let appended = conclusion.replace('\0', "\u{fffd}");
        assert_eq!(stored, format!("{before}<p>{appended}</p>"));
        // The audit says where what was appended begins.
        let length: usize = playdock.value("SELECT before_conclusion_bytes FROM audit");
        assert_eq!(length, before.len(), "{before:?}");
    }
}

#[test]
fn an_import_that_is_not_utf_8_names_the_line_and_imports_nothing() {
    let playdock = Playdock::new();
    playdock.import(SITE_AND_USER);
    let before = playdock.dump();
    let mut lines = incident("1", json!({})).into_bytes();
    lines.extend(b"{\"kind\":\"incident\",\"number\":\"\xff\",\"site\":\"Security Operations\"}\n");
    let path = playdock.file("broken.jsonl", lines);
    let finished = playdock.run(&["incidents", "import", &path.to_string_lossy()]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.errors.contains("line 2"), "{finished:?}");
    assert_eq!(playdock.dump(), before);
}

#[test]
fn a_number_with_nul_is_one_that_does_not_exist_and_stops_no_other() {
    let playdock = Playdock::with_incidents([incident("1", json!({}))]);
    let parameters = parameters(&["no\u{0}such", "1"]);
    let id = ["--execution-id", "nightly-1"];
    let finished = playdock.close(&parameters, &id);
    assert_eq!(finished.code, Some(3), "{finished:?}");
    let expected = [("no\u{0}such", "not-found"), ("1", "Successful")];
    let said = finished.outcomes();
    let said: Vec<_> = said.iter().map(|(number, said)| (number.as_str(), said.as_str())).collect();
    assert_eq!(said, expected);
    assert_eq!(playdock.close(&parameters, &id).code, Some(3));
}

#[test]
fn a_conclusion_with_nul_becomes_what_its_preview_says() {
    let playdock = Playdock::with_incidents([incident("1", json!({}))]);
    let parameters = with(parameters(&["1"]), "Conclusion", json!("a\u{0}b"));
    let preview = playdock.close(&parameters, &["--preview"]);
    let finished = playdock.close(&parameters, &[]);
    assert_eq!((preview.code, finished.code), (Some(0), Some(0)), "{finished:?}");
    let conclusion: String = playdock.value("SELECT conclusion FROM incident");
    assert_eq!(conclusion, "<p>a\u{fffd}b</p>");
}
