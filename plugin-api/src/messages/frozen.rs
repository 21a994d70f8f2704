//! Version 1 of the messages is frozen: their schemas are held against those that were frozen, and
//! the bytes that were frozen are read.

use super::*;
use crate::incident::Status;
use crate::{ColumnKind, Example, Intent, Mode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;

/// What to do where this fails.
const WHAT_TO_DO: &str = "the messages of version 1 are frozen, and plugins that were built before \
    depend on them: take the change back; or, where it only adds what the rustdoc of \
    playdock_plugin_api::messages lets be added, set PLAYDOCK_FREEZE=1, run this test once, and \
    look at the difference in src/messages/frozen.json";

/// Any text, of which some is known.
impl JsonSchema for Status {
    fn schema_name() -> Cow<'static, str> {
        "Status".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "examples": ["Open", "In Progress", "On Hold", "Closed"]
        })
    }
}

/// Takes out what is for people.
fn without_words(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.retain(|name, value| !(name == "description" && value.is_string()));
            members.values_mut().for_each(without_words);
        }
        Value::Array(elements) => elements.iter_mut().for_each(without_words),
        _ => {}
    }
}

fn schema<T: JsonSchema>() -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    without_words(&mut schema);
    schema
}

#[test]
fn the_messages_are_what_they_always_were() {
    let now = json!({
        "Request": schema::<Request<'_>>(),
        "Response": schema::<Response>(),
        "Call": schema::<Call<'_>>(),
        "Reply": schema::<Reply>(),
        "Example": schema::<Example>(),
        "understood": {
            "Request": Request::KNOWN,
            "Response": Response::KNOWN,
            "Call": Call::KNOWN,
            "Reply": Reply::KNOWN,
        },
    });
    let now = format!("{now:#}\n");
    if std::env::var_os("PLAYDOCK_FREEZE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/messages/frozen.json");
        std::fs::write(path, &now).unwrap();
    }
    let always = include_str!("frozen.json");
    let changed = now.lines().zip(always.lines()).find(|(now, always)| now != always);
    assert_eq!(changed, None, "{WHAT_TO_DO}");
    assert_eq!(now.len(), always.len(), "{WHAT_TO_DO}");
}

fn same_again<'de, M: Message + Deserialize<'de> + Serialize>(bytes: &'de str) {
    let message: M = read(bytes.as_bytes()).unwrap_or_else(|error| panic!("{bytes}: {error}"));
    assert_eq!(String::from_utf8_lossy(&write(&message)), bytes, "{WHAT_TO_DO}");
}

#[test]
fn messages_of_version_1_are_read_and_written_as_ever() {
    let mut names = Vec::new();
    for line in include_str!("version_1.txt").lines() {
        let (kind, bytes) = line.split_once(' ').unwrap();
        match kind {
            "request" => same_again::<Request<'_>>(bytes),
            "response" => same_again::<Response>(bytes),
            "call" => same_again::<Call<'_>>(bytes),
            "reply" => same_again::<Reply>(bytes),
            _ => panic!("{line}"),
        }
        names.push((kind, serde_json::from_str::<Outline>(bytes).unwrap().name));
    }
    for (kind, known) in [
        ("request", Request::NAMES),
        ("response", Response::NAMES),
        ("call", Call::NAMES),
        ("reply", Reply::NAMES),
    ] {
        for name in known {
            assert!(names.contains(&(kind, (*name).to_owned())), "no example of {kind} {name}");
        }
    }
}

#[test]
fn members_of_a_later_version_are_ignored() {
    let read: Call<'_> = read(
        br#"{"record":{"later":{},"rows":[{"cells":[],"later":1}],"outcomes":[{"position":0,
        "row":0,"later":[],"change":{"close":{"version":1,"later":null}}}]}}"#,
    )
    .unwrap();
    assert!(matches!(read, Call::Record { outcomes, .. } if outcomes[0].change.is_some()));
}

#[test]
fn a_change_of_a_later_version_is_unsupported_where_the_message_names_it() {
    let named = br#"{"record":{"must_understand":["outcomes.change.merge"],"rows":[{"cells":[]}],
        "outcomes":[{"position":0,"row":0,"change":{"merge":{"version":1,"into":"INC-2"}}}]}}"#;
    let error = read::<Call<'_>>(named).unwrap_err();
    assert_eq!(error.to_string(), "the member \"outcomes.change.merge\" isn't known here");
    let unnamed = br#"{"record":{"rows":[{"cells":[]}],
        "outcomes":[{"position":0,"row":0,"change":{"merge":{"version":1}}}]}}"#;
    assert!(matches!(read::<Call<'_>>(unnamed), Err(MessageError::Malformed(_))));
}

#[test]
fn words_of_a_later_version_are_read_as_what_does_least_harm() {
    let word = "\"of-a-later-version\"";
    assert_eq!(serde_json::from_str::<ColumnKind>(word).unwrap(), ColumnKind::Text);
    assert_eq!(serde_json::from_str::<Mode>(word).unwrap(), Mode::Automatic);
    assert_eq!(serde_json::from_str::<Intent>(word).unwrap(), Intent::Preview);
    let result: crate::OutcomeResult = serde_json::from_str(word).unwrap();
    assert_eq!(result, crate::OutcomeResult::Failed);
    let value: crate::FieldValue = serde_json::from_str(word).unwrap();
    assert_eq!(value, crate::FieldValue::Unknown);
}
