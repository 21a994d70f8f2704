//! Clients that take their time.

use super::super::{CLOSE, closing, closing_store, unknown};
use super::{memory, others_are_served, statuses};
use playdock_tests::Served;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Sends a byte a second until the server has had enough; what it says, and when.
fn drip(served: &Served, first: &str, rest: &str) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = served.connect();
    stream.write_all(first.as_bytes()).expect("it can be sent");
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a time-out can be set");
    let mut said = Vec::new();
    for byte in rest.bytes().cycle() {
        if stream.write_all(&[byte]).is_err() {
            break;
        }
        let mut piece = [0; 1024];
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => said.extend_from_slice(&piece[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        assert!(began.elapsed() < Duration::from_secs(100), "nobody ends this");
    }
    (String::from_utf8_lossy(&said).into_owned(), began.elapsed())
}

#[test]
fn a_byte_a_second_is_let_go_and_others_are_served() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let head = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n");
    let in_body = format!("{head}Content-Length: 100000\r\n\r\n{{");
    std::thread::scope(|scope| {
        let heads: Vec<_> =
            (0..20).map(|_| scope.spawn(|| drip(&served, &head, "a: b\r\n"))).collect();
        // It takes a minute, which is waited for where there is time.
        let whole = std::env::var_os("PLAYDOCK_SLOW_CLIENTS").is_some();
        let body = whole.then(|| scope.spawn(|| drip(&served, &in_body, " ")));
        for client in heads {
            others_are_served(&served, &key);
            let (said, took) = client.join().expect("it is let go");
            assert!(matches!(statuses(&said)[..], [] | ["408"]), "{said}");
            let seconds = took.as_secs();
            assert!((28..45).contains(&seconds), "{took:?}");
        }
        if let Some(body) = body {
            let (said, took) = body.join().expect("it is let go");
            assert_eq!(statuses(&said), ["408"], "{said}");
            assert!((58..75).contains(&took.as_secs()), "{took:?}");
        }
    });
}

/// Asks for much and never reads; how much of it the server has taken.
fn ask_without_reading(served: &Served, key: &str) -> (TcpStream, usize) {
    let mut stream = served.connect();
    stream.set_write_timeout(Some(Duration::from_secs(2))).expect("a time-out can be set");
    let asked =
        format!("GET /openapi.json HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n\r\n").repeat(20_000);
    let mut sent = 0;
    while sent < asked.len() {
        match stream.write(&asked.as_bytes()[sent..]) {
            Ok(length) => sent += length,
            Err(_) => break,
        }
    }
    (stream, sent)
}

#[test]
fn a_client_that_never_reads_holds_no_memory_and_is_let_go() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    others_are_served(&served, &key);
    let before = memory(&served);
    let (mut stream, sent) = ask_without_reading(&served, &key);
    assert!(sent > 0);
    others_are_served(&served, &key);
    assert!(memory(&served) < before + (32 << 10), "{before} {}", memory(&served));
    // What lies in the system's buffers is all that still comes: the server has closed.
    std::thread::sleep(Duration::from_secs(33));
    let began = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(began.elapsed() < Duration::from_secs(15), "it was not let go");
    assert!(rest.len() < 64 << 20, "{}", rest.len());
    others_are_served(&served, &key);
}

/// Asks for a long answer, takes in so many bytes of it every second, and after so many seconds all
/// that is left; whether it came whole.
fn takes_in(served: &Served, request: &str, every_second: usize, seconds: usize) -> bool {
    let mut stream = served.connect();
    stream.write_all(request.as_bytes()).expect("it can be sent");
    let mut piece = vec![0; every_second];
    for _ in 0..seconds {
        if stream.read_exact(&mut piece).is_err() {
            return false;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).is_ok() && rest.ends_with(b"}\r\n0\r\n\r\n")
}

#[test]
fn who_takes_in_little_is_waited_for_and_who_takes_in_next_to_nothing_is_not() {
    let playdock = closing_store(&[]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let numbers = unknown(60_000);
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let answered = served.post(CLOSE, &[("d3key", &key)], &closing(&numbers));
    let id = answered.header("playdock-execution-id").expect("it has an id");
    let head = format!("GET /api/executions/{id} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n");
    let request = head + "Connection: close\r\n\r\n";
    std::thread::scope(|scope| {
        let little = scope.spawn(|| takes_in(&served, &request, 20 << 10, 40));
        let next_to_nothing = scope.spawn(|| takes_in(&served, &request, 2 << 10, 45));
        assert!(little.join().expect("it is answered"));
        assert!(!next_to_nothing.join().expect("it is let go"));
    });
}

#[test]
fn large_bodies_that_one_key_holds_back_leave_room_for_those_of_others() {
    let playdock = closing_store(&["1"]);
    let (slow, other) = (playdock.key("slow", &[]), playdock.key("other", &[]));
    let served = playdock.serve(&["--rate", "0"]);
    let head = |key: &str, length: &str| {
        format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n{length}\r\n\r\n")
    };
    // More than the smallest that room is taken for, of the largest that there may be.
    let part = " ".repeat(100_000);
    let chunk = format!("{:x}\r\n{part}\r\n", part.len());
    let declared = head(&slow, "Content-Length: 33554432") + &part;
    let chunked = head(&slow, "Transfer-Encoding: chunked") + &chunk;
    let begin = |request: &String| {
        let mut stream = served.connect();
        stream.write_all(request.as_bytes()).expect("it can be sent");
        stream
    };
    let _held: Vec<TcpStream> = [declared, chunked].iter().cycle().take(12).map(begin).collect();
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    let body = closing(&["nothing"]) + &part;
    assert_eq!(served.post(CLOSE, &[("d3key", &other)], &body).status, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
