//! End-to-end tests: the real program, real libraries, real stores.

mod bad_input;
mod bulk;
mod contract;
mod crashes;
mod database;
mod hostile;
mod loading;
mod misbehaving;
mod retries;
mod trust;
