//! Text that would do something where it is shown: scripts for a browser, escapes for a terminal.

use playdock_tests::{Finished, Playdock, SITE_AND_USER, outcomes, parameters, with};
use serde_json::{Value, json};

const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=\"y\"> &lt; & ';--";

/// What is left of a table without the tags that belong to it.
fn without_tags(result: &str) -> String {
    let mut text = result.to_owned();
    for tag in
        ["<table class='cc-table'>", "</table>", "<tr>", "</tr>", "<th>", "</th>", "<td>", "</td>"]
    {
        text = text.replace(tag, "");
    }
    text
}

#[track_caller]
fn assert_escaped(finished: &Finished) {
    let result = finished.answer()["result"].as_str().expect("result is text").to_owned();
    let text = without_tags(&result);
    assert!(!text.contains(['<', '>', '"', '\'']), "{text}");
    let ampersands = text.matches('&').count();
    let entities = ["&lt;", "&gt;", "&quot;", "&#39;", "&amp;"];
    let written: usize = entities.iter().map(|it| text.matches(it).count()).sum();
    assert_eq!(written, ampersands, "{text}");
    // What was escaped already is escaped once more, and so is shown as it was given.
    assert!(
        !text.contains("script") || text.contains("&lt;script&gt;alert(&#39;x&#39;)"),
        "{text}"
    );
}

/// A store in which every name is hostile.
fn hostile_store() -> Playdock {
    let playdock = Playdock::new();
    let blocked = json!({
        "kind": "incident", "number": format!("{HOSTILE} blocked"), "site": HOSTILE,
        "tasks": [{"title": HOSTILE, "required": true, "status": HOSTILE}],
        "fields": [{"section": HOSTILE, "name": HOSTILE, "required_on_close": true}]
    });
    let lines = [
        json!({"kind": "site", "name": HOSTILE}),
        json!({"kind": "user", "username": HOSTILE, "sites": [HOSTILE]}),
        json!({"kind": "incident", "number": HOSTILE, "site": HOSTILE}),
        json!({"kind": "incident", "number": "refused", "site": HOSTILE}),
        json!({"kind": "incident", "number": "done", "site": HOSTILE, "status": "Closed",
            "closed_by": HOSTILE, "title": HOSTILE, "owner": HOSTILE}),
        blocked,
    ];
    playdock.import(&lines.map(|line| format!("{line}\n")).concat());
    playdock.write(
        "CREATE TRIGGER refuse BEFORE UPDATE ON incident WHEN NEW.number = 'refused'
         BEGIN SELECT RAISE(ABORT, '<script>alert(1)</script>'); END",
    );
    playdock
}

#[test]
fn no_script_reaches_the_table_wherever_it_stands() {
    let playdock = hostile_store();
    let blocked = format!("{HOSTILE} blocked");
    let numbers = [HOSTILE, "refused", "done", &blocked, "<b>missing</b>"];
    let hostile = with(parameters(&numbers), "Username", json!(HOSTILE));
    let hostile = with(hostile, "Conclusion", json!(HOSTILE));
    let arguments = ["invoke", "CloseIncidentInBulk", "--params", "-", "--output", "json"];
    let arguments = [&arguments[..], &["--site", HOSTILE]].concat();
    let finished = playdock.run_with_input(&arguments, hostile.to_string().as_bytes());
    assert_eq!(finished.code, Some(3), "{finished:?}");
    let said = [
        (HOSTILE, "Successful"),
        ("refused", "store-error"),
        ("done", "already-closed"),
        (&blocked, "required-tasks-and-fields"),
        ("<b>missing</b>", "not-found"),
    ];
    // As data they are as they were given.
    assert_eq!(finished.outcomes(), outcomes(&said));
    assert_eq!(finished.rows()[0]["Closed By"], HOSTILE);
    assert_escaped(&finished);

    let conclusion: String =
        playdock.value("SELECT conclusion FROM incident WHERE closed_in IS NOT NULL");
    let text = conclusion.replacen("<p>", "", 1).replacen("</p>", "", 1);
    assert!(!text.contains(['<', '>', '"', '\'']), "{conclusion}");

    // Nor does one reach the answers that fail as a whole.
    for wrong in [
        with(hostile.clone(), "Username", json!("<b>nobody</b>")),
        with(hostile.clone(), HOSTILE, json!(1)),
        with(hostile, "Bypass Required Pending Tasks", json!(HOSTILE)),
    ] {
        let finished = playdock.run_with_input(&arguments, wrong.to_string().as_bytes());
        assert_eq!(finished.answer()["result"], "", "{finished:?}");
    }
}

#[test]
fn nothing_that_moves_the_cursor_reaches_a_terminal() {
    let escape = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\u{9b}31m\u{202e}gnp.exe\u{2066}";
    let playdock = Playdock::new();
    let tasks = json!([{"title": escape, "required": true, "status": escape}]);
    let fields = json!([{"section": escape, "name": escape, "required_on_close": true}]);
    let number = format!("1{escape}");
    let line = json!({"kind": "incident", "number": number, "site": "Security Operations",
        "title": escape, "owner": escape, "severity": escape, "type": escape,
        "conclusion": escape, "tasks": tasks, "fields": fields});
    playdock.import(&format!("{SITE_AND_USER}{line}\n"));
    let parameters = with(parameters(&[number.as_str(), escape]), "Conclusion", json!(escape));
    let mut invoke = vec!["invoke", "CloseIncidentInBulk", "--params", "-"];
    invoke.extend(["--site", "Security Operations", "--execution-id", "nightly-1"]);
    let input = parameters.to_string();
    let unknown = with(parameters, escape, Value::Null).to_string();
    let runs = [
        playdock.run_with_input(&invoke, input.as_bytes()),
        playdock.run_with_input(&invoke[..6], unknown.as_bytes()),
        playdock.run(&["incidents", "list"]),
        playdock.run(&["incidents", "show", &number]),
        playdock.run(&["incidents", "show", escape]),
        playdock.run(&["executions", "list"]),
        playdock.run(&["executions", "show", "nightly-1"]),
        playdock.run(&["executions", "show", escape]),
    ];
    for finished in runs {
        assert!(finished.output.len() + finished.errors.len() > 10, "{finished:?}");
        for text in [&finished.output, &finished.errors] {
            let moves = |character: char| {
                character.is_control() && character != '\n'
                    || ('\u{202a}'..='\u{202e}').contains(&character)
                    || ('\u{2066}'..='\u{2069}').contains(&character)
            };
            assert!(!text.contains(moves), "{text:?}");
        }
    }
}
