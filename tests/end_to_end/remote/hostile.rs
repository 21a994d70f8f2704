//! Clients that mean harm: requests that can be read in two ways, paths that can, and clients that
//! take their time or are too many. Each has its status, the server's memory is bounded, and others
//! are served meanwhile.

mod many;
mod paths;
mod shapes;
mod slow;

use super::{CLOSE, closing};
use playdock_tests::{Playdock, Served};
use std::time::{Duration, Instant};

/// The statuses of all responses in what was said.
fn statuses(said: &str) -> Vec<&str> {
    said.split("HTTP/1.1 ").skip(1).filter_map(|response| response.get(..3)).collect()
}

/// The memory that the server has now, in KiB.
pub(super) fn memory(served: &Served) -> u64 {
    let path = format!("/proc/{}/status", served.process());
    let status = std::fs::read_to_string(path).expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).expect("it has memory")
}

/// Others are served, and soon.
fn others_are_served(served: &Served, key: &str) {
    let began = Instant::now();
    let response = served.post(CLOSE, &[("d3key", key)], &closing(&["nothing"]));
    assert_eq!(response.status, 200, "{response:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

fn executions(playdock: &Playdock) -> i64 {
    playdock.value("SELECT count(*) FROM execution")
}
