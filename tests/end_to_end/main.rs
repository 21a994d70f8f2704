//! End-to-end tests: the real program, real libraries, real stores.

mod bad_input;
mod bulk;
mod contract;
mod crashes;
mod hostile;
mod loading;
mod misbehaving;
mod protection;
mod retries;
mod trust;
mod workers;
