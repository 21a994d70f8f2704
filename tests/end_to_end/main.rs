//! End-to-end tests: the real program, real libraries, real stores.

mod assigning;
mod authoring;
mod bad_input;
mod bulk;
#[cfg(target_os = "linux")]
mod check;
mod contract;
mod crashes;
mod database;
mod hostile;
mod hosts;
mod loading;
mod misbehaving;
mod protection;
mod releases;
mod remote;
mod reopening;
mod retries;
mod stores;
mod trust;
mod workers;
