//! What the server says of itself: the catalogue, the OpenAPI page, health, metrics, the log.

use super::{CLOSE, closing, closing_store, store};
use playdock_tests::Served;
use serde_json::Value;

fn get(served: &Served, path: &str, key: &str) -> Value {
    let response = served.get(path, &[("d3key", key)]);
    assert_eq!(response.status, 200, "{response:?}");
    response.json()
}

/// Follows every reference of a document, each of which must lead somewhere.
fn check_references(document: &Value, part: &Value, seen: &mut usize) {
    match part {
        Value::Object(members) => {
            for (name, member) in members {
                if let (Value::String(target), "$ref") = (member, name.as_str()) {
                    let pointer = target.strip_prefix('#').expect("it stays in the document");
                    assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
                    *seen += 1;
                }
                check_references(document, member, seen);
            }
        }
        Value::Array(elements) => {
            elements.iter().for_each(|element| check_references(document, element, seen));
        }
        _ => {}
    }
}

#[test]
fn the_catalogue_and_the_openapi_page_have_what_the_key_may_run() {
    let playdock = store(&["close_incident_in_bulk", "misbehaving"], &[]);
    let key = playdock.key("any", &[]);
    let limited = playdock.key("limited", &["--command", "closeincidentinbulk"]);
    let served = playdock.serve(&["--rate", "0", "--namespace", "MainApp/VSOC"]);
    for path in ["/openapi.json", "/MainApp/VSOC/api/Commands"] {
        assert_eq!(served.get(path, &[]).status, 401, "{path}");
    }
    let catalogue = get(&served, "/MainApp/VSOC/api/Commands", &key);
    assert!(catalogue["commands"].as_array().is_some_and(|commands| commands.len() > 10));
    let catalogue = get(&served, "/MainApp/VSOC/api/Commands", &limited);
    let commands = catalogue["commands"].as_array().expect("it is a list");
    assert_eq!(commands.len(), 1);
    assert_eq!(commands[0]["name"], "CloseIncidentInBulk");
    assert_eq!(commands[0]["title"], "Close Incidents In Bulk");
    assert!(commands[0]["parameters"]["properties"]["Incident Numbers"].is_object());

    let document = get(&served, "/openapi.json", &key);
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = 0;
    check_references(&document, &document, &mut references);
    assert!(references > 50, "{references}");
    let document = get(&served, "/openapi.json", &limited);
    let paths = document["paths"].as_object().expect("it has paths");
    let commands: Vec<&String> = paths.keys().filter(|path| path.contains("/Command/")).collect();
    assert_eq!(commands, ["/MainApp/VSOC/api/Command/CloseIncidentInBulk"]);
}

#[test]
fn health_and_metrics_are_told_without_a_key_and_apart() {
    let playdock = closing_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0", "--metrics", "127.0.0.1:0"]);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(served.get(path, &[]).said(), (200, "ok"));
    }
    assert_eq!(served.get("/metrics", &[("d3key", &key)]).status, 404);
    assert_eq!(served.post(CLOSE, &[("d3key", &key)], &closing(&["1", "2", "3"])).status, 200);
    assert_eq!(served.post(CLOSE, &[("d3key", &key)], &closing(&["1"])).status, 200);
    let url = format!("http://{}/metrics", served.metrics());
    let mut page = ureq::get(url).call().expect("there are metrics");
    let page = page.body_mut().read_to_string().expect("it is text");
    for line in [
        r#"playdock_requests_total{route="command",status="200"} 2"#,
        r#"playdock_executions_total{command="CloseIncidentInBulk",outcome="Partially Successful"} 1"#,
        r#"playdock_incidents_total{command="CloseIncidentInBulk",outcome="done"} 2"#,
        r#"playdock_incidents_total{command="CloseIncidentInBulk",outcome="unchanged"} 1"#,
        r#"playdock_incidents_total{command="CloseIncidentInBulk",outcome="failed"} 1"#,
        r#"playdock_request_duration_seconds_count{route="command"} 2"#,
        "playdock_worker_restarts_total 0",
    ] {
        assert!(page.lines().any(|known| known == line), "{line} is not in {page}");
    }
}

#[cfg(unix)]
#[test]
fn the_log_has_a_line_a_request_and_no_secret() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("the key", &[]);
    let mut served = playdock.serve(&["--rate", "0"]);
    let response = served.post(CLOSE, &[("d3key", &key)], &closing(&["1"]));
    let line = served.line(|line| line.starts_with('{'));
    let line: Value = serde_json::from_str(&line).expect("it is JSON");
    assert_eq!((&line["key"], &line["status"]), (&"the key".into(), &200.into()));
    assert_eq!((&line["method"], &line["path"]), (&"POST".into(), &CLOSE.into()));
    let id = response.header("playdock-execution-id");
    assert_eq!(line["execution"].as_str(), id);
    assert!(
        line["milliseconds"].is_number() && line["time"].is_string() && line["remote"].is_string()
    );
    let wrong = format!("{key}x");
    served.post("/api/Command/X?secret=1", &[("d3key", &wrong)], "a body");
    served.signal("TERM");
    let errors = served.wait().errors;
    assert!(errors.contains("/api/Command/X\""), "{errors}");
    for hidden in ["pdk_", "a body", "secret=1"] {
        assert!(!errors.contains(hidden), "{errors}");
    }
}

#[test]
fn without_tls_it_listens_where_nobody_else_comes_unless_it_is_told_to() {
    let playdock = closing_store(&[]);
    for arguments in [["--listen", "0.0.0.0:0"], ["--metrics", "0.0.0.0:0"]] {
        let refused = playdock.run(&[&["serve"], &arguments[..]].concat());
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.errors.contains("--plain-http"), "{refused:?}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address").to_string();
    let refused = playdock.run(&["serve", "--listen", &address]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.errors.contains("can't listen at"), "{refused:?}");
}
