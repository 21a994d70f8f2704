//! Executions that another server of the same store runs, asked for under the same
//! `Idempotency-Key`.

use super::{ATTACK, CLOSE, ask_until, attacked_store, closing, outcome, sleeping, start_sleeping};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn what_another_server_runs_takes_nobodys_place() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let (first, second) = (playdock.serve(&["--rate", "0"]), playdock.serve(&["--rate", "0"]));
    // As many as one key may run at once.
    let keys: Vec<String> = (0..32).map(|own| format!("key {own}")).collect();
    let start = |own: &String| start_sleeping(&first, &key, &[("Idempotency-Key", own)], &["2"]);
    let locations: Vec<String> = keys.iter().map(start).collect();
    let body = sleeping(&["2"]);
    let waiting: Vec<TcpStream> = keys
        .iter()
        .map(|own| {
            let mut stream = second.connect();
            let head = format!("POST {ATTACK} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n");
            let own = format!("Idempotency-Key: {own}\r\nContent-Length: {}\r\n\r\n", body.len());
            write!(stream, "{head}{own}{body}").expect("it can be sent");
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    let began = Instant::now();
    let closed = second.post(CLOSE, &[("d3key", &key)], &closing(&["1"]));
    assert_eq!(outcome(&closed).0, "Successful");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // What another runs can't be cancelled here, though somebody waits for it here.
    assert_eq!(second.delete(&locations[0], &[("d3key", &key)]).status, 409);
    drop(waiting);
}

#[test]
fn who_waits_in_vain_for_what_another_server_runs_is_told_which_it_is() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let first = playdock.serve(&["--rate", "0"]);
    let second = playdock.serve(&["--rate", "0", "--timeout", "1"]);
    let own = ("Idempotency-Key", "a");
    let location = start_sleeping(&first, &key, &[own], &["1", "2"]);
    let waited = second.post(ATTACK, &[("d3key", &key), own], &sleeping(&["1", "2"]));
    assert_eq!(waited.status, 500);
    assert!(waited.body.contains("still running"), "{waited:?}");
    let id = waited.header("playdock-execution-id").expect("it has an id");
    assert!(location.ends_with(id), "{location} {id}");
}

#[test]
fn what_another_server_left_is_not_taken_over_under_a_key_that_was_revoked() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let mut first = playdock.serve(&["--rate", "0"]);
    let second = playdock.serve(&["--rate", "0"]);
    let own = ("Idempotency-Key", "a");
    start_sleeping(&first, &key, &[own], &["1", "2"]);
    std::thread::scope(|scope| {
        let waiting = scope
            .spawn(|| second.post(ATTACK, &[("d3key", &key), own], &sleeping(&["1", "2"])).status);
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(playdock.run(&["keys", "revoke", "one"]).code, Some(0));
        ask_until(
            || second.get("/api/Commands", &[("d3key", &key)]),
            |response| response.status == 401,
        );
        first.kill();
        assert_eq!(waiting.join().expect("it is answered"), 401);
    });
    assert_eq!(playdock.rows("SELECT state FROM execution"), ["running"]);
}
