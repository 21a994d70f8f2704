//! Several hosts over one store: each is a process of its own, and together they act as one.

#[cfg(target_os = "linux")]
mod closing;
#[cfg(target_os = "linux")]
mod killing;
#[cfg(target_os = "linux")]
mod leases;
#[cfg(target_os = "linux")]
mod outages;
mod servers;

use playdock_tests::{Playdock, Random};
use std::time::SystemTime;

fn number_of(variable: &str, otherwise: usize) -> usize {
    match std::env::var(variable) {
        Ok(number) => number.parse().expect("it is a number"),
        Err(_) => otherwise,
    }
}

/// Randomness that is shown where a test fails.
fn random() -> Random {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seed = number_of("PLAYDOCK_SEED", now.map_or(1, |now| now.subsec_nanos() as usize));
    println!("PLAYDOCK_SEED={seed}");
    Random::new(seed as u64)
}

/// Checks that so many incidents are closed, each by one change.
fn assert_closed_once(playdock: &Playdock, incidents: usize) {
    assert_eq!(playdock.assert_each_is_closed_once(), incidents);
}
