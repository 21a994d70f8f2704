//! Code that runs when a library is opened: it does so in a worker, which is in its sandbox by then.

use super::{playdock, the_host_goes_on};
use playdock_host::execution::{Host, Isolation, Requester};
use playdock_host::incidents::SqliteStore;
use playdock_host::plugins::Plugins;
use playdock_tests::{Playdock, invocation, library, program};
use serde_json::json;
use std::sync::Arc;

/// What stands in the fixture's file in the place of an attack.
const PLACE: &[u8; 32] = b"the attack of this constructor..";

/// A host with the fixture, changed to make this attack, and with the good command.
fn host(playdock: &Playdock, attack: &str) -> Host {
    let mut bytes = std::fs::read(library("hostile_constructor")).unwrap_or_default();
    let found = bytes.windows(PLACE.len()).position(|window| window == PLACE);
    let place = found.unwrap_or_else(|| panic!("the fixture has no place for an attack"));
    bytes[place..place + PLACE.len()].copy_from_slice(format!("{attack:.<32}").as_bytes());
    let file = playdock.file("constructor.so", bytes);

    let store = SqliteStore::open(&playdock.folder().join("playdock.db"));
    let store = Arc::new(store.unwrap_or_else(|error| panic!("{error}")));
    let mut plugins = Plugins::new();
    for plugin in [&file, &library("close_incident_in_bulk")] {
        plugins.add(plugin).unwrap_or_else(|error| panic!("{error}"));
    }
    Host::new(store.clone(), store, plugins, |_| Isolation::Worker { program: program() })
}

/// What the host says of the command whose library makes this attack.
fn said_after(host: &Host, attack: &str) -> String {
    let mut invocation = invocation("TellsOfItsConstructor", &json!({}), "attack");
    invocation.requester = Requester::Person { username: "admin user".to_owned() };
    match host.execute(&invocation) {
        Ok(answer) => answer.error,
        Err(error) => {
            assert!(error.to_string().contains("constructor.so"), "{attack}: {error}");
            error.to_string()
        }
    }
}

#[test]
fn what_a_constructor_does_to_its_process_spoils_its_own_plugin_alone() {
    for (attack, cause) in [
        ("exit", "it ended its process with exit code 0"),
        ("abort", "it aborted"),
        ("crash", "it crashed (segmentation fault"),
        ("overflow the stack", "it "),
        ("take all memory", "it aborted, for want of memory"),
        ("loop", "it took too long"),
    ] {
        let playdock = playdock();
        let host = host(&playdock, attack);
        let said = said_after(&host, attack);
        assert!(
            said.contains(&format!("did not describe its commands: {cause}")),
            "{attack}: {said}"
        );
        the_host_goes_on(&playdock, &host);
    }
}

#[test]
fn a_constructor_reaches_nothing_outside() {
    for (attack, expected) in [
        ("start a thread", "start a thread"),
        ("open a socket", "not permitted"),
        ("start a program", "not permitted"),
        ("read a file", "denied"),
        ("write a file", "denied"),
    ] {
        let playdock = playdock();
        let host = host(&playdock, attack);
        let said = said_after(&host, attack);
        assert!(said.contains(expected), "{attack}: {said}");
        the_host_goes_on(&playdock, &host);
    }
    assert!(!std::path::Path::new("/tmp/written-by-a-constructor").exists());
}
