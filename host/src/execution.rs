//! Running a command once: who acts, what is remembered, what it may do, and what it answers.
//!
//! Every face builds an [`Invocation`] and hands it to [`Host::execute`]. The host resolves the
//! actor, begins the execution in the journal, lets the command's calls reach the store through a
//! session, and makes the [`Answer`] out of what was recorded.
//!
//! | file | subject |
//! |---|---|
//! | `invocation`, `parameters` | what is asked for |
//! | `host`, `journal` | the way from an invocation to an answer, and what is remembered of it |
//! | `crew`, `turns` | the threads of many executions |
//! | `executor`, `worker` | where the command's code runs |
//! | `inspection` | asking a library for its commands that nobody trusts |
//! | `actor` | in whose name |
//! | `session`, `selection`, `given_out`, `record`, `owners`, `waived`, `refusals` | answering a command's calls |
//! | `rows`, `numbers` | what is kept of each of a million incidents, in little memory |
//! | `ending` | what the answer says where a command did not end as it should |
//! | `answer`, `report`, `pieces` | the four members of the contract |
//! | `error` | why there is no answer |

mod actor;
mod answer;
mod crew;
mod ending;
mod error;
mod executor;
mod given_out;
mod host;
mod inspection;
mod invocation;
mod journal;
mod numbers;
mod owners;
mod parameters;
mod pieces;
mod record;
mod refusals;
mod report;
mod rows;
mod selection;
mod session;
mod turns;
mod waived;
mod worker;

pub use answer::{Answer, Ended, ReturnData};
pub(crate) use crew::Crew;
pub use error::ExecutionError;
pub use executor::{Isolation, NotProbed};
pub use host::Host;
pub use inspection::{InspectionError, describe_in_sandbox};
pub use invocation::{Cancellation, Clock, Invocation, Progress, Requester};
pub(crate) use journal::Performed;
pub use parameters::{InvalidParameters, Parameters};
pub(crate) use pieces::Pieces;
pub use report::{Report, ReportRow};
#[cfg(target_os = "linux")]
pub(crate) use worker::{LoneWorker, enter_sandbox, how_it_ended};
pub use worker::{Protection, serve as serve_as_worker};
