//! End-to-end tests: the real program, real libraries, real stores.

mod bad_input;
mod bulk;
#[cfg(target_os = "linux")]
mod check;
mod contract;
mod crashes;
mod hostile;
mod loading;
mod misbehaving;
mod retries;
mod trust;
