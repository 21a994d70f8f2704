//! A small client: connections that stay open, each with a thread, on which requests are written
//! and answers read as bytes. It does little, since it runs on the machine that it measures.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many connections there are.
pub(crate) const CONNECTIONS: usize = 64;

/// What came of many requests.
pub(crate) struct Load {
    /// How long all of them took together.
    pub(crate) took: Duration,
    /// How long each took, in order of length: from when it was due.
    latencies: Vec<Duration>,
}

impl Load {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// The time within which this part of the requests was answered.
    pub(crate) fn within(&self, part: f64) -> Duration {
        let index = (self.latencies.len() as f64 * part) as usize;
        self.latencies[index.min(self.latencies.len() - 1)]
    }
}

/// Sends requests and checks that each is answered with 200 and a body that has this text: as fast
/// as they are answered, or one after the other at a rate.
pub(crate) fn load(
    address: SocketAddr,
    requests: &[Vec<u8>],
    expected: &str,
    rate: Option<f64>,
) -> Load {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let work = || {
            let mut connection = Connection::open(address);
            let mut latencies = Vec::new();
            while let index = next.fetch_add(1, Ordering::Relaxed)
                && let Some(request) = requests.get(index)
            {
                let due = match rate {
                    None => Instant::now(),
                    Some(rate) => began + Duration::from_secs_f64(index as f64 / rate),
                };
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let answer = connection.ask(request);
                assert!(answer.contains(expected), "{answer}");
                latencies.push(due.elapsed());
            }
            latencies
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let took = began.elapsed();
    latencies.sort_unstable();
    Load { took, latencies }
}

/// A connection that stays open.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> Connection {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, buffer: vec![0; 64 << 10] }
    }

    /// Sends a request and waits for the body of its answer.
    fn ask(&mut self, request: &[u8]) -> &str {
        self.stream.write_all(request).unwrap();
        let mut read = 0;
        loop {
            let more = self.stream.read(&mut self.buffer[read..]).unwrap();
            assert!(more > 0, "the server closed the connection");
            read += more;
            let text = std::str::from_utf8(&self.buffer[..read]).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            if body.len() >= length(head) {
                assert!(head.starts_with("HTTP/1.1 200 "), "{text}");
                break;
            }
        }
        let text = std::str::from_utf8(&self.buffer[..read]).unwrap();
        text.split_once("\r\n\r\n").unwrap().1
    }
}

fn length(head: &str) -> usize {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().and_then(|(_, length)| length.parse().ok()).unwrap()
}

/// The body of the answer to a request.
pub(crate) fn ask(address: SocketAddr, request: &[u8]) -> String {
    Connection::open(address).ask(request).to_owned()
}

/// The bytes of a request.
pub(crate) fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nd3key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What a server says at this path.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}
