//! End-to-end tests: the real program, real libraries, real stores.

mod contract;
mod hostile;
mod loading;
mod misbehaving;
