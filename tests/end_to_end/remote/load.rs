//! Many clients at once, and a server that is killed while it serves them: each incident is closed
//! once, and every answer says what the store says.
//!
//! `PLAYDOCK_ROUNDS` says how many times it is killed, `PLAYDOCK_SEED` at which moments: the seed
//! is shown where a test fails.

use super::{CLOSE, body, closing, closing_store, outcome};
use playdock_tests::{
    PATIENCE, Playdock, Random, Served, in_postgres_too, outcome as said_of, parameters, with,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

in_postgres_too!(
    clients_that_close_the_same_incidents_at_once_close_each_once,
    killed_under_load_what_was_answered_stands_and_the_rest_is_done_when_asked_again,
);

const CLIENTS: usize = 200;
/// How many connections there are when the server is killed.
const WHEN_KILLED: usize = 32;

fn store(incidents: usize) -> (Playdock, Vec<String>) {
    let numbers: Vec<String> = (0..incidents).map(|number| format!("INC-{number}")).collect();
    (closing_store(&numbers.iter().map(String::as_str).collect::<Vec<_>>()), numbers)
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(number) => number.parse().expect("it is a number"),
        Err(_) => otherwise,
    }
}

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seed = number_of("PLAYDOCK_SEED", now.map_or(1, |now| u64::from(now.subsec_nanos())));
    println!("PLAYDOCK_SEED={seed}");
    seed
}

/// The rows of an answer: each number, and its reason or its result.
fn rows(answer: &Value) -> Vec<(String, String)> {
    answer["contextData"].as_array().expect("there are rows").iter().map(said_of).collect()
}

/// The id of each closed incident's execution, by the incident's number.
fn closed(playdock: &Playdock) -> HashMap<String, String> {
    let rows = playdock.rows(
        "SELECT number, execution_id FROM incident JOIN execution ON execution.id = closed_in
         WHERE incident.status = 'Closed'",
    );
    let pair = |row: &String| {
        let (number, id) = row.split_once('|').expect("there are two columns");
        (number.to_owned(), id.to_owned())
    };
    rows.iter().map(pair).collect()
}

#[test]
fn clients_that_close_the_same_incidents_at_once_close_each_once() {
    let mut random = Random::new(seed());
    let (playdock, numbers) = store(150);
    let keys = ["one", "two", "three"].map(|name| playdock.key(name, &[]));
    let served = playdock.serve(&["--rate", "0"]);
    let wanted: Vec<Vec<&str>> = (0..CLIENTS)
        .map(|client| {
            let mut some: Vec<&str> = numbers.iter().map(String::as_str).collect();
            random.shuffle(&mut some);
            some.truncate(1 + random.below(12));
            // All are asked for by some.
            let own = numbers[client % numbers.len()].as_str();
            if !some.contains(&own) {
                some.push(own);
            }
            some
        })
        .collect();
    let answers: Vec<(String, Value)> = std::thread::scope(|scope| {
        let ask = |(client, wanted): (usize, &Vec<&str>)| {
            let headers = [("d3key", keys[client % keys.len()].as_str())];
            let response = served.post(CLOSE, &headers, &closing(wanted));
            assert_eq!(outcome(&response), ("Successful".to_owned(), String::new()));
            let id = response.header("playdock-execution-id").expect("it has one").to_owned();
            (id, response.json())
        };
        let asking: Vec<_> =
            wanted.iter().enumerate().map(|one| scope.spawn(move || ask(one))).collect();
        asking.into_iter().map(|asking| asking.join().expect("it is answered")).collect()
    });
    let closed = closed(&playdock);
    assert_eq!(closed.len(), numbers.len());
    let mut claimed: BTreeMap<String, usize> = BTreeMap::new();
    for ((id, answer), wanted) in answers.iter().zip(&wanted) {
        let rows = rows(answer);
        assert!(rows.iter().map(|(number, _)| number).eq(wanted));
        for (number, said) in rows {
            let expected = if closed[&number] == *id { "Successful" } else { "already-closed" };
            assert_eq!(said, expected, "{number} in {id}");
            *claimed.entry(number).or_default() += usize::from(expected == "Successful");
        }
    }
    assert!(claimed.values().all(|claims| *claims == 1), "{claimed:?}");
    playdock.assert_each_is_closed_once();
}

/// What a client was told, by its number: the answer's rows, if it was answered.
struct Told {
    own: String,
    wanted: Vec<String>,
    answer: Option<String>,
}

#[test]
fn killed_under_load_what_was_answered_stands_and_the_rest_is_done_when_asked_again() {
    let mut random = Random::new(seed());
    for round in 0..number_of("PLAYDOCK_ROUNDS", 3) {
        let (playdock, numbers) = store(1200);
        let keys = ["one", "two"].map(|name| playdock.key(name, &[]));
        let mut served = playdock.serve(&["--rate", "0"]);
        let told = load_until_killed(&mut served, &keys, &numbers, &mut random);
        let answered = told.iter().filter(|told| told.answer.is_some()).count();
        println!("round {round}: {answered} of {} requests were answered", told.len());
        // As the kill left it.
        playdock.assert_each_is_closed_once();
        let before = closed(&playdock);
        for told in told.iter().filter(|told| told.answer.is_some()) {
            assert!(told.wanted.iter().all(|number| before.contains_key(number)), "{}", told.own);
        }
        let served = playdock.serve(&["--rate", "0"]);
        let ask_again = |index: usize, told: &Told| {
            let headers = [
                ("d3key", keys[index % keys.len()].as_str()),
                ("Idempotency-Key", told.own.as_str()),
            ];
            let response = served.post(CLOSE, &headers, &asking(&told.wanted));
            match &told.answer {
                Some(answer) => assert_eq!(&response.body, answer, "{}", told.own),
                None => assert_eq!(outcome(&response).0, "Successful"),
            }
            // Nobody else asked for these.
            let done = told.wanted.iter().map(|number| (number.clone(), "Successful".to_owned()));
            assert!(rows(&response.json()).into_iter().eq(done), "{response:?}");
        };
        // Several at once: one after the other, they would take most of the round.
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..WHEN_KILLED {
                scope.spawn(|| {
                    while let index = next.fetch_add(1, Ordering::Relaxed)
                        && let Some(told) = told.get(index)
                    {
                        ask_again(index, told);
                    }
                });
            }
        });
        playdock.assert_each_is_closed_once();
        let executions: usize = playdock.value("SELECT count(*) FROM execution");
        assert_eq!(executions, told.len());
    }
}

fn asking(wanted: &[String]) -> String {
    body(&with(parameters(wanted), "Conclusion", json!("Closed under load.")))
}

/// Sends requests, each for two incidents of its own, and kills the server at some moment.
fn load_until_killed(
    served: &mut Served,
    keys: &[String; 2],
    numbers: &[String],
    random: &mut Random,
) -> Vec<Told> {
    let pairs: Vec<&[String]> = numbers.chunks(2).collect();
    let (next, answered, killed) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let address = served.address();
    // It is killed once so many are answered, and a moment later.
    let enough = 1 + random.below(pairs.len() / 2);
    let moment = Duration::from_micros(random.below(5000) as u64);
    std::thread::scope(|scope| {
        let work = || {
            let mut told = Vec::new();
            while !killed.load(Ordering::Relaxed)
                && let index = next.fetch_add(1, Ordering::Relaxed)
                && let Some(pair) = pairs.get(index)
            {
                let own = format!("pair {index}");
                let answer = post(address, &keys[index % 2], &own, &asking(pair));
                answered.fetch_add(usize::from(answer.is_some()), Ordering::Relaxed);
                told.push((index, Told { own, wanted: pair.to_vec(), answer }));
            }
            told
        };
        let working: Vec<_> = (0..WHEN_KILLED).map(|_| scope.spawn(work)).collect();
        let end = std::time::Instant::now() + PATIENCE;
        while answered.load(Ordering::Relaxed) < enough {
            assert!(std::time::Instant::now() < end, "the requests are not answered");
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(moment);
        served.kill();
        killed.store(true, Ordering::Relaxed);
        let told = working.into_iter().flat_map(|working| working.join().expect("it ends"));
        let mut told: Vec<(usize, Told)> = told.collect();
        told.sort_by_key(|(index, _)| *index);
        told.into_iter().map(|(_, told)| told).collect()
    })
}

/// Posts a body on a connection of its own; the body of the answer, if all of it came.
fn post(address: SocketAddr, key: &str, own: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = format!(
        "POST {CLOSE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nd3key: {key}\r\n\
         Idempotency-Key: {own}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut said = String::new();
    stream.read_to_string(&mut said).ok()?;
    let (head, answer) = said.split_once("\r\n\r\n")?;
    assert!(head.starts_with("HTTP/1.1 200 "), "{said}");
    let length = head.lines().find_map(|line| {
        let (name, length) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| length.parse::<usize>().ok())?
    });
    (length == Some(answer.len())).then(|| answer.to_owned())
}
