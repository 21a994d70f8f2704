//! What the end-to-end tests share: building the real program and the real libraries, running
//! them in a folder of their own, and filling stores.

#![allow(clippy::missing_panics_doc, reason = "a test that can't go on panics")]

mod build;
mod playdock;

pub use build::{library, program};
pub use playdock::{Finished, Playdock};
