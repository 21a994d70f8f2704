//! The command on incidents in memory: without a host, and without the library.

use super::*;
use playdock_plugin_api::OutcomeResult;
use playdock_plugin_api::testing::{InMemoryIncidents, InvokeError, StaticPlugin, conformance};

#[test]
fn the_command_conforms_and_its_examples_hold() {
    conformance::check::<TemplateCommand>().unwrap();
}

#[test]
fn the_status_is_read_and_nothing_is_changed() {
    let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "On Hold")]);
    let before = incidents.incident("INC-1").unwrap().clone();
    let finished = StaticPlugin::of::<TemplateCommand>()
        .invoke(&json!({ "Incident Numbers": "INC-1" }), &mut incidents)
        .unwrap();
    assert_eq!(finished.error, "");

    let outcomes = incidents.outcomes();
    let (number, outcome) = outcomes[0];
    assert_eq!(
        (number, outcome.result),
        ("INC-1", OutcomeResult::Successful)
    );
    assert_eq!(outcome.reason, Some(READ));
    assert_eq!(outcome.cells, ["On Hold".into()]);
    assert_eq!(incidents.incident("INC-1"), Some(&before));
}

#[test]
fn a_wrong_parameter_is_named() {
    let refused = StaticPlugin::of::<TemplateCommand>().invoke(
        &json!({ "Incident Numbers": [7] }),
        &mut InMemoryIncidents::new([]),
    );
    let sentence = "Parameter \"Incident Numbers\": element 0 is no text: 7.";
    assert_eq!(refused, Err(InvokeError::Failed(sentence.to_owned())));
}
