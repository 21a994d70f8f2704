//! Stopping: what runs ends or is cancelled, nothing new begins, and what was answered stands.

use super::{
    ATTACK, CLOSE, ask_until, attacked_store, closing, closing_store, outcome, sleeping, unknown,
};
use playdock_tests::{Playdock, Served};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Starts an execution that sleeps, and returns the answer once it comes.
fn asleep<'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    served: &'scope Served,
    key: &'scope str,
    playdock: &'scope Playdock,
) -> std::thread::ScopedJoinHandle<'scope, playdock_tests::Response> {
    let asking = scope.spawn(move || {
        let headers = [("d3key", key), ("Idempotency-Key", "a")];
        served.post(ATTACK, &headers, &sleeping(&["1", "2"]))
    });
    let closed = || playdock.value::<i64>("SELECT count(*) FROM incident WHERE status = 'Closed'");
    ask_until(|| served.get("/healthz", &[]), |_| closed() == 1);
    asking
}

#[test]
fn what_runs_is_cancelled_after_the_drain_answered_and_can_go_on() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let mut served = playdock.serve(&["--rate", "0", "--drain", "0.3"]);
    let answer = std::thread::scope(|scope| {
        let asking = asleep(scope, &served, &key, &playdock);
        served.signal("TERM");
        asking.join().expect("it is answered")
    });
    let (result, error) = outcome(&answer);
    assert_eq!(result, "Partially Successful");
    assert!(error.contains("cancelled"), "{error}");
    assert_eq!(served.wait().code, Some(0));
    assert_eq!(playdock.rows("SELECT state FROM execution"), ["interrupted"]);
}

#[test]
fn nothing_new_begins_while_what_runs_goes_on() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let mut served = playdock.serve(&["--rate", "0", "--timeout", "3"]);
    let address = served.address();
    let answer = std::thread::scope(|scope| {
        let asking = asleep(scope, &served, &key, &playdock);
        let mut idle = served.connect();
        served.signal("TERM");
        let end = Instant::now() + Duration::from_secs(2);
        while TcpStream::connect(address).is_ok() {
            assert!(Instant::now() < end, "it still listens");
            std::thread::sleep(Duration::from_millis(10));
        }
        // A request may cross the end on its way; it is turned away, or the connection is closed.
        let body = closing(&["1"]);
        let _ = write!(
            idle,
            "POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut said = Vec::new();
        let _ = idle.read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 500 "), "{said}");
        asking.join().expect("it is answered")
    });
    // It had its time, to the end.
    assert!(outcome(&answer).1.contains("time was over"), "{answer:?}");
    assert_eq!(served.wait().code, Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let mut served = playdock.serve(&["--rate", "0"]);
    super::start_sleeping(&served, &key, &[], &["1", "2"]);
    served.signal("INT");
    served.line(|line| line.contains("press Ctrl-C again"));
    served.signal("INT");
    assert_eq!(served.wait().code, Some(130));
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn a_long_answer_on_its_way_comes_whole_while_there_is_time() {
    let playdock = closing_store(&[]);
    let key = playdock.key("one", &[]);
    let mut served = playdock.serve(&["--rate", "0", "--drain", "20"]);
    let numbers = unknown(60_000);
    let body = closing(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
    let head = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n");
    let mut stream = served.connect();
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).expect("it is sent");
    let mut first = [0; 12];
    stream.read_exact(&mut first).expect("it is answered");
    assert_eq!(first, *b"HTTP/1.1 200");
    served.signal("TERM");
    // Longer than those take that don't depend on the drain.
    std::thread::sleep(Duration::from_secs(11));
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("it can be read");
    assert!(rest.ends_with(b"]}\r\n0\r\n\r\n"), "{} bytes", rest.len());
    assert_eq!(served.wait().code, Some(0));
}

#[test]
fn idle_it_ends_at_once() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let mut served = playdock.serve(&["--rate", "0"]);
    assert_eq!(served.post(CLOSE, &[("d3key", &key)], &closing(&["1"])).status, 200);
    let _idle = served.connect();
    let began = Instant::now();
    served.signal("TERM");
    assert_eq!(served.wait().code, Some(0));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn a_server_whose_log_nobody_reads_goes_on_and_ends_all_the_same() {
    let playdock = closing_store(&[]);
    let key = playdock.key("one", &[]);
    let unread = "mkfifo unread; exec 2<>unread";
    let mut served = playdock.serve_limited(unread, &["-v", "--rate", "0", "--drain", "1"]);
    // More lines than a pipe holds, of requests and of executions.
    for _ in 0..900 {
        assert_eq!(served.post(CLOSE, &[("d3key", &key)], &closing(&[])).status, 200);
    }
    served.signal("TERM");
    let began = Instant::now();
    assert_eq!(served.wait().code, Some(0));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}
