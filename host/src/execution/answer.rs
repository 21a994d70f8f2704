//! What an execution answers: the four members of the contract, and what the faces need beside.

use super::report::{ContextData, Report, Table};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// The answer of an execution.
///
/// As JSON it is the contract's four members in their order: `result`, `error`, `returnData`,
/// `contextData`.
#[derive(Debug)]
pub struct Answer {
    /// The execution's id; `None` for a preview, which isn't remembered.
    pub execution_id: Option<String>,
    /// Whether it succeeded.
    pub return_data: ReturnData,
    /// Empty on success; else one sentence.
    pub error: String,
    /// What else a playbook can use: name to value.
    pub outputs: BTreeMap<String, serde_json::Value>,
    /// A row for each incident; `None` where the execution failed as a whole.
    pub report: Option<Report>,
    /// How the execution ended.
    pub ended: Ended,
    /// Whether it is the stored answer of an execution that had ended before.
    pub replayed: bool,
}

/// `returnData`: whether an execution succeeded; the worse, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReturnData {
    /// For every incident.
    Successful,
    /// For some.
    PartiallySuccessful,
    /// For none, or it failed as a whole.
    Failed,
}

impl ReturnData {
    /// D3's words.
    pub const fn as_str(self) -> &'static str {
        match self {
            ReturnData::Successful => "Successful",
            ReturnData::PartiallySuccessful => "Partially Successful",
            ReturnData::Failed => "Failed",
        }
    }

    /// What so many rows amount to, of which so many failed.
    pub(super) fn of(rows: usize, failed: usize) -> ReturnData {
        match failed {
            0 => ReturnData::Successful,
            _ if failed < rows => ReturnData::PartiallySuccessful,
            _ => ReturnData::Failed,
        }
    }

    /// Reads D3's words; anything else is a failure.
    pub(super) fn parse(text: &str) -> ReturnData {
        match text {
            "Successful" => ReturnData::Successful,
            "Partially Successful" => ReturnData::PartiallySuccessful,
            _ => ReturnData::Failed,
        }
    }
}

impl fmt::Display for ReturnData {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The command came to its end.
    Finished,
    /// It was cancelled; the same id goes on with it.
    Cancelled,
    /// Its time was over; the same id goes on with it.
    DeadlinePassed,
    /// The host stopped in the middle of it; the same id goes on with it.
    HostStopped,
    /// The command's code failed; the same id goes on with it.
    CommandBroke,
    /// The store failed; the same id goes on with it.
    StoreFailed,
}

impl Answer {
    /// The rows as `contextData`, as JSON text.
    pub fn context_data(&self) -> String {
        // Text, numbers and maps with text keys: serde_json can always write them.
        serde_json::to_string(&ContextData(self.report.as_ref())).unwrap_or_default()
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Answer", 4)?;
        members.serialize_field("result", &Table(self.report.as_ref()))?;
        members.serialize_field("error", &self.error)?;
        members.serialize_field("returnData", self.return_data.as_str())?;
        members.serialize_field("contextData", &ContextData(self.report.as_ref()))?;
        members.end()
    }
}
