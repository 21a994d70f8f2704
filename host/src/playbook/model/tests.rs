//! A document with every object and member of the standard is read whole.

use serde_json::{Value, json};

use crate::playbook::fixture::changed;
use crate::playbook::model::PlaybookDocument;

const TIME: &str = "2021-01-27T14:08:00.000Z";

fn reference() -> Value {
    json!([{
        "name": "n", "description": "d", "source": "s", "url": "https://example.com",
        "external_id": "x", "reference_id": "tool--1"
    }])
}

/// Members that all steps can have.
fn step(own: Value) -> Value {
    let mut step = json!({
        "name": "n", "description": "d", "external_references": reference(), "delay": 1,
        "timeout": 2, "owner": "identity--1", "on_completion": "end--1", "on_success": "end--1",
        "on_failure": "end--1", "step_extensions": {"extension-definition--1": {"any": [1]}},
        "step_variables": {"__v__": {
            "type": "of-a-vendor", "description": "d", "value": "x", "constant": true,
            "external": true
        }}
    });
    step.as_object_mut().unwrap().append(&mut own.as_object().unwrap().clone());
    step
}

fn marking(own: Value) -> Value {
    let mut marking = json!({
        "id": "marking--1", "name": "n", "description": "d", "created_by": "identity--1",
        "created": TIME, "revoked": true, "valid_from": TIME, "valid_until": TIME,
        "labels": ["l"], "external_references": reference(),
        "marking_extensions": {"extension-definition--1": {}}
    });
    marking.as_object_mut().unwrap().append(&mut own.as_object().unwrap().clone());
    marking
}

fn signature() -> Value {
    json!({
        "type": "jss", "id": "jss--1", "created_by": "identity--1", "created": TIME,
        "modified": TIME, "revoked": false, "signee": "s", "valid_from": TIME,
        "valid_until": TIME, "related_to": "playbook--1", "related_version": TIME,
        "hash_algorithm": "sha-256", "algorithm": "RS256", "public_key": "k",
        "public_cert_chain": ["c"], "cert_url": "u", "thumbprint": "t", "value": "v"
    })
}

fn agent() -> Value {
    let location = json!({
        "name": "n", "description": "d", "building_details": "b", "network_details": "n",
        "region": "europe", "country": "at", "administrative_area": "a", "city": "c",
        "street_address": "s", "postal_code": "p", "latitude": "1", "longitude": "2",
        "precision": "3"
    });
    json!({
        "type": "ssh", "name": "n", "description": "d", "location": location,
        "agent_target_extensions": {"extension-definition--1": {}},
        "contact": {"email": {"work": "e"}, "phone": {"work": "p"}, "contact_details": "c"},
        "address": {"ipv4": ["10.0.0.1"], "vlan": [4]}, "port": "22",
        "authentication_info": "user-auth--1", "category": ["server"], "logical": ["wired"],
        "sector": "energy", "of_a_vendor": {"any": 1}
    })
}

fn steps() -> Value {
    let command = json!({
        "type": "http-api", "description": "d", "version": "1", "playbook_activity": "p",
        "external_references": reference(), "command": "c", "command_b64": "Yw==",
        "content": "c", "content_b64": "Yw==", "headers": {"h": ["v"]}, "parameters": {"p": 1.5},
        "of_a_vendor": [1]
    });
    json!({
        "start--1": step(json!({"type": "start"})),
        "end--1": step(json!({"type": "end"})),
        "action--1": step(json!({
            "type": "action", "commands": [command], "agent": "ssh--1", "targets": ["ssh--1"],
            "in_args": ["__v__"], "out_args": ["__v__"]
        })),
        "playbook-action--1": step(json!({
            "type": "playbook-action", "playbook_id": "playbook--2", "playbook_version": TIME,
            "in_args": ["__v__"], "out_args": ["__v__"]
        })),
        "parallel--1": step(json!({"type": "parallel", "next_steps": ["end--1"]})),
        "if-condition--1": step(json!({
            "type": "if-condition", "condition": "c", "on_true": "end--1", "on_false": "end--1"
        })),
        "while-condition--1":
            step(json!({"type": "while-condition", "condition": "c", "on_true": "end--1"})),
        "switch-condition--1":
            step(json!({"type": "switch-condition", "switch": "s", "cases": {"c": "end--1"}}))
    })
}

fn whole_document() -> Value {
    let authentication = json!({
        "type": "user-auth", "name": "n", "description": "d",
        "authentication_info_extensions": {"extension-definition--1": {}}, "user_id": "u",
        "username": "u", "password": "p", "oauth_header": "o", "token": "t", "kms": true,
        "kms_key_identifier": "k", "of_a_vendor": 1
    });
    let extension = json!({
        "type": "extension-definition", "name": "n", "description": "d",
        "created_by": "identity--1", "schema": "s", "version": "1.0.0",
        "external_references": reference()
    });
    let markings = json!({
        "marking-statement--1": marking(json!({"type": "marking-statement", "statement": "s"})),
        "marking-tlp--1": marking(json!({"type": "marking-tlp", "tlpv2_level": "TLP:RED"})),
        "marking-iep--1": marking(json!({
            "type": "marking-iep", "tlp": "t", "iep_version": 2, "start_date": TIME,
            "end_date": null, "encrypt_in_transit": "e", "permitted_actions": "p",
            "affected_party_notifications": "a", "attribution": "a", "unmodified_resale": "u",
            "external_references": ["text"]
        }))
    });
    let mut countersigned = signature();
    countersigned["signature"] = signature();
    let summary = [
        "manual_playbook",
        "external_playbooks",
        "parallel_processing",
        "if_logic",
        "while_logic",
        "switch_logic",
        "temporal_logic",
        "data_markings",
        "digital_signatures",
        "countersigned_signatures",
        "extensions",
    ];
    let summary: Value = summary.into_iter().map(|name| (name.to_owned(), json!(true))).collect();
    changed(&[
        ("/description", "d".into()),
        ("/playbook_types", json!(["mitigation"])),
        ("/playbook_activities", json!(["compose-content"])),
        ("/playbook_processing_summary", summary),
        ("/revoked", true.into()),
        ("/valid_from", TIME.into()),
        ("/valid_until", TIME.into()),
        ("/derived_from", json!(["playbook--2"])),
        ("/related_to", json!(["incident--1"])),
        ("/priority", 1.into()),
        ("/severity", 2.into()),
        ("/impact", 100.into()),
        ("/industry_sectors", json!(["energy"])),
        ("/labels", json!(["l"])),
        ("/external_references", reference()),
        ("/markings", json!(["marking-tlp--1"])),
        ("/workflow_exception", "end--1".into()),
        ("/workflow", steps()),
        ("/playbook_extensions", json!({"extension-definition--1": {"any": {"thing": 1}}})),
        ("/authentication_info_definitions", json!({"user-auth--1": authentication})),
        ("/agent_definitions", json!({"ssh--1": agent()})),
        ("/target_definitions", json!({"ssh--1": agent()})),
        ("/extension_definitions", json!({"extension-definition--1": extension})),
        ("/data_marking_definitions", markings),
        ("/signatures", json!([countersigned])),
    ])
}

/// Everything in `given` stands in `kept` with the same value.
fn assert_kept(given: &Value, kept: &Value, place: &str) {
    match given {
        Value::Object(members) => {
            for (name, member) in members {
                assert_kept(member, &kept[name], &format!("{place}/{name}"));
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                assert_kept(element, &kept[index], &format!("{place}/{index}"));
            }
        }
        given => assert_eq!(given, kept, "{place}"),
    }
}

#[test]
fn every_member_is_known_and_keeps_its_value() {
    let given = whole_document();
    let document: PlaybookDocument = serde_json::from_value(given.clone()).unwrap();
    assert_kept(&given, &serde_json::to_value(document).unwrap(), "");
}
