//! Requests that are refused before their body is read: a client that still sends it gets the
//! answer, and the connection serves its next request; one that never ends is let go.

use super::{CLOSE, closing, closing_store};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What is sent after the answer has come.
const REST: usize = 200 << 10;

/// Reads one response; all of them here are short.
fn response(stream: &mut TcpStream) -> String {
    let mut said = String::new();
    let mut byte = [0; 1];
    let ends = |said: &str| {
        let (head, body) = said.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        (Some(body.len()) == length.parse().ok()).then_some(())
    };
    while ends(&said).is_none() {
        stream.read_exact(&mut byte).expect("the answer comes whole");
        said.push(char::from(byte[0]));
    }
    said
}

#[test]
fn a_client_that_still_sends_gets_the_answer_and_keeps_its_connection() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let mut served = playdock.serve(&["--rate", "1", "--max-body", "4KiB"]);
    let good = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n");
    let bad = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: none\r\n");
    let nowhere = format!("POST /none HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n");
    let declared = format!("Content-Length: {}\r\n\r\n", REST + 2);
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", REST + 2);
    for (head, length, status) in [
        (&bad, &declared, "401"),
        (&bad, &chunked, "401"),
        (&nowhere, &declared, "404"),
        (&good, &declared, "413"),
        (&good, &declared, "429"),
    ] {
        let answered = || {
            let mut stream = served.connect();
            stream.write_all(format!("{head}{length}{{ ").as_bytes()).expect("it can be sent");
            let said = response(&mut stream);
            said.starts_with(&format!("HTTP/1.1 {status} ")).then_some(stream)
        };
        // Of two within a second by the same key, the second one is too many.
        let mut stream = (0..9).find_map(|_| answered()).unwrap_or_else(|| panic!("no {status}"));
        for _ in 0..10 {
            stream.write_all(&[b' '; REST / 10]).expect("it is still read");
        }
        if length == &chunked {
            stream.write_all(b"\r\n0\r\n\r\n").expect("it is still read");
        }
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").expect("it is still open");
        assert!(response(&mut stream).starts_with("HTTP/1.1 200 "), "{status}");
    }
    // The key is as good as it was.
    served.kill();
    let served = playdock.serve(&[]);
    assert_eq!(served.post(CLOSE, &[("d3key", &key)], &closing(&["1"])).status, 200);
}

#[test]
fn a_client_that_goes_on_for_ever_is_let_go() {
    let playdock = closing_store(&[]);
    let served = playdock.serve(&[]);
    let head = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
    // One that sends much, and one that sends hardly anything.
    for (piece, pause) in [(256 << 10, Duration::ZERO), (1, Duration::from_millis(100))] {
        let mut stream = served.connect();
        stream.write_all(head.as_bytes()).expect("it can be sent");
        assert!(response(&mut stream).starts_with("HTTP/1.1 401 "));
        let (began, bytes) = (Instant::now(), vec![b' '; piece]);
        let mut sent = 0;
        while stream.write_all(&bytes).is_ok() {
            sent += piece;
            assert!(sent < 64 << 20, "{sent} bytes were taken");
            assert!(began.elapsed() < Duration::from_secs(20), "{sent} bytes");
            std::thread::sleep(pause);
        }
    }
    // Who asks whether to send at all is told no, and nothing is waited for.
    let began = Instant::now();
    let head = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n");
    let said = served.send(format!("{head}Content-Length: 100\r\n\r\n").as_bytes());
    assert!(said.starts_with("HTTP/1.1 401 "), "{said}");
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
}
