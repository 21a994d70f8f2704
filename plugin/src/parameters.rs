//! What a user gives to CloseIncidentInBulk.

use crate::rules::Bypasses;
use playdock_plugin_api::parameters::{ActingUser, TextList, YesNo, blank_as_absent, conclusion};
use playdock_plugin_api::rich_text::LONGEST_CONCLUSION;
use schemars::JsonSchema;
use serde::Deserialize;

/// The five parameters, under D3's names.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Parameters<'request> {
    /// The array of incident numbers for the incidents that are to be closed.
    #[serde(rename = "Incident Numbers", borrow)]
    pub(crate) incident_numbers: TextList<'request>,

    /// Whether to proceed with closing the incidents, even if they still have pending tasks of
    /// Required task status.
    #[serde(rename = "Bypass Required Pending Tasks")]
    bypass_required_pending_tasks: YesNo,

    /// Whether to proceed with closing the incidents, even if one or more of their required dynamic
    /// fields (Activity or Info Activity marked as Required on Close) have not received a value.
    #[serde(rename = "Bypass All Required Fields", default, deserialize_with = "blank_as_absent")]
    #[schemars(extend("default" = "No"))]
    bypass_all_required_fields: Option<YesNo>,

    /// The username of the user who is closing the incidents. This parameter will be used only when
    /// the task is automatically executed.
    #[serde(rename = "Username", default)]
    #[allow(dead_code, reason = "the host reads it, to decide who acts")]
    username: ActingUser,

    /// The message to append to the Conclusion section of the incident.
    #[serde(rename = "Conclusion", default, deserialize_with = "conclusion")]
    #[schemars(length(max = LONGEST_CONCLUSION))]
    pub(crate) conclusion: Option<String>,
}

impl Parameters<'_> {
    /// Both bypasses; the one for fields is off unless it is asked for.
    pub(crate) fn bypasses(&self) -> Bypasses {
        Bypasses {
            tasks: self.bypass_required_pending_tasks.0,
            fields: self.bypass_all_required_fields.unwrap_or_default().0,
        }
    }
}
