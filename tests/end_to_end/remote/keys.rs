//! What a key may do, and until when.

use super::{CLOSE, SITES_AND_USERS, ask_until, body, body_in, closing, closing_store, outcome};
use playdock_tests::{PATIENCE, in_postgres_too, incident, parameters, with};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::time::Instant;

in_postgres_too!(
    a_key_does_no_more_than_it_was_made_for,
    a_key_that_is_made_or_revoked_while_the_server_runs_counts,
    the_last_use_of_a_key_that_is_revoked_at_once_is_noted,
);

#[test]
fn a_key_does_no_more_than_it_was_made_for() {
    let playdock = closing_store(&["1", "2", "3"]);
    playdock.import(&format!("{SITES_AND_USERS}{}", incident("4", json!({"site": "Other"}))));
    let of_site = playdock.key("of a site", &["--site", "Security Operations"]);
    let of_users = playdock.key("of users", &["--user", "jane", "--user", "Admin"]);
    let of_command = playdock.key("of a command", &["--command", "SomethingElse"]);
    let served = playdock.serve(&["--rate", "0"]);
    let ask = |key: &str, body: &str| served.post(CLOSE, &[("d3key", key)], body);

    assert_eq!(outcome(&ask(&of_site, &closing(&["1"]))).0, "Successful");
    for site in ["Other", "Nowhere"] {
        let by_jane = with(parameters(&["4"]), "Username", json!("jane"));
        let (result, error) = outcome(&ask(&of_site, &body_in(site, &by_jane)));
        assert_eq!(result, "Failed");
        assert_eq!(error, format!("The API key has no access to the site \"{site}\"."));
    }

    let by = |username: &str| body(&with(parameters(&["2"]), "Username", json!(username)));
    for username in ["admin user", "nobody", "olga"] {
        let (result, error) = outcome(&ask(&of_users, &by(username)));
        assert_eq!(result, "Failed");
        assert_eq!(error, format!("The API key may not act as the user \"{username}\"."));
    }
    assert_eq!(outcome(&ask(&of_users, &by("jane"))).0, "Successful");

    // As if there were no such command.
    let refused = ask(&of_command, &closing(&["3"]));
    let body = r#"{"Error":"There is no command \"CloseIncidentInBulk\"."}"#;
    assert_eq!(refused.said(), (400, body));
    let listed = served.get("/api/Commands", &[("d3key", &of_command)]);
    assert_eq!(listed.said(), (200, r#"{"commands":[]}"#));

    let open = playdock.rows("SELECT number FROM incident WHERE status = 'Open' ORDER BY number");
    assert_eq!(open, ["3", "4"]);
}

#[test]
fn a_key_that_is_made_or_revoked_while_the_server_runs_counts() {
    let playdock = closing_store(&["1"]);
    let served = playdock.serve(&["--rate", "0"]);
    let key = playdock.key("new", &[]);
    let ask = || served.get("/api/Commands", &[("d3key", &key)]);
    // At once, also where the store was read for another just before.
    for name in ["a", "b", "c"] {
        let another = playdock.key(name, &[]);
        assert_eq!(served.get("/api/Commands", &[("d3key", &another)]).status, 200, "{name}");
    }
    assert_eq!(ask().status, 200);

    let again = playdock.run(&["keys", "create", "new"]);
    assert_eq!(again.code, Some(2));
    assert!(again.errors.contains("there is a key \"new\" already"), "{again:?}");

    let misspelt = playdock.run(&["keys", "create", "d", "--command", "CloseIncidentInBlk"]);
    assert_eq!(misspelt.code, Some(0));
    let errors = "WARN: playdock: no plugin here has the command CloseIncidentInBlk\n";
    assert_eq!(misspelt.errors, errors);

    assert_eq!(playdock.run(&["keys", "revoke", "new"]).code, Some(0));
    ask_until(ask, |response| response.status == 401);
    let revoked = playdock.run(&["keys", "revoke", "new"]);
    assert_eq!(revoked.code, Some(2));
    assert!(revoked.errors.contains("the key \"new\" is revoked already"), "{revoked:?}");
    let unknown = playdock.run(&["keys", "revoke", "news"]);
    assert!(unknown.errors.contains("there is no key \"news\""), "{unknown:?}");
    // The name is free again, for another key.
    assert_ne!(playdock.key("new", &[]), key);
    assert_eq!(ask().status, 401);
}

#[test]
fn the_last_use_of_a_key_that_is_revoked_at_once_is_noted() {
    let playdock = closing_store(&[]);
    let key = playdock.key("leaked", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let ask = || served.get("/api/Commands", &[("d3key", &key)]);
    assert_eq!(ask().status, 200);
    assert_eq!(playdock.run(&["keys", "revoke", "leaked"]).code, Some(0));
    ask_until(ask, |response| response.status == 401);
    let end = Instant::now() + PATIENCE;
    while playdock.run(&["keys", "list", "--output", "json"]).answer()[0]["last_used_at"].is_null()
    {
        assert!(Instant::now() < end, "it was not noted");
    }
}

#[test]
fn a_key_that_is_revoked_while_its_body_comes_closes_nothing() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("leaked", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let body = closing(&["1"]);
    let mut pending = served.connect();
    let head = format!(
        "POST {CLOSE} HTTP/1.1\r\nHost: a\r\nd3key: {key}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    pending.write_all(head.as_bytes()).expect("it can be sent");
    pending.write_all(&body.as_bytes()[..20]).expect("it can be sent");
    let admitted = || served.get("/api/Commands", &[("d3key", &key)]);
    assert_eq!(admitted().status, 200);
    assert_eq!(playdock.run(&["keys", "revoke", "leaked"]).code, Some(0));
    ask_until(admitted, |response| response.status == 401);
    pending.write_all(&body.as_bytes()[20..]).expect("it can be sent");
    let mut said = String::new();
    pending.read_to_string(&mut said).expect("it is answered");
    assert!(said.starts_with("HTTP/1.1 401 "), "{said}");
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM execution"), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_key_that_could_not_be_shown_is_not_kept() {
    let playdock = closing_store(&[]);
    let mut command = playdock.command(&["keys", "create", "soc"]);
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = command.stdout(full).output().expect("the program runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("the key \"soc\" was revoked"), "{errors}");
    assert!(!playdock.key("soc", &[]).is_empty());
}

#[test]
fn a_key_expires() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("short", &["--expires", "90d"]);
    let served = playdock.serve(&["--rate", "0"]);
    let ask = || served.get("/api/Commands", &[("d3key", &key)]);
    assert_eq!(ask().status, 200);
    drop(served);
    playdock.write("UPDATE api_key SET expires_at = 1");
    let served = playdock.serve(&["--rate", "0"]);
    assert_eq!(served.get("/api/Commands", &[("d3key", &key)]).status, 401);
    let listed = playdock.run(&["keys", "list", "--output", "json"]).answer();
    assert_eq!(listed[0]["state"], "expired");
}

#[cfg(unix)]
#[test]
fn the_list_says_what_keys_may_do_and_when_they_were_used() {
    let playdock = closing_store(&[]);
    let key = playdock.key("soc", &["--site", "Other", "--user", "jane", "--command", "X"]);
    let mut served = playdock.serve(&[]);
    assert_eq!(served.get("/api/Commands", &[("d3key", &key)]).status, 200);
    served.signal("TERM");
    assert_eq!(served.wait().code, Some(0));
    let listed = playdock.run(&["keys", "list", "--output", "json"]).answer();
    let listed = &listed[0];
    assert_eq!(
        (&listed["name"], &listed["commands"], &listed["sites"], &listed["users"]),
        (&json!("soc"), &json!(["X"]), &json!(["Other"]), &json!(["jane"]))
    );
    assert!(listed["last_used_at"].is_string(), "{listed}");
    // Neither the list nor the store has the secret.
    let secret = &key[key.len() - 43..];
    assert!(!listed.to_string().contains(secret));
    assert!(!playdock.dump().join("\n").contains(secret));
    let file = std::fs::read(playdock.folder().join("playdock.db")).expect("it can be read");
    assert!(!file.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
}

#[test]
fn a_key_is_not_limited_to_what_is_not_there() {
    let playdock = closing_store(&[]);
    for (arguments, words) in [
        (["--site", "Nowhere"], "there is no site \"Nowhere\""),
        (["--user", "nobody"], "there is no user \"nobody\""),
        (["--expires", "0d"], "write a time from now"),
    ] {
        let finished = playdock.run(&[&["keys", "create", "a"], &arguments[..]].concat());
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.errors.contains(words), "{finished:?}");
        assert_eq!(finished.output, "");
    }
    let listed = playdock.run(&["keys", "list", "--output", "json"]).answer();
    assert_eq!(listed, Value::Array(Vec::new()));
}
