//! The program dies, or is told to stop, in the middle of its work: no incident is half closed, and
//! the same execution id does the rest.
//!
//! `PLAYDOCK_ROUNDS` says how many times it is killed, `PLAYDOCK_SEED` at which moments: the seed
//! is shown where a test fails.

#![cfg(unix)]

mod reopening;

use playdock_tests::{Finished, Playdock, Random, incident, parameters, with};
use serde_json::json;
use std::collections::HashSet;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

const INCIDENTS: usize = 20_000;
/// Enough commits to be stopped between two of them: optimised, they come quickly.
const INTERRUPTED_INCIDENTS: usize = if cfg!(debug_assertions) { 40_000 } else { 400_000 };
/// How often one execution is killed before it may end.
const KILLS_OF_ONE: u64 = 5;

/// A store of incidents, and an execution that changes them all.
struct Bulk {
    playdock: Playdock,
    numbers: Vec<String>,
    command: &'static str,
}

impl Bulk {
    /// Open incidents, all to be closed.
    fn new(incidents: usize, random: &mut Random) -> Bulk {
        let mut numbers: Vec<String> = (0..incidents).map(|it| format!("INC-{it}")).collect();
        let lines = numbers.iter().map(|number| incident(number, json!({})));
        let playdock = Playdock::with_incidents(lines);
        random.shuffle(&mut numbers);
        let parameters = with(parameters(&numbers), "Conclusion", json!("Closed in bulk."));
        playdock.file("parameters.json", parameters.to_string());
        Bulk { playdock, numbers, command: "CloseIncidentInBulk" }
    }

    /// Starts the execution, or goes on with it. Its answer goes into a file: a pipe would fill.
    fn start(&self) -> Child {
        let answer = std::fs::File::create(self.playdock.folder().join("answer.json"));
        let arguments = [
            "invoke",
            self.command,
            "--params",
            "parameters.json",
            "--site",
            "Security Operations",
            "--output",
            "json",
            "--execution-id",
            "nightly-1",
        ];
        let mut command = self.playdock.command(&arguments);
        command.stdout(answer.expect("a file can be made")).process_group(0);
        command.spawn().expect("the program starts")
    }

    fn finish(&self, mut child: Child) -> Finished {
        let status = child.wait().expect("it can be waited for");
        let output = std::fs::read_to_string(self.playdock.folder().join("answer.json"));
        Finished {
            code: status.code(),
            output: output.expect("there is an answer"),
            errors: String::new(),
        }
    }

    /// Kills the execution at random moments, a few times or until it has ended, and tells how often.
    /// After each it does something; `whole` is how long it takes undisturbed.
    fn kill(&self, whole: Duration, random: &mut Random, mut then: impl FnMut(&mut Random)) -> u64 {
        for kills in 0..KILLS_OF_ONE {
            let mut child = self.start();
            let moment = whole.mul_f64(random.below(1000) as f64 / 1500.0);
            std::thread::sleep(moment);
            if child.try_wait().expect("it can be asked").is_some() {
                return kills;
            }
            child.kill().expect("it can be killed");
            child.wait().expect("it can be waited for");
            println!("killed after {moment:?}");
            then(random);
        }
        KILLS_OF_ONE
    }

    /// Whether all that is left to do is to repeat the answer.
    fn is_finished(&self) -> bool {
        let finished = "SELECT count(*) FROM execution WHERE state = 'finished'";
        self.playdock.value::<usize>(finished) > 0
    }

    fn closed(&self) -> usize {
        self.playdock.value("SELECT count(*) FROM incident WHERE status = 'Closed'")
    }

    /// Reopens one of the incidents that are closed, if any is.
    fn reopen_one(&self, random: &mut Random) -> Option<String> {
        let closed = self.playdock.rows("SELECT number FROM incident WHERE status = 'Closed'");
        let number = closed.get(random.below(closed.len()))?;
        self.playdock.write(&format!(
            "UPDATE incident SET status = 'Open', closed_at = NULL, closed_by = NULL,
                 closed_in = NULL, version = version + 1 WHERE number = '{number}'"
        ));
        Some(number.clone())
    }

    /// Runs it to its end, and checks what is said of each incident, in the order of the input.
    fn assert_the_rest_is_done(&self, reopened: &HashSet<String>) {
        let finished = self.finish(self.start());
        let code = if reopened.is_empty() { 0 } else { 3 };
        assert_eq!(finished.code, Some(code), "{}", finished.error());
        let outcomes = finished.outcomes();
        assert_eq!(outcomes.len(), self.numbers.len());
        for ((of, said), number) in outcomes.iter().zip(&self.numbers) {
            let expected = match reopened.contains(number) {
                true => "reopened-since",
                false => "Successful",
            };
            assert_eq!((of, said.as_str()), (number, expected));
        }
        assert_eq!(self.closed(), self.numbers.len() - reopened.len());
        let audited: usize = self.playdock.value("SELECT count(*) FROM audit");
        assert_eq!(audited, self.numbers.len());
        let conclusions = self.playdock.rows("SELECT DISTINCT conclusion FROM incident");
        assert_eq!(conclusions, ["<p>Closed in bulk.</p>"]);
        let twice = self
            .playdock
            .rows("SELECT position FROM ledger GROUP BY execution, position HAVING count(*) > 1");
        assert!(twice.is_empty(), "{twice:?}");
        self.playdock.assert_nothing_is_half_closed();
    }

    /// An execution of which some incidents are closed and some are not, whose program is kept from
    /// closing more until the connection is dropped.
    fn held_in_the_middle(random: &mut Random) -> (Bulk, Child, rusqlite::Connection) {
        // On a busy machine it may be done before anybody else has the store's lock.
        for _ in 0..5 {
            let bulk = Bulk::new(INTERRUPTED_INCIDENTS, random);
            let child = bulk.start();
            match bulk.hold() {
                Some(store) => return (bulk, child, store),
                None => drop(bulk.finish(child)),
            }
        }
        panic!("all were closed before they could be held");
    }

    /// Holds the store's lock as soon as some incidents are closed; `None` if all are by then.
    fn hold(&self) -> Option<rusqlite::Connection> {
        let store = self.playdock.store();
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            store.execute_batch("BEGIN IMMEDIATE").expect("the store can be locked");
            match self.closed() {
                0 => store.execute_batch("ROLLBACK").expect("the lock can be given back"),
                closed => return (closed < self.numbers.len()).then_some(store),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("nothing was closed within a minute");
    }
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(number) => number.parse().expect("it is a number"),
        Err(_) => otherwise,
    }
}

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seed = now.map_or(1, |now| u64::from(now.subsec_nanos()));
    let seed = number_of("PLAYDOCK_SEED", seed);
    println!("PLAYDOCK_SEED={seed}");
    seed
}

/// Sends a signal as a terminal does: to the program and to all that is of its process group.
fn signal(child: &Child, name: &str) {
    let group = format!("-{}", child.id());
    let sent = Command::new("kill").args(["-s", name, "--", &group]).status();
    assert!(sent.expect("kill can be run").success());
}

#[test]
fn killed_at_any_moment_no_incident_is_half_closed_and_the_rest_is_done_later() {
    let mut random = Random::new(seed());
    let mut rounds = number_of("PLAYDOCK_ROUNDS", 15);
    let whole = {
        let bulk = Bulk::new(INCIDENTS, &mut random);
        let began = Instant::now();
        bulk.finish(bulk.start());
        began.elapsed()
    };
    while rounds > 0 {
        let bulk = Bulk::new(INCIDENTS, &mut random);
        let mut reopened = HashSet::new();
        let kills = bulk.kill(whole, &mut random, |random| {
            println!("{} closed", bulk.closed());
            bulk.playdock.assert_nothing_is_half_closed();
            if !bulk.is_finished() && random.below(2) == 0 {
                reopened.extend(bulk.reopen_one(random));
            }
        });
        rounds = rounds.saturating_sub(kills);
        bulk.assert_the_rest_is_done(&reopened);
    }
}

#[test]
fn interrupted_or_terminated_it_answers_for_what_it_did_and_the_rest_is_done_later() {
    let mut random = Random::new(seed());
    for name in ["INT", "TERM"] {
        let (bulk, child, store) = Bulk::held_in_the_middle(&mut random);
        signal(&child, name);
        std::thread::sleep(Duration::from_millis(200));
        drop(store);
        let stopped = bulk.finish(child);
        assert_eq!(stopped.code, Some(6), "{}", stopped.output);
        let closed = bulk.closed();
        assert!((1..INTERRUPTED_INCIDENTS).contains(&closed), "{closed}");
        let answer = stopped.answer();
        assert_eq!(answer["returnData"], "Partially Successful");
        let left = (INTERRUPTED_INCIDENTS - closed).to_string();
        assert!(stopped.error().contains(&left), "{}", stopped.error());
        let outcomes = stopped.outcomes();
        let said = |what: &str| outcomes.iter().filter(|(_, said)| said == what).count();
        assert_eq!(said("Successful"), closed);
        assert_eq!(said("not-attempted"), INTERRUPTED_INCIDENTS - closed);
        assert!(outcomes.iter().map(|(number, _)| number).eq(&bulk.numbers));
        bulk.playdock.assert_nothing_is_half_closed();
        bulk.assert_the_rest_is_done(&HashSet::new());
    }
}

#[test]
fn interrupted_twice_it_ends_at_once_and_the_rest_is_done_later() {
    let (bulk, child, store) = Bulk::held_in_the_middle(&mut Random::new(seed()));
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(200));
    signal(&child, "INT");
    let ended = bulk.finish(child);
    drop(store);
    assert_eq!(ended.code, Some(130), "{}", ended.output);
    assert_eq!(ended.output, "");
    bulk.playdock.assert_nothing_is_half_closed();
    bulk.assert_the_rest_is_done(&HashSet::new());
}
