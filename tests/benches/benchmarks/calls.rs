//! What one call costs: CloseIncidentInBulk on an empty list, as a preview, so that no disk is in
//! it. The host, its plugin and its worker are warm.

use crate::measure::{each, once, ratio, side_by_side};
use crate::other_process::{Echo, call_in_a_process_of_its_own};
use crate::stores::NoIncidents;
use crate::table;
use playdock_host::execution::{Host, Invocation, Isolation, Parameters};
use playdock_host::plugins::Plugins;
use playdock_plugin_api::messages::{self, Finished, Request, Response};
use playdock_plugin_api::parameters::{TextList, YesNo};
use playdock_plugin_api::{Actor, Execution, Intent, Site};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

const PARAMETERS: &str =
    r#"{"Incident Numbers":[],"Bypass Required Pending Tasks":"No","Username":"admin user"}"#;

/// How often each way is measured; the shortest counts.
const ROUNDS: usize = 15;

/// Measures and writes the table.
pub(crate) fn measure() {
    let (in_process, worker) = (host(&Isolation::InProcess), host(&in_a_worker()));
    let invocation = invocation();
    let run = |host: &Host| {
        let answer = host.execute(&invocation).unwrap();
        assert_eq!(answer.return_data.as_str(), "Successful", "{}", answer.error);
    };
    let request = request();
    let mut echo = Echo::start();
    let [direct, in_process, pipe, worker, process] = side_by_side(
        ROUNDS,
        [
            &mut || each(5000, || drop(black_box(direct(black_box(&request))))),
            &mut || each(5000, || run(&in_process)),
            &mut || each(1000, || echo.round_trip()),
            &mut || each(500, || run(&worker)),
            &mut || once(|| drop(call_in_a_process_of_its_own(&request))),
        ],
    );
    let row = |name: &str, time, limit: &str| {
        let ratios = [ratio(time, direct), ratio(time, pipe)].map(table::times);
        let [to_direct, to_pipe] = ratios;
        vec![name.to_owned(), table::time(time), to_direct, to_pipe, limit.to_owned()]
    };
    #[cfg_attr(not(feature = "wasmtime"), expect(unused_mut, reason = "a row may be added"))]
    let mut rows = vec![
        row("direct: the same messages, written and read in one function", direct, ""),
        row("in process: `Host::execute`, the library loaded", in_process, "3 x direct"),
        row("a round trip through a pipe to another process", pipe, ""),
        row("worker: `Host::execute`, the worker warm", worker, "30 x pipe"),
        row("a process started for the call, native code", process, ""),
    ];
    #[cfg(feature = "wasmtime")]
    {
        let wasmtime = call_of_a_wasm_guest(&request);
        rows.push(row("a WebAssembly guest in wasmtime: the host's side alone", wasmtime, ""));
    }
    table::write(
        "One call: CloseIncidentInBulk on an empty list",
        &["way", "time", "x direct", "x pipe", "limit"],
        &rows,
    );
}

fn in_a_worker() -> Isolation {
    Isolation::Worker { program: playdock_tests::program() }
}

fn host(isolation: &Isolation) -> Host {
    let mut plugins = Plugins::new();
    plugins.add(&playdock_tests::library("close_incident_in_bulk")).unwrap();
    let store = Arc::new(NoIncidents);
    Host::new(store.clone(), store, plugins, |_| isolation.clone())
}

fn invocation() -> Invocation {
    let parameters = Parameters::from_json(PARAMETERS.as_bytes()).unwrap();
    let mut invocation =
        Invocation::automatic("CloseIncidentInBulk", parameters, NoIncidents::SITE);
    invocation.intent = Intent::Preview;
    invocation.execution_id = Some("call".to_owned());
    invocation
}

/// The request that the host sends for such a call.
fn request() -> Vec<u8> {
    let parameters = serde_json::value::RawValue::from_string(PARAMETERS.to_owned()).unwrap();
    let name = NoIncidents::SITE.to_owned();
    let site = Site { name, time_zone: "America/Los_Angeles".to_owned() };
    let mut actor = Actor::new("admin user");
    actor.may_close = true;
    let mut execution = Execution::new("call", site, actor);
    execution.intent = Intent::Preview;
    messages::write(&Request::Invoke(messages::Invocation {
        must_understand: vec!["execution".to_owned()],
        command: Cow::Borrowed("CloseIncidentInBulk"),
        execution,
        parameters: &parameters,
        log_level: Some("off".to_owned()),
    }))
}

/// The whole conversation in one function: all of its messages are written and read.
fn direct(request: &[u8]) -> Finished {
    let read: Request<'_> = messages::read(request).unwrap();
    let response = close_nothing(&messages::write(&read));
    match messages::read(&response).unwrap() {
        Response::Finished(finished) => finished,
        other => panic!("{other:?}"),
    }
}

/// The same conversation with a guest that neither reads nor makes a message.
#[cfg(feature = "wasmtime")]
fn call_of_a_wasm_guest(request: &[u8]) -> std::time::Duration {
    let finished = Finished { error: String::new(), outputs: BTreeMap::new() };
    let response = messages::write(&Response::Finished(finished));
    let mut guest = crate::wasm_guest::Guest::start(&response);
    let [time] = side_by_side(
        ROUNDS,
        [&mut || {
            each(5000, || {
                let read: Request<'_> = messages::read(black_box(request)).unwrap();
                guest.call(&messages::write(&read));
            })
        }],
    );
    time
}

/// The command's side: its messages on an empty list.
pub(crate) fn close_nothing(request: &[u8]) -> Vec<u8> {
    #[derive(Deserialize)]
    struct Given<'a> {
        #[serde(rename = "Incident Numbers", borrow)]
        numbers: TextList<'a>,
        #[serde(rename = "Bypass Required Pending Tasks")]
        bypass: YesNo,
        #[serde(rename = "Username")]
        username: Cow<'a, str>,
    }
    let Request::Invoke(invocation) = messages::read(request).unwrap() else {
        panic!("not an invocation");
    };
    let given: Given<'_> = serde_json::from_str(invocation.parameters.get()).unwrap();
    assert!(!given.bypass.0 && given.username == invocation.execution.actor.username);
    // Of no incidents, a command asks the host nothing.
    assert_eq!(given.numbers.iter().count(), 0);
    let outputs = ["closed", "failed"].map(|name| (name.to_owned(), 0.into()));
    let finished = Finished { error: String::new(), outputs: BTreeMap::from(outputs) };
    messages::write(&Response::Finished(finished))
}
