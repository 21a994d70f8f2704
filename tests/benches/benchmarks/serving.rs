//! Remote requests from 64 connections: each closes two incidents, durably, beside the same server
//! where nothing is waited for to be on the disk; and each with an empty list, by a worker and by a
//! command in the server's own process, beside a bare axum handler that parses and answers the same
//! bytes. Client and server share the machine.

use crate::http_client::{CONNECTIONS, Load, ask, get, load, post};
use crate::other_process::Bare;
use crate::stores::{Blockers, lines, number};
use crate::table;
use playdock_tests::{Playdock, library, parameters};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

const PATH: &str = "/api/Command/CloseIncidentInBulk";
/// How many requests one measurement has, and how many of them there are.
const REQUESTS: usize = 4000;
const ROUNDS: usize = 4;
/// How many requests there are at half of the highest rate.
const AT_HALF: usize = 4000;

/// Measures and writes the table.
pub(crate) fn measure() {
    let incidents = 2 * ((ROUNDS + 1) * REQUESTS + AT_HALF);
    let mut durable = Server::start("worker", false, incidents);
    let mut careless = Server::start("worker", true, incidents);
    let in_process = Server::start("in-process", false, 0);
    let bare = Bare::start(&durable.body_of_an_empty_list());
    let mut closing = Compared::default();
    let mut nothing = Compared::default();
    let mut nothing_in_process = Compared::default();
    let mut commits = 0;
    // The first of each warms up.
    for round in 0..=ROUNDS {
        let before = durable.commits();
        let own = durable.close(REQUESTS, None);
        let made = durable.commits() - before;
        let other = careless.close(REQUESTS, None);
        let empty = durable.close_nothing(REQUESTS, None);
        let empty_in_process = in_process.close_nothing(REQUESTS, None);
        let bare = load(bare.address, &durable.closing_nothing(REQUESTS), "Successful", None);
        if round > 0 {
            commits += made;
            closing.add(&own, &other);
            nothing.add(&empty, &bare);
            nothing_in_process.add(&empty_in_process, &bare);
        }
    }
    let each = |rate: f64| format!("{rate:.0}");
    let row = |what: &str, compared: &Compared, per_commit: String, at_half: &Load| {
        vec![
            what.to_owned(),
            each(compared.own),
            each(compared.other),
            table::times(compared.own / compared.other),
            per_commit,
            table::time(at_half.within(0.5)),
            table::time(at_half.within(0.99)),
        ]
    };
    let per_commit = format!("{:.1}", (ROUNDS * REQUESTS) as f64 / commits as f64);
    let closing_at_half = durable.close(AT_HALF, Some(closing.own / 2.0));
    let nothing_at_half = durable.close_nothing(AT_HALF, Some(nothing.own / 2.0));
    let in_process_at_half = in_process.close_nothing(AT_HALF, Some(nothing_in_process.own / 2.0));
    table::write(
        &format!(
            "Remote requests over {CONNECTIONS} connections (limits: 10 requests a commit; 0.7 x \
             without waiting for the disk; an empty list 0.5 x bare axum)"
        ),
        &["request", "a second", "other a second", "x other", "a commit", "p50", "p99"],
        &[
            row("closes two, other: no sync", &closing, per_commit, &closing_at_half),
            row("empty list, other: bare axum", &nothing, String::new(), &nothing_at_half),
            row(
                "the same, command in process",
                &nothing_in_process,
                String::new(),
                &in_process_at_half,
            ),
        ],
    );
    println!("\np50 and p99 are at half of the rate beside them.");
}

/// The highest rates of two that took turns.
#[derive(Default)]
struct Compared {
    own: f64,
    other: f64,
}

impl Compared {
    fn add(&mut self, own: &Load, other: &Load) {
        self.own = self.own.max(own.rate());
        self.other = self.other.max(other.rate());
    }
}

/// A server with a store of its own, without a rate limit.
struct Server {
    child: Child,
    address: SocketAddr,
    metrics: SocketAddr,
    keys: [String; 2],
    /// How many incidents are closed.
    closed: usize,
    _playdock: Playdock,
}

impl Server {
    fn start(isolation: &str, without_sync: bool, incidents: usize) -> Server {
        let playdock = Playdock::new();
        playdock.import(&lines(incidents, Blockers::None));
        // One key may have half of the server's executions.
        let keys = ["one", "two"].map(|name| playdock.key(name, &[]));
        let arguments = [
            "--isolation",
            isolation,
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--metrics",
            "127.0.0.1:0",
            "--rate",
            "0",
            "--output",
            "json",
        ];
        let mut command = playdock.command(&arguments);
        if without_sync {
            command.env("LD_PRELOAD", library("without_sync"));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let listening: Value = serde_json::from_str(&line).unwrap();
        let address = |name: &str| {
            let url = listening[name].as_str().unwrap().trim_start_matches("http://");
            url.trim_end_matches("/metrics").parse().unwrap()
        };
        let (address, metrics) = (address("listening"), address("metrics"));
        Server { child, address, metrics, keys, closed: 0, _playdock: playdock }
    }

    /// Sends requests that each close two incidents.
    fn close(&mut self, requests: usize, rate: Option<f64>) -> Load {
        let of = |index: usize| {
            let first = self.closed + 2 * index;
            post(PATH, &self.keys[index % 2], &body(&[number(first), number(first + 1)]))
        };
        let posts: Vec<Vec<u8>> = (0..requests).map(of).collect();
        self.closed += 2 * requests;
        load(self.address, &posts, "\"returnData\":\"Successful\"", rate)
    }

    fn closing_nothing(&self, requests: usize) -> Vec<Vec<u8>> {
        (0..requests).map(|index| post(PATH, &self.keys[index % 2], &body(&[]))).collect()
    }

    fn close_nothing(&self, requests: usize, rate: Option<f64>) -> Load {
        load(self.address, &self.closing_nothing(requests), "Successful", rate)
    }

    fn body_of_an_empty_list(&self) -> String {
        ask(self.address, &post(PATH, &self.keys[0], &body(&[])))
    }

    fn commits(&self) -> u64 {
        let metrics = get(self.metrics, "/metrics");
        let line = metrics.lines().find_map(|line| line.strip_prefix("playdock_commits_total "));
        line.unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).unwrap();
    }
}

fn body(numbers: &[String]) -> String {
    json!({
        "Username": "admin user",
        "Site": "Security Operations",
        "CommandParams": parameters(numbers),
    })
    .to_string()
}
