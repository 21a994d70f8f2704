//! A key of one site learns nothing of another: not whether a site, a user, an incident, a command
//! or an execution is there.

use super::{CLOSE, SITES_AND_USERS, body_in, closing_store, outcome};
use playdock_tests::{incident, parameters, with};
use serde_json::{Value, json};

#[test]
fn what_another_site_has_is_as_what_is_not_there() {
    let playdock = closing_store(&["mine"]);
    let theirs = incident("theirs", json!({"site": "Other"}));
    playdock.import(&format!("{SITES_AND_USERS}{theirs}"));
    let key = playdock.key("soc", &["--site", "Security Operations"]);
    let any = playdock.key("any", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    // What is said must be the same but for the name that was asked for.
    let same = |ask: &dyn Fn(&str) -> (u16, String), there: &str, nowhere: &str| {
        let (one, other) = (ask(there), ask(nowhere));
        assert_eq!((one.0, one.1.replace(there, nowhere)), other);
    };
    let say = |key: &str, body: &str| {
        let response = served.post(CLOSE, &[("d3key", key)], body);
        (response.status, response.body)
    };
    let closes = parameters(&["theirs"]);
    let by = |username: &str| with(closes.clone(), "Username", json!(username));
    let here = "Security Operations";

    // Incidents.
    same(&|number| say(&key, &body_in(here, &parameters(&[number]))), "theirs", "nothing");
    // Sites, also with a user who works there.
    same(&|site| say(&key, &body_in(site, &closes)), "Other", "Nowhere");
    same(&|site| say(&key, &body_in(site, &by("jane"))), "Other", "Nowhere");
    same(&|site| say(&any, &body_in(site, &closes)), "Other", "Nowhere");
    // Users: of the other site, active or not.
    for username in ["olga", "gone from other"] {
        same(&|username| say(&key, &body_in(here, &by(username))), username, "nobody");
        let account = |username: &str| {
            let asked: Value =
                json!({"Username": username, "Site": here, "CommandParams": closes.clone()});
            say(&key, &asked.to_string())
        };
        same(&account, username, "nobody");
    }
    // Executions and what another client calls its own.
    let own = [("d3key", any.as_str()), ("Idempotency-Key", "shared")];
    let by_jane = body_in("Other", &by("jane")).replace("\"Admin\"", "\"jane\"");
    let theirs = served.post(CLOSE, &own, &by_jane);
    assert_eq!(outcome(&theirs).0, "Successful");
    let id = theirs.header("playdock-execution-id").expect("it has an id").to_owned();
    let show = |id: &str| {
        let shown = served.get(&format!("/api/executions/{id}"), &[("d3key", &key)]);
        (shown.status, shown.body)
    };
    same(&show, &id, "00000000-0000-0000-0000-000000000000");
    let own = [("d3key", key.as_str()), ("Idempotency-Key", "shared")];
    let mine = served.post(CLOSE, &own, &body_in(here, &parameters(&["mine"])));
    assert_eq!(outcome(&mine).0, "Successful");
    assert_ne!(mine.header("playdock-execution-id"), Some(id.as_str()));
}
