//! What a Playdock command is written against.
//!
//! A command is a crate of type `cdylib` that implements [`UtilityCommand`] and calls
//! [`export_plugin!`]. It gets its [parameters] as a struct of its own and an
//! [`IncidentContext`] to work on, says what became of each incident as an [`Outcome`], and the
//! host does the rest: who acts, what is committed, the audit, dates, tables.
//!
//! `playdock new` writes such a crate. An author reads [`UtilityCommand`] first, [`Rules`] and
//! [`judge_each`] next, [`IncidentContext`] where that loop doesn't do, and [`testing`] when the command is to be tested. The [`boundary`],
//! the [`messages`] and the [`identity`] are what the host reads; they depend on nothing that an
//! author writes.
//!
//! | module | subject |
//! |---|---|
//! | `command`, `judging`, `context`, `incident`, `outcome`, `change`, `columns`, [`parameters`], `example` | the author's types |
//! | [`testing`] | incidents in memory, and a library without a file |
//! | [`export`] | what [`export_plugin!`] expands to |
//! | [`boundary`], [`messages`], [`identity`] | what crosses to the host |

mod change;
mod columns;
mod command;
mod context;
mod example;
pub mod export;
mod host_context;
mod host_link;
pub mod identity;
mod incident;
mod judging;
mod log_bridge;
pub mod messages;
mod outcome;
pub mod parameters;
pub mod rich_text;
mod serve;
pub mod testing;
mod timestamp;

pub use playdock_boundary as boundary;

pub use change::{Change, ChangeKind, Waiver};
pub use columns::{Column, ColumnKind, Columns};
pub use command::{CommandError, CommandText, UtilityCommand};
pub use context::{
    Actor, ContextError, Execution, IncidentContext, IncidentPage, Intent, Mode, Recording, Site,
};
pub use example::{Example, ExampleField, ExampleIncident, ExampleOutcome, ExampleTask};
pub use incident::{Earlier, Facts, FieldValue, Incident, RequiredField, RequiredTask, Status};
pub use judging::{Rules, Tally, judge_each};
pub use messages::Finished;
pub use outcome::{Cell, Outcome, OutcomeResult, Reason, Refusal};
pub use timestamp::Timestamp;

/// The version of the oldest compiler that this crate is built and tested with.
pub const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");
