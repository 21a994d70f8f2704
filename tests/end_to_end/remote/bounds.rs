//! Requests that are too large, too slow, or not what they seem: each has its status, and others
//! are served meanwhile.

use super::{CLOSE, closing, closing_store};
use playdock_tests::Served;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

fn status(said: &str) -> &str {
    said.split(' ').nth(1).unwrap_or_default()
}

fn get(served: &Served, target: &str) -> String {
    served.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
}

#[test]
fn a_path_has_one_spelling_but_for_its_case() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0", "--namespace", "MainApp/VSOC"]);
    let ask = |target: &str| {
        let head = format!("Host: x\r\nd3key: {key}\r\nConnection: close\r\nContent-Length: 2");
        let said = served.send(format!("POST {target} HTTP/1.1\r\n{head}\r\n\r\n{{}}").as_bytes());
        status(&said).to_owned()
    };
    for good in [
        "/MainApp/VSOC/api/Command/CloseIncidentInBulk",
        "/mainapp/vsoc/API/COMMAND/CLOSEINCIDENTINBULK?x=/../",
        "http://elsewhere/MainApp/VSOC/api/Command/CloseIncidentInBulk",
    ] {
        assert_eq!(ask(good), "200", "{good}");
    }
    for trick in [
        "/api/Command/CloseIncidentInBulk",
        "/MainApp/api/Command/CloseIncidentInBulk",
        "//MainApp/VSOC/api/Command/CloseIncidentInBulk",
        "/MainApp//VSOC/api/Command/CloseIncidentInBulk",
        "/MainApp/VSOC/api/Command//CloseIncidentInBulk",
        "/MainApp/VSOC/api/Command/CloseIncidentInBulk/",
        "/MainApp/VSOC/x/../api/Command/CloseIncidentInBulk",
        "/MainApp/VSOC/./api/Command/CloseIncidentInBulk",
        "/MainApp/VSOC/api/Command/..%2fCommand/CloseIncidentInBulk",
        "/MainApp%2fVSOC/api/Command/CloseIncidentInBulk",
        "/MainApp%2FVSOC/api/Command/CloseIncidentInBulk",
        "/MainApp/VSOC/api/Command/Close%49ncidentInBulk",
        "/MainApp/VSOC/api\\Command/CloseIncidentInBulk",
        "/MainApp/VSOC/api/Command/CloseIncidentInBulk;x=1",
        "/MainApp/VSOC/api/Command/",
        "/MainApp/VSOC/api/Command",
        "/",
        "*",
    ] {
        assert!(["404", "400"].contains(&ask(trick).as_str()), "{trick}: {}", ask(trick));
    }
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM execution"), 0);
}

#[test]
fn other_methods_are_refused_alike_for_all_commands() {
    let playdock = closing_store(&[]);
    let served = playdock.serve(&[]);
    for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"] {
        let ask = |command: &str| {
            let line = format!("{method} /api/Command/{command} HTTP/1.1");
            let said =
                served.send(format!("{line}\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
            let said = said.lines().filter(|line| !line.starts_with("date:"));
            said.collect::<Vec<_>>().join("\n")
        };
        let (known, unknown) = (ask("CloseIncidentInBulk"), ask("Nothing"));
        assert_eq!(known, unknown);
        assert_eq!(status(&known), "405", "{method}");
        assert!(known.contains("allow: POST"), "{known}");
    }
}

#[test]
fn a_body_has_a_largest_size_however_it_comes() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0", "--max-body", "256KiB"]);
    let head = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nConnection: close\r\n");
    // Nobody waits for a body that is too large by what is said of it.
    let said = served.send(format!("{head}Content-Length: 99999999999\r\n\r\n").as_bytes());
    assert_eq!(status(&said), "413", "{said}");
    let mut chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..5 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend_from_slice(&[b' '; 0x10000]);
        chunked.extend_from_slice(b"\r\n");
    }
    let mut stream = served.connect();
    stream.write_all(&chunked).expect("it can be sent");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("it can be read");
    assert_eq!(status(&said), "413", "{said}");
    // As large as may be is no error.
    let body = closing(&["1"]);
    let padded = format!("{}{body}", " ".repeat((256 << 10) - body.len()));
    assert_eq!(served.post(CLOSE, &[("d3key", &key)], &padded).status, 200);
    // A body that is coded otherwise would be read as what it isn't.
    let coded = format!("{head}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
    assert_eq!(status(&served.send(coded.as_bytes())), "501");
    // Lengths that contradict each other are no request at all.
    let two = format!("{head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_eq!(status(&served.send(two.as_bytes())), "400");
    let two = format!("{head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}");
    assert_eq!(status(&served.send(two.as_bytes())), "400");
}

#[test]
fn a_head_that_is_too_large_or_no_http_is_refused() {
    let playdock = closing_store(&[]);
    let served = playdock.serve(&[]);
    let long = "x".repeat(200 << 10);
    let said =
        served.send(format!("GET /healthz HTTP/1.1\r\nHost: x\r\na: {long}\r\n\r\n").as_bytes());
    assert_eq!(status(&said), "431", "{said}");
    let many: String = (0..200).map(|number| format!("a{number}: x\r\n")).collect();
    let said = served.send(format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes());
    assert_eq!(status(&said), "431", "{said}");
    let said = get(&served, &format!("/{long}"));
    assert!(["414", "431"].contains(&status(&said)), "{said}");
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\0\r\n\r\n",
    ] {
        let said = served.send(bytes);
        assert!(said.is_empty() || status(&said) == "400", "{said}");
    }
    assert_eq!(served.get("/healthz", &[]).said(), (200, "ok"));
    // What never came to be a request is in the log all the same.
    for refused in [431, 400] {
        served.line(|line| line.contains(&format!(r#""path":"","status":{refused},"#)));
    }
}

#[cfg(unix)]
#[test]
fn requests_that_one_key_leaves_open_leave_connections_to_others() {
    let playdock = closing_store(&["1"]);
    let (key, other) = (playdock.key("one", &[]), playdock.key("other", &[]));
    // Half of these files are for connections, and half of those for each key.
    let served = playdock.serve_limited("ulimit -n 128", &["--rate", "0"]);
    let head = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n");
    let begun = format!("{head}Content-Length: 2\r\n\r\n{{");
    let open: Vec<_> = (0..32)
        .map(|_| {
            let mut stream = served.connect();
            stream.write_all(begun.as_bytes()).expect("it can be sent");
            stream
        })
        .collect();
    let end = Instant::now() + Duration::from_secs(5);
    while served.post(CLOSE, &[("d3key", &key)], "{").status != 429 {
        assert!(Instant::now() < end, "it is not refused");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(served.post(CLOSE, &[("d3key", &other)], &closing(&["1"])).status, 200);
    drop(open);
    while served.post(CLOSE, &[("d3key", &key)], "{").status != 400 {
        assert!(Instant::now() < end, "it stays refused");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn half_a_body_begins_nothing_and_holds_nobody_up() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let body = closing(&["1"]);
    let half = &body[..body.len() / 2];
    let head = format!("POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\n");
    let sent = format!("{head}Content-Length: {}\r\n\r\n{half}", body.len());
    let mut slow: Vec<_> = (0..100).map(|_| served.connect()).collect();
    for stream in &mut slow {
        stream.write_all(sent.as_bytes()).expect("it can be sent");
    }
    assert_eq!(served.post(CLOSE, &[("d3key", &key)], &closing(&[])).status, 200);
    drop(slow);
    assert_eq!(served.get("/readyz", &[]).said(), (200, "ok"));
    assert_eq!(playdock.rows("SELECT status FROM incident"), ["Open"]);
}

#[test]
fn a_client_that_sends_too_slowly_is_let_go() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let head = format!(
        "POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nContent-Length: 100\r\n\r\n{{"
    );
    let began = Instant::now();
    let said = served.send(head.as_bytes());
    assert_eq!(status(&said), "408", "{said}");
    assert!(
        said.ends_with(r#"{"Error":"The body of the request did not come in time."}"#),
        "{said}"
    );
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn idle_connections_hold_nobody_up() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let idle: Vec<_> = (0..600).map(|_| std::net::TcpStream::connect(served.address())).collect();
    assert!(idle.iter().filter(|stream| stream.is_ok()).count() > 500);
    assert_eq!(served.post(CLOSE, &[("d3key", &key)], &closing(&["1"])).status, 200);
}

#[cfg(unix)]
#[test]
fn the_one_that_is_idle_longest_makes_room_for_others() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    // Half of these files are for connections.
    let served = playdock.serve_limited("ulimit -n 128", &["--rate", "0"]);
    let mut idle: Vec<_> = (0..500).map(|_| served.connect()).collect();
    assert_eq!(served.post(CLOSE, &[("d3key", &key)], &closing(&["1"])).status, 200);
    let mut said = [0; 1];
    assert_eq!(idle[0].read(&mut said).expect("it is closed"), 0);
    // The last one still is served.
    let last = idle.last_mut().expect("there is one");
    last.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .expect("it is open");
    let mut said = String::new();
    last.read_to_string(&mut said).expect("it can be read");
    assert_eq!(status(&said), "200");
}
