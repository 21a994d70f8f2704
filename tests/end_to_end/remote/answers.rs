//! Long answers: the same however they are asked for, and within bounds of memory however many
//! clients don't take them in.

#[cfg(target_os = "linux")]
use super::hostile::memory;
use super::{CLOSE, ask_until, closing, closing_store, outcome, unknown};
use playdock_tests::{Served, in_postgres_too, incident};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

in_postgres_too!(a_long_answer_is_the_same_however_it_is_asked_for,);

#[test]
fn a_long_answer_is_the_same_however_it_is_asked_for() {
    let known: Vec<String> = (0..400).map(|number| number.to_string()).collect();
    let mut numbers: Vec<&str> = known.iter().map(String::as_str).collect();
    let playdock = closing_store(&numbers);
    let key = playdock.key("one", &[]);
    let unknown = unknown(400);
    // By turns, so that rows of both kinds are in every piece.
    for (index, number) in unknown.iter().enumerate() {
        numbers.insert(2 * index, number);
    }
    let served = playdock.serve(&["--rate", "0"]);
    let headers = [("d3key", key.as_str()), ("Idempotency-Key", "a")];
    let first = served.post(CLOSE, &headers, &closing(&numbers));
    assert_eq!(outcome(&first).0, "Partially Successful");
    let rows = first.json()["contextData"].as_array().expect("it has rows").clone();
    let of_rows: Vec<&str> =
        rows.iter().map(|row| row["Incident Number"].as_str().expect("it is text")).collect();
    assert_eq!(of_rows, numbers);
    let again = served.post(CLOSE, &headers, &closing(&numbers));
    assert_eq!(again.said(), first.said());
    let id = first.header("playdock-execution-id").expect("it has an id");
    let shown = served.get(&format!("/api/executions/{id}"), &headers[..1]);
    assert_eq!((shown.status, shown.json()["state"].as_str()), (200, Some("finished")));
    assert!(shown.body.ends_with(&format!(",\"answer\":{}}}", first.body)), "{}", shown.body);
}

/// Asks for something and takes in nothing.
fn asked(served: &Served, request: &str) -> TcpStream {
    let mut stream = served.connect();
    stream.write_all(request.as_bytes()).expect("it can be sent");
    stream
}

#[cfg(target_os = "linux")]
#[test]
fn long_answers_that_nobody_takes_in_stay_within_bounds_of_memory() {
    let playdock = closing_store(&["1"]);
    let (key, other) = (playdock.key("one", &[]), playdock.key("other", &[]));
    let served = playdock.serve(&["--rate", "0"]);
    let numbers = unknown(60_000);
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let headers = [("d3key", key.as_str()), ("Idempotency-Key", "a")];
    let body = closing(&numbers);
    let first = served.post(CLOSE, &headers, &body);
    let id = first.header("playdock-execution-id").expect("it has an id");
    let (length, before) = (first.body.len() as u64 >> 10, memory(&served));

    let line = |line: &str| format!("{line} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n");
    let get = line(&format!("GET /api/executions/{id}")) + "\r\n";
    let post = line(&format!("POST {CLOSE}"))
        + &format!("Idempotency-Key: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut deaf: Vec<TcpStream> = (0..40).map(|_| asked(&served, &get)).collect();
    deaf.extend((0..20).map(|_| asked(&served, &post)));
    // What is read of the store for the last of them has come by then.
    let shown = served.get(&format!("/api/executions/{id}"), &headers[..1]);
    assert_eq!(shown.json()["answer"]["returnData"], "Failed");
    let others = served.post(CLOSE, &[("d3key", &other)], &closing(&["1"]));
    assert_eq!(outcome(&others).0, "Successful");
    let more = memory(&served).saturating_sub(before);
    assert!(length > 10 << 10, "the answer has {length} KiB");
    assert!(more < 16 * length, "{more} KiB more for answers of {length} KiB");
    drop(deaf);
    // They leave nothing behind that stands in the way.
    ask_until(
        || served.post(CLOSE, &headers, &body),
        |response| response.said() == (200, &first.body),
    );
}

#[cfg(target_os = "linux")]
#[test]
fn long_rows_stay_within_bounds_of_memory_too() {
    let numbers: Vec<String> = (0..300).map(|number| number.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let playdock = closing_store(&[]);
    // A row that all of them share.
    let task = json!({"title": "&".repeat(50_000), "required": true, "status": "Pending"});
    let line = |number: &&str| incident(number, json!({ "tasks": [task] }));
    playdock.import(&numbers.iter().map(line).collect::<String>());
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let first = served.post(CLOSE, &[("d3key", &key)], &closing(&numbers));
    assert_eq!(outcome(&first).0, "Failed");
    let id = first.header("playdock-execution-id").expect("it has an id");
    let get = format!("GET /api/executions/{id} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n\r\n");
    let before = memory(&served);
    let deaf: Vec<TcpStream> = (0..30).map(|_| asked(&served, &get)).collect();
    let shown = served.get(&format!("/api/executions/{id}"), &[("d3key", &key)]);
    assert!(shown.body.ends_with(&format!(",\"answer\":{}}}", first.body)));
    let more = memory(&served).saturating_sub(before);
    assert!(first.body.len() > 64 << 20, "the answer has {} bytes", first.body.len());
    assert!(more < 250 << 10, "{more} KiB more");
    drop(deaf);
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_whose_end_is_not_written_keeps_its_connection_open() {
    let playdock = closing_store(&[]);
    let key = playdock.key("one", &[]);
    // Half of these files are for connections.
    let served = playdock.serve_limited("ulimit -n 256", &["--rate", "0"]);
    // Of some of these lengths all is made, and the end of it neither written nor taken in.
    let mut unread: Vec<TcpStream> = (0..40)
        .map(|step| {
            let numbers = unknown(500 + 100 * step);
            let body = closing(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
            let head = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}");
            let length = format!("Connection: close\r\nContent-Length: {}", body.len());
            asked(&served, &format!("{head}\r\n{length}\r\n\r\n{body}"))
        })
        .collect();
    for stream in &unread {
        stream.peek(&mut [0]).expect("its answer has begun");
    }
    let _others: Vec<TcpStream> = (0..500).map(|_| served.connect()).collect();
    // As long as one that is taken for idle has for the rest, and more.
    std::thread::sleep(Duration::from_secs(1));
    for (step, stream) in unread.iter_mut().enumerate() {
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("it can be read");
        assert!(said.ends_with(b"]}\r\n0\r\n\r\n"), "{step}: {} bytes", said.len());
    }
}
