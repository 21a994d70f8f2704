//! More connections than anybody needs.

use super::super::closing_store;
use super::{memory, others_are_served};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::Write;
use std::net::TcpStream;

/// As many of 10,000 connections as this process may have files for, beside those of other tests.
fn as_many_as_may_be() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum;
    // Without the right to raise it, it stays as it is.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most });
    let files = if raised.is_ok() { most } else { limit.current };
    let files = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    files.saturating_sub(500).min(10_000)
}

#[test]
fn ten_thousand_idle_connections_hold_nobody_up() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let many = as_many_as_may_be();
    if many < 10_000 {
        eprintln!("only {many} connections: the limit of open files is too low for 10,000");
    }
    let served = playdock.serve(&["--rate", "0"]);
    others_are_served(&served, &key);
    let before = memory(&served);
    let connect = |_| TcpStream::connect(served.address());
    let idle: Vec<TcpStream> = (0..many).filter_map(|number| connect(number).ok()).collect();
    assert!(idle.len() >= many * 9 / 10, "{} of {many}", idle.len());
    for _ in 0..10 {
        others_are_served(&served, &key);
    }
    let after = memory(&served);
    assert!(after < before + (128 << 10), "{before} KiB before, {after} KiB with {many}");
}

#[test]
fn connections_that_send_one_byte_and_stay_hold_nobody_up() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    // Half of these files are for connections.
    let served = playdock.serve_limited("ulimit -n 256", &["--rate", "0"]);
    let begin = |_| {
        let mut stream = TcpStream::connect(served.address()).ok()?;
        stream.write_all(b"G").ok().map(|()| stream)
    };
    let begun: Vec<TcpStream> = (0..400).filter_map(begin).collect();
    assert!(begun.len() > 300, "{}", begun.len());
    for _ in 0..4 {
        others_are_served(&served, &key);
    }
}
