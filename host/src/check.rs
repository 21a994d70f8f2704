//! Checking a library: what is asked of every plugin, each case in a process of its own.
//!
//! The cases that need no file are [`conformance`]'s; those that need one, or a process, are here.
//! None needs the library to be trusted: its code runs in a process that has entered the sandbox
//! before it opens the library (`case_process.rs`), or in a worker. What is checked in process could
//! forge its own verdict, since it shares the process with whoever judges it, and can do no other
//! harm; in a worker it can't do that either.
//!
//! | file | subject |
//! |---|---|
//! | `catalogue` | all cases: where each runs, and what it is asked of |
//! | `loading`, `leftovers` | the cases of this host |
//! | `bench`, `subject` | what a case has at hand, and the library that it asks |
//! | `case_process`, `messages` | the process of a case, and what it says to the runner |
//! | `runner`, `one_case` | all cases in their order, and one of them with its time limit |
//!
//! [`conformance`]: playdock_plugin_api::testing::conformance

mod bench;
mod case_process;
mod catalogue;
mod leftovers;
mod loading;
mod messages;
mod one_case;
mod runner;
mod subject;

pub(crate) use case_process::serve as serve_as_case;
pub(crate) use catalogue::{Listed, NEEDED_LIBRARIES, catalogue};
pub(crate) use messages::{Amount, Place};
pub(crate) use runner::{Plan, Tried, run};
