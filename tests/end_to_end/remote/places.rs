//! The places of executions: keys that take as many as they may leave one to others, and long
//! requests take more of them than short ones.

use super::{ATTACK, CLOSE, attacked_store, closing, outcome, sleeping, start_sleeping};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How many short executions one key can have running at once.
const OF_ONE_KEY: usize = 33;

/// A request under way to run what sleeps, with so many bytes of blanks in its body, that is
/// answered once that has begun.
fn under_way(served: &playdock_tests::Served, key: &str, blanks: usize) -> TcpStream {
    let body = sleeping(&["2"]) + &" ".repeat(blanks);
    let length = body.len();
    let head = format!("POST {ATTACK} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nConnection: close");
    let mut stream = served.connect();
    write!(stream, "{head}\r\nPrefer: respond-async\r\nContent-Length: {length}\r\n\r\n{body}")
        .expect("it can be sent");
    stream
}

/// The status of the answer that comes within a time.
fn status(stream: &mut TcpStream, within: Duration) -> Option<String> {
    stream.set_read_timeout(Some(within)).expect("a stream has a time");
    let mut said = [0; 12];
    stream.read_exact(&mut said).ok()?;
    Some(String::from_utf8_lossy(&said[9..]).into_owned())
}

#[test]
fn keys_that_run_as_much_as_they_may_leave_a_place_to_others() {
    let playdock = attacked_store(&["1", "2"]);
    let busy = [playdock.key("one", &[]), playdock.key("two", &[])];
    let other = playdock.key("other", &[]);
    let mut served = playdock.serve(&["--rate", "0", "--drain", "5"]);
    for key in &busy {
        (0..OF_ONE_KEY).for_each(|_| drop(start_sleeping(&served, key, &[], &["2"])));
    }
    let mut waiting = under_way(&served, &busy[0], 0);
    assert_eq!(status(&mut waiting, Duration::from_millis(300)), None);
    let began = Instant::now();
    let closed = served.post(CLOSE, &[("d3key", &other)], &closing(&["1"]));
    assert_eq!(outcome(&closed).0, "Successful");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    // Who waits for a place is told at once that there will be none; what runs has its time.
    served.signal("TERM");
    let began = Instant::now();
    assert_eq!(status(&mut waiting, Duration::from_secs(3)).as_deref(), Some("500"));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(served.wait().code, Some(0));
}

#[test]
fn a_long_request_takes_the_places_of_many_short_ones() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let long = 7 * (32 << 10);
    for _ in 0..3 {
        let mut other = under_way(&served, &key, long);
        assert_eq!(status(&mut other, Duration::from_secs(10)).as_deref(), Some("202"));
    }
    let mut first = under_way(&served, &key, long);
    assert_eq!(status(&mut first, Duration::from_secs(10)).as_deref(), Some("202"));
    let mut second = under_way(&served, &key, long);
    assert_eq!(status(&mut second, Duration::from_millis(300)), None);
    let mut said = String::new();
    first.read_to_string(&mut said).expect("it can be read");
    let location = said.lines().find_map(|line| line.strip_prefix("location: "));
    let location = location.expect("it says where");
    assert_eq!(served.delete(location, &[("d3key", &key)]).status, 202);
    assert_eq!(status(&mut second, Duration::from_secs(10)).as_deref(), Some("202"));
}
