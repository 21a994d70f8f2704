//! Loading whole documents, and giving them their variables.

use std::collections::BTreeMap;

use serde_json::json;

use super::fixture::{changed, document, loaded, refusal};
use super::{Playbook, PlaybookError};

fn supplied(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The sentences that the values are refused with.
fn input_error(playbook: &Playbook, values: &[(&str, &str)]) -> String {
    playbook.prepare(&supplied(values)).unwrap_err().to_string()
}

#[test]
fn text_that_is_not_json_is_refused_with_its_line() {
    let error = Playbook::load(b"{\n  oops").unwrap_err();
    assert!(matches!(error, PlaybookError::NotJson(_)));
    assert_eq!(
        error.to_string(),
        "the playbook isn't valid JSON: key must be a string at line 2 column 3"
    );
}

#[test]
fn another_version_or_kind_of_document_is_refused_in_one_sentence() {
    assert_eq!(
        refusal(&[("/spec_version", "cacao-1.1".into()), ("/name", json!(null))]),
        [
            "at /spec_version: `spec_version` is \"cacao-1.1\", but only \"cacao-2.0\" is executed here"
        ]
    );
    assert_eq!(
        refusal(&[("/type", "bundle".into())]),
        ["at /type: `type` is \"bundle\", but only \"playbook\" is executed here"]
    );
    let error = Playbook::load(b"[]").unwrap_err().to_string();
    assert_eq!(error, "in the playbook itself: a playbook is a JSON object");
}

#[test]
fn all_problems_are_reported_together() {
    let document = changed(&[
        ("/workflow/action--2/agent", "soar-utility--9".into()),
        ("/workflow/end--3", json!({"type": "end"})),
    ]);
    let error = Playbook::load(document.to_string().as_bytes()).unwrap_err().to_string();
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines[0], "2 things are wrong with the playbook:");
    assert!(lines[1].starts_with("at /workflow/action--2/agent: "), "{error}");
    assert!(lines[2].starts_with("at /workflow/end--3: "), "{error}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn members_that_the_standard_does_not_have_are_refused() {
    let unknown = "isn't a member that CACAO 2.0 has here; remove it or correct its name";
    assert_eq!(
        refusal(&[
            ("/banana", 1.into()),
            ("/workflow/action--2/on_failur", "end--2".into()),
            ("/playbook_variables/__team__/constnat", true.into()),
        ]),
        // In the order in which they stand in the document.
        [
            format!("at /playbook_variables/__team__/constnat: `constnat` {unknown}"),
            format!("at /workflow/action--2/on_failur: `on_failur` {unknown}"),
            format!("at /banana: `banana` {unknown}"),
        ]
    );
}

#[test]
fn a_vendor_may_add_members_where_the_vocabulary_is_open() {
    loaded(&[("/agent_definitions/soar-utility--1/queue", "fast".into())]);
}

#[test]
fn a_step_id_that_stands_twice_is_refused() {
    let text = document().to_string();
    let twice = text.replacen("\"workflow\":{", "\"workflow\":{\"end--1\":{\"type\":\"end\"},", 1);
    assert_eq!(
        Playbook::load(twice.as_bytes()).unwrap_err().to_string(),
        "at /workflow/end--1: `end--1` stands here twice; remove or rename one of the two"
    );
}

#[test]
fn a_caller_sets_external_variables_only() {
    let playbook = loaded(&[]);
    playbook.prepare(&supplied(&[("__count__", "4"), ("__numbers__", "[]")])).unwrap();
    for name in ["__closed__", "__team__", "__nobody__", "count"] {
        assert_eq!(
            input_error(&playbook, &[(name, "4")]),
            format!(
                "variable `{name}` can't be set; those that can are `__count__`, `__numbers__`"
            )
        );
    }
    let external_constant =
        json!({"type": "string", "value": "x", "external": true, "constant": true});
    let playbook = loaded(&[("/playbook_variables/__fixed__", external_constant)]);
    assert!(input_error(&playbook, &[("__fixed__", "y")]).contains("can't be set"));
}

#[test]
fn an_external_variable_without_a_value_is_missing_and_an_empty_one_is_not() {
    let playbook = loaded(&[
        ("/playbook_variables/__who__", json!({"type": "string", "external": true})),
        ("/playbook_variables/__why__", json!({"type": "string", "external": true, "value": ""})),
    ]);
    assert_eq!(
        input_error(&playbook, &[]),
        "variable `__who__` has no value; give it one with `--set __who__=value`"
    );
    playbook.prepare(&supplied(&[("__who__", "")])).unwrap();
}

#[test]
fn supplied_values_are_of_the_variables_types() {
    let cases = [
        ("bool", "TRUE", "yes", "`true` or `false`"),
        ("dictionary", "{}", "5", "the JSON text of an object or a list"),
        ("float", "-1.5", "inf", "a number"),
        ("hexstring", "0aF1", "0aF", "pairs of hexadecimal digits"),
        ("integer", "-3", "1.5", "a whole number"),
        ("ipv4-addr", "10.0.0.0/8", "10.0.0", "an IPv4 address, with or without a /prefix"),
        ("ipv6-addr", "2001:db8::1", "::/129", "an IPv6 address, with or without a /prefix"),
        ("long", "9000000000", "", "a whole number"),
        (
            "mac-addr",
            "00:1b:44:11:3a:b7",
            "00:1b",
            "six pairs of hexadecimal digits with colons between them",
        ),
        ("hash", "abc", "xyz", "hexadecimal digits"),
        ("md5-hash", "d41d8cd98f00b204e9800998ecf8427e", "d41d", "32 hexadecimal digits"),
        ("sha256-hash", &"a".repeat(64), "a", "64 hexadecimal digits"),
        (
            "uri",
            "https://example.com/x",
            "example",
            "a URI with its scheme, such as https://example.com",
        ),
        ("uuid", "61a6c41e-6efc-4516-a242-dfbc5c89d562", "61a6", "a UUID"),
    ];
    for (variable_type, good, bad, expected) in cases {
        let variable = json!({"type": variable_type, "external": true});
        let playbook = loaded(&[("/playbook_variables/__x__", variable)]);
        playbook.prepare(&supplied(&[("__x__", good)])).unwrap();
        assert_eq!(
            input_error(&playbook, &[("__x__", bad)]),
            format!(
                "variable `__x__` can't take this value: \"{bad}\" isn't of type {variable_type} \
                 ({expected})"
            )
        );
    }
}
