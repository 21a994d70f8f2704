//! The contract's request and response, its statuses and bodies, and the order of its checks.

use super::{CLOSE, body_in, closing, closing_store, outcome, sleeping};
use crate::contract::{CLOCK, RESPONSE};
use playdock_tests::{Response, in_postgres_too, parameters, with};
use serde_json::{Value, json};

in_postgres_too!(the_contracts_request_gives_the_contracts_response,);

const REQUEST: &str = r#"{"Username":"Admin","Site":"Security Operations","CommandParams":{"Incident Numbers":["20210127-198","20210127-197"],"Bypass Required Pending Tasks":"Yes","Bypass All Required Fields":"Yes","Username":"admin user","Conclusion":"The incident was closed in bulk."}}"#;

const NO_KEY: (u16, &str) = (401, r#"{"Error":"Invalid authentication key."}"#);
const NO_JSON: (u16, &str) =
    (400, r#"{"Error":"The body of the request must be a valid JSON object"}"#);

const NUMBERS: [&str; 2] = ["20210127-198", "20210127-197"];

#[test]
fn the_contracts_request_gives_the_contracts_response() {
    let playdock = closing_store(&NUMBERS);
    let key = playdock.key("d3", &[]);
    let served = playdock.serve(&[&CLOCK[..], &["--namespace", "MainApp/VSOC"]].concat());
    let path = "/MainApp/VSOC/api/Command/CloseIncidentInBulk";
    let response = served.post(path, &[("d3key", &key)], REQUEST);
    assert_eq!(response.said(), (200, RESPONSE));
    assert_eq!(response.header("content-type"), Some("application/json"));
    let id = response.header("playdock-execution-id").expect("it has an id");
    let journal = playdock.rows(
        "SELECT execution_id, mode, requested_by, acting_user, api_key.name
         FROM execution JOIN api_key ON api_key.id = execution.api_key",
    );
    assert_eq!(journal, [format!("{id}|automatic|Admin|admin user|d3")]);
}

#[test]
fn the_published_connectors_way_works_too() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("d3", &[]);
    let served = playdock.serve(&["--namespace", "MainApp/VSOC"]);
    let parameters = json!({
        "Incident Numbers": ["1"],
        "Bypass Required Pending Tasks": true,
        "Bypass All Required Fields": false,
    });
    let body =
        json!({"Username": "Admin", "Site": ["Security Operations"], "CommandParams": parameters});
    let path = "/mainapp/vsoc/api/command/closeincidentinbulk";
    let response = served.post(path, &[("d3key", &key)], &body.to_string());
    assert_eq!(outcome(&response), ("Successful".to_owned(), String::new()));
    // Without the inner Username, the account acts.
    assert_eq!(response.json()["contextData"][0]["Closed By"], "Admin");
}

#[test]
fn the_checks_come_in_the_contracts_order() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("d3", &[]);
    let served = playdock.serve(&["--max-body", "4KiB", "--rate", "0"]);
    let good = [("d3key", key.as_str())];
    let large = "x".repeat(5000);
    // Without a key, nothing else is said, whatever else is wrong.
    for headers in [&[][..], &[("d3key", "x")], &[("d3key", "")], &[("d3jwt", "a.b.c")]] {
        for (path, body) in [
            (CLOSE, closing(&["1"])),
            (CLOSE, large.clone()),
            ("/api/Command/Nothing", "no JSON".to_owned()),
        ] {
            assert_eq!(served.post(path, headers, &body).said(), NO_KEY, "{headers:?} {path}");
        }
    }
    // Two keys are none, a good one among them or not.
    for headers in [[good[0], good[0]], [good[0], ("d3jwt", "a.b.c")]] {
        assert_eq!(served.post(CLOSE, &headers, &closing(&["1"])).said(), NO_KEY);
    }
    let refused = served.post("/api/Command/Nothing", &good, &large);
    let too_large = r#"{"Error":"The body of the request must not have more than 4096 bytes."}"#;
    assert_eq!(refused.said(), (413, too_large));
    for body in ["", "{", "[]", "null", "\"x\"", "{}x", "\u{feff}{}"] {
        assert_eq!(served.post("/api/Command/Nothing", &good, body).said(), NO_JSON, "{body}");
    }
    let refused = served.post("/api/Command/Nothing", &good, "{}");
    assert_eq!(refused.said(), (400, r#"{"Error":"There is no command \"Nothing\"."}"#));
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM execution"), 0);
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn what_is_wrong_with_the_command_is_said_in_an_answer() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("d3", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let wrong = |body: &str, words: &str| {
        let response = served.post(CLOSE, &[("d3key", &key)], body);
        let answer = response.json();
        let members: Vec<&String> = answer.as_object().expect("it is an object").keys().collect();
        assert_eq!(members.len(), 4, "{response:?}");
        assert!(response.body.starts_with(r#"{"result":"","error":""#), "{response:?}");
        assert!(response.body.ends_with(r#","returnData":"Failed","contextData":[]}"#));
        let error = answer["error"].as_str().expect("it is text");
        assert!(error.contains(words), "{words}: {error}");
    };
    let closes = parameters(&["1"]);
    let asked = |username: &str, site: Value, parameters: &Value| {
        json!({"Username": username, "Site": site, "CommandParams": parameters}).to_string()
    };
    let here = || json!("Security Operations");
    wrong("{}", "\"Username\" is required");
    wrong(&asked("", here(), &closes), "\"Username\" is required");
    wrong(&asked("Admin", json!(["Security Operations", "Other"]), &closes), "must name one site");
    wrong(&asked("Admin", json!([]), &closes), "must name one site");
    wrong(&asked("Admin", here(), &json!([])), "\"CommandParams\" is required");
    wrong(
        &asked("Admin", json!("Nowhere"), &closes),
        "The user \"Admin\" has no access to the site \"Nowhere\".",
    );
    wrong(&asked("olga", here(), &closes), "\"olga\" has no access to the site");
    wrong(&asked("nobody", here(), &closes), "\"nobody\" has no access to the site");
    wrong(&asked("gone", here(), &closes), "\"gone\" is not active");
    let by = |username: &str| with(closes.clone(), "Username", json!(username));
    wrong(&asked("Admin", here(), &by("olga")), "\"olga\" has no access to the site");
    wrong(&asked("Admin", here(), &by("nobody")), "\"nobody\" has no access to the site");
    wrong(&asked("Admin", here(), &by("gone")), "\"gone\" is not active");
    wrong(&asked("Admin", here(), &with(closes.clone(), "Bypass", json!("No"))), "\"Bypass\"");
    wrong(
        &asked("Admin", here(), &with(closes.clone(), "Incident Numbers", json!(null))),
        "\"Incident Numbers\"",
    );
    wrong(&sleeping(&["1"]), "\"Attack\"");
    assert_eq!(playdock.rows("SELECT status FROM incident"), ["Open"]);
}

#[test]
fn more_requests_than_the_rate_are_refused_key_by_key() {
    let playdock = closing_store(&[]);
    let (one, other) = (playdock.key("one", &[]), playdock.key("other", &[]));
    let served = playdock.serve(&["--rate", "1"]);
    let nothing = body_in("Security Operations", &parameters::<&str>(&[]));
    let ask = |key: &str| served.post(CLOSE, &[("d3key", key)], &nothing);
    // At once: one after the other may take a second on a busy machine.
    let answers: Vec<Response> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| ask(&one))).collect();
        asking.into_iter().map(|asked| asked.join().expect("it is answered")).collect()
    });
    let refused = answers.iter().find(|response| response.status != 200);
    let refused = refused.expect("one is too many");
    let body = r#"{"Error":"The request exceeds rate limits or is otherwise blocked by rate limiting policies."}"#;
    assert_eq!(refused.said(), (429, body));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(ask(&other).status, 200);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(ask(&one).status, 200);
}
