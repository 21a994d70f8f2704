//! Requests whose end could be seen in two places, whose bodies are packed, or that come in a row:
//! no part of one is ever taken for another request.

use super::super::{CLOSE, closing, closing_store};
use super::{executions, memory, others_are_served, statuses};
use std::io::{Read, Write};

/// What a smuggler wants to have answered.
const SMUGGLED: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[test]
fn a_request_that_could_be_read_in_two_ways_is_refused_and_nothing_after_it_answered() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let shapes = [
        ("Content-Length: 2\r\nContent-Length: 3", "{}"),
        ("Content-Length: 0\r\nContent-Length: 2", "{}"),
        ("Content-Length: 2, 3", "{}"),
        ("Content-Length: +2", "{}"),
        ("Content-Length: -1", "{}"),
        ("Content-Length: 0x2", "{}"),
        ("Content-Length: 2 2", "{}"),
        ("Content-Length: 18446744073709551616", "{}"),
        ("Content-Length:", "{}"),
        ("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4", "0\r\n\r\n"),
        ("Transfer-Encoding: identity", ""),
        ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        ("Transfer-Encoding : chunked", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "g\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "-2\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "0x2\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "2\r\n{}x\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "2\n{}\n0\n\n"),
        ("Transfer-Encoding: chunked", "10000000000000002\r\n{}\r\n0\r\n\r\n"),
        ("a: b\r\n Content-Length: 2", "{}"),
        ("a\rContent-Length: 2", "{}"),
    ];
    for (fields, body) in shapes {
        let head = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n{fields}\r\n\r\n");
        let said = served.send(format!("{head}{body}{SMUGGLED}").as_bytes());
        let statuses = statuses(&said);
        assert!(
            matches!(statuses[..], ["400" | "413" | "501"] | []),
            "{fields:?} {body:?}: {said}"
        );
    }
    assert_eq!(executions(&playdock), 0);
    others_are_served(&served, &key);
}

#[test]
fn lines_that_end_in_a_bare_line_feed_end_there_for_all_of_a_request() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let body = closing(&["1"]);
    let head = format!("POST {CLOSE} HTTP/1.1\nHost: x\nd3key: {key}\nConnection: close");
    let said = served.send(format!("{head}\nContent-Length: {}\n\n{body}", body.len()).as_bytes());
    assert!(matches!(statuses(&said)[..], ["200" | "400"]), "{said}");
    // A line feed inside a field begins another: it can't hide one.
    let head = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nConnection: close");
    let two = format!("{head}\r\na: b\nContent-Length: 0\r\nContent-Length: 2\r\n\r\n{{}}");
    assert_eq!(statuses(&served.send(two.as_bytes())), ["400"]);
}

#[test]
fn requests_in_a_row_are_answered_in_their_order() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let body = closing(&["1"]);
    let length = body.len();
    let close = format!(
        "POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let chunked = format!(
        "POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
    );
    let missing = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    let said = served.send(format!("{close}{missing}{chunked}{SMUGGLED}").as_bytes());
    assert_eq!(statuses(&said), ["200", "404", "200", "200"], "{said}");
    assert!(said.contains("\"Successful\"") && said.contains("already-closed"), "{said}");
    assert!(said.ends_with("ok"), "{said}");
    // A body that nobody reads is no request: neither after a refusal nor after a wrong key.
    let hidden = format!(
        "POST {CLOSE} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{SMUGGLED}",
        SMUGGLED.len()
    );
    let said = served.send(format!("{hidden}{SMUGGLED}").as_bytes());
    assert!(matches!(statuses(&said)[..], ["401"] | ["401", "200"]), "{said}");
}

#[test]
fn a_client_that_asks_before_it_sends_is_told_to_go_on_only_with_a_key() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0", "--max-body", "64KiB"]);
    let body = closing(&["1"]);
    let head = |key: &str, length: usize| {
        format!(
            "POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    assert_eq!(statuses(&served.send(head("wrong", body.len()).as_bytes())), ["401"]);
    assert_eq!(statuses(&served.send(head(&key, 1 << 20).as_bytes())), ["413"]);
    let mut stream = served.connect();
    stream.write_all(head(&key, body.len()).as_bytes()).expect("it can be sent");
    let mut first = [0; 25];
    stream.read_exact(&mut first).expect("it is told to go on");
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).expect("it can be sent");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("it can be read");
    assert_eq!(statuses(&said), ["200"], "{said}");
}

#[test]
fn a_packed_body_is_not_unpacked() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let before = memory(&served);
    // The head of a gzip file, whose content would be anything.
    let packed =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00";
    for coding in ["gzip", "deflate", "br", "zstd", "gzip, gzip"] {
        let head = format!(
            "POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nConnection: close\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
            packed.len()
        );
        let said = served.send(&[head.as_bytes(), packed].concat());
        assert_eq!(statuses(&said), ["400"], "{coding}: {said}");
        assert!(
            said.ends_with(r#"{"Error":"The body of the request must be a valid JSON object"}"#)
        );
    }
    // Nor is an answer packed.
    let listed = served.get("/api/Commands", &[("d3key", &key), ("Accept-Encoding", "gzip, br")]);
    assert_eq!((listed.status, listed.header("content-encoding")), (200, None));
    assert!(memory(&served) < before + (32 << 10));
    assert_eq!(executions(&playdock), 0);
}

#[test]
fn a_body_without_an_end_takes_no_more_memory_than_the_largest() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0", "--max-body", "1MiB"]);
    let before = memory(&served);
    let head = format!(
        "POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let mut piece = b"10000\r\n".to_vec();
    piece.extend([b' '; 0x10000]);
    piece.extend(b"\r\n");
    let endless = || {
        let mut stream = served.connect();
        stream.write_all(head.as_bytes()).expect("it can be sent");
        // 256 MiB, unless it is stopped.
        let sent = (0..4096).take_while(|_| stream.write_all(&piece).is_ok()).count();
        assert!(sent < 1024, "{sent} pieces were taken");
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(endless);
        }
        others_are_served(&served, &key);
    });
    assert!(memory(&served) < before + (48 << 10), "{before} {}", memory(&served));
    others_are_served(&served, &key);
}
