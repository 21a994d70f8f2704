//! A key of one site learns nothing of another: not whether a site, a user, an incident, a command
//! or an execution is there.

use super::{
    ATTACK, CLOSE, SITES_AND_USERS, attacked_store, body_in, closing_store, outcome, sleeping,
    start_sleeping,
};
use playdock_tests::{in_postgres_too, incident, parameters, with};
use serde_json::{Value, json};

in_postgres_too!(
    what_another_site_has_is_as_what_is_not_there,
    an_execution_of_another_key_is_out_of_reach_also_for_who_guesses_its_id,
);

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

#[test]
fn no_spelling_of_a_site_or_a_user_gets_around_a_key() {
    let playdock = closing_store(&["mine"]);
    let theirs = incident("theirs", json!({"site": "Other"}));
    playdock.import(&format!("{SITES_AND_USERS}{theirs}"));
    let key = playdock.key("soc", &["--site", "Security Operations"]);
    let served = playdock.serve(&["--rate", "0"]);
    let here = "Security Operations";
    // What is said is the same for a site and a user that aren't anywhere, but for their names.
    let said = |template: &Value, name: &str, nowhere: &str| {
        let ask = |used: &str| {
            let body = template.to_string().replace("NAME", used);
            let response = served.post(CLOSE, &[("d3key", &key)], &body);
            assert_ne!(outcome(&response).0, "Successful", "{body}: {response:?}");
            response.body.replace(used, "NAME")
        };
        assert_eq!(ask(name), ask(nowhere), "{template}");
    };
    let asked = |site: Value, username: Value, inner: Value| {
        let closes = with(parameters(&["theirs"]), "Username", inner);
        json!({"Username": username, "Site": site, "CommandParams": closes})
    };
    let sites = [
        json!("NAME"),
        json!(["NAME"]),
        json!([here, "NAME"]),
        json!(["NAME", here]),
        json!([["NAME"]]),
        json!({"name": "NAME"}),
        json!(" NAME"),
        json!("NAME "),
        json!("NAME\u{0}"),
        json!(format!("{here}\u{0}NAME")),
        json!(format!("{here},NAME")),
        json!(format!("{here}' OR name = 'NAME")),
    ];
    for site in sites {
        for user in ["jane", "olga", "Admin"] {
            let template = asked(site.clone(), json!(user), json!(user));
            for spelling in ["Other", "other", "OTHER", "\u{ff2f}ther"] {
                said(&template, spelling, "Nowhere");
            }
        }
    }
    let users = [
        asked(json!(here), json!("Admin"), json!("NAME")),
        asked(json!(here), json!("NAME"), json!("admin user")),
        asked(json!(here), json!("NAME"), json!("NAME")),
        asked(json!(here), json!("NAME"), Value::Null),
        asked(json!(here), json!("NAME"), json!("")),
        asked(json!(here), json!("Admin"), json!(["NAME"])),
        asked(json!(here), json!(["NAME"]), json!("admin user")),
        asked(json!([here]), json!("NAME "), json!("NAME ")),
    ];
    for template in users {
        for spelling in ["olga", "OLGA", "gone from other"] {
            said(&template, spelling, "nobody");
        }
    }
    let state = "SELECT status FROM incident WHERE number = 'theirs'";
    assert_eq!(playdock.rows(state), ["Open"]);
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM audit"), 0);
}

#[test]
fn what_can_be_listed_says_nothing_of_another_site() {
    let playdock = closing_store(&["mine"]);
    let key = playdock.key("soc", &["--site", "Security Operations"]);
    let paths = ["/api/Commands", "/openapi.json", "/healthz", "/readyz", "/metrics", "/nothing"];
    let listed = || {
        let served = playdock.serve(&["--rate", "0"]);
        paths.map(|path| {
            let response = served.get(path, &[("d3key", &key)]);
            (response.status, response.body)
        })
    };
    let before = listed();
    let theirs = incident("theirs", json!({"site": "A third one"}));
    let site = r#"{"kind":"site","name":"A third one","time_zone":"UTC"}"#;
    let user = r#"{"kind":"user","username":"terry","sites":["A third one"]}"#;
    playdock.import(&format!("{site}\n{user}\n{theirs}"));
    playdock.key("of the third", &["--site", "A third one", "--user", "terry"]);
    assert_eq!(listed(), before);
}

#[test]
fn an_execution_of_another_key_is_out_of_reach_also_for_who_guesses_its_id() {
    let playdock = attacked_store(&["1", "2"]);
    let (key, theirs) = (playdock.key("mine", &[]), playdock.key("theirs", &[]));
    let served = playdock.serve(&["--rate", "0"]);
    let own = [("Idempotency-Key", "shared")];
    let location = start_sleeping(&served, &theirs, &own, &["1", "2"]);
    let id = location.rsplit('/').next().expect("it ends in the id");
    // An id under an Idempotency-Key can be reckoned by who knows the public half of the API key.
    let public = theirs.split('_').nth(1).expect("it has a public half");
    let reckoned = ring::digest::digest(
        &ring::digest::SHA256,
        format!("{public}\0Attacks\0shared").as_bytes(),
    );
    let hexadecimal: String =
        reckoned.as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(id.replace('-', "")[..12], hexadecimal, "{id}");

    let (mine, none) = ([("d3key", key.as_str())], "/api/executions/none");
    for path in
        [location.clone(), location.to_uppercase().replace("/API/EXECUTIONS", "/api/executions")]
    {
        let (shown, nothing) = (served.get(&path, &mine), served.get(none, &mine));
        assert_eq!(shown.said(), nothing.said());
        assert_eq!(shown.header("playdock-execution-id"), None);
        let (cancelled, nothing) = (served.delete(&path, &mine), served.delete(none, &mine));
        assert_eq!(cancelled.said(), nothing.said());
    }
    // No Idempotency-Key of mine leads to it: neither the same, nor one made of its parts.
    let crafted = [
        "shared".to_owned(),
        id.to_owned(),
        public.to_owned(),
        format!("{public} Attacks shared"),
        format!("{public}\\0Attacks\\0shared"),
        theirs.split('_').take(2).collect::<Vec<_>>().join("_"),
    ];
    for crafted in &crafted {
        let headers =
            [("d3key", key.as_str()), ("Idempotency-Key", crafted), ("Prefer", "respond-async")];
        // It does nothing but read a file, which fails.
        let reads = sleeping(&["2"]).replace("sleep", "read a file");
        let response = served.post(ATTACK, &headers, &reads);
        assert!([200, 202].contains(&response.status), "{response:?}");
        assert!(!response.body.contains("was used before"), "{response:?}");
        let begun = response.header("playdock-execution-id").expect("it has an id");
        assert_ne!(begun, id);
    }
    // It still runs, untouched.
    let shown = served.get(&location, &[("d3key", &theirs)]);
    assert_eq!((shown.status, shown.json()["state"].as_str()), (200, Some("running")));
}
