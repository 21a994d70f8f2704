//! The incident context that a command gets: it turns each call into messages to the host.

use crate::change::Change;
use crate::context::{ContextError, Execution, IncidentContext, IncidentPage, Recording};
use crate::host_link::HostLink;
use crate::messages::{self, CHUNK, Call, MessageError, Number, Packed, Reply, RowOutcome};
use crate::outcome::Refusal;
use crate::parameters::TextList;
use std::borrow::Cow;

/// The context of one invocation.
pub(crate) struct HostContext<'a> {
    host: &'a dyn HostLink,
    execution: Execution,
    /// How many of the incidents that were selected have not come yet, once some were: at the end
    /// the host need not be asked for more.
    left: Option<u64>,
}

impl<'a> HostContext<'a> {
    pub(crate) fn new(host: &'a dyn HostLink, execution: Execution) -> HostContext<'a> {
        HostContext { host, execution, left: None }
    }

    fn call(&self, call: &Call<'_>) -> Result<Reply, ContextError> {
        let reply = self.host.call(&messages::write(call));
        match messages::read(&reply) {
            Ok(Reply::Cancelled {}) => Err(ContextError::Cancelled),
            Ok(Reply::Failed { error }) => Err(ContextError::Host(error)),
            Ok(Reply::Unsupported { what }) => Err(ContextError::Unsupported(what)),
            Ok(reply) => Ok(reply),
            Err(error @ MessageError::Unsupported(_)) => {
                Err(ContextError::Host(format!("the host is newer: {error}")))
            }
            Err(error) => Err(ContextError::Host(format!("the host's reply is {error}"))),
        }
    }

    fn select_some(&self, numbers: Vec<Number<'_>>, more: bool) -> Result<u64, ContextError> {
        match self.call(&Call::Select { numbers, more, must_understand: Vec::new() })? {
            Reply::Selected { count } => Ok(count),
            other => Err(unexpected(&other)),
        }
    }

    fn record_some(
        &self,
        conclusion: Option<&str>,
        packed: Packed,
    ) -> Result<Vec<Refusal>, ContextError> {
        let must_understand = must_understand(&packed.outcomes);
        let call = Call::Record {
            conclusion: conclusion.map(Cow::Borrowed),
            rows: packed.rows,
            outcomes: packed.outcomes,
            must_understand,
        };
        let mut reply = self.call(&call)?;
        let mut all = Vec::new();
        loop {
            match reply {
                Reply::Recorded { refused, more, .. } => {
                    all.extend(refused);
                    if !more {
                        return Ok(all);
                    }
                }
                other => return Err(unexpected(&other)),
            }
            reply = self.call(&Call::NextRefusals {})?;
        }
    }
}

impl IncidentContext for HostContext<'_> {
    fn execution(&self) -> &Execution {
        &self.execution
    }

    fn select(&mut self, numbers: &TextList<'_>) -> Result<u64, ContextError> {
        if self.left.is_some() {
            let error = "The command selected incidents a second time.";
            return Err(ContextError::Host(error.to_owned()));
        }
        let mut chunk = Vec::new();
        let mut size = 0;
        for number in numbers.iter() {
            if size + number.len() > CHUNK {
                self.select_some(std::mem::take(&mut chunk), true)?;
                size = 0;
            }
            size += number.len() + 3;
            chunk.push(Number(number));
        }
        // Of no incidents there is nothing to ask the host, and to ask would cost the most.
        let count = if chunk.is_empty() { 0 } else { self.select_some(chunk, false)? };
        self.left = Some(count);
        Ok(count)
    }

    fn next_page(&mut self) -> Result<Option<IncidentPage>, ContextError> {
        if self.left == Some(0) {
            return Ok(None);
        }
        match self.call(&Call::NextIncidents {})? {
            Reply::Incidents { as_of, incidents, .. } => {
                if let Some(left) = &mut self.left {
                    *left = left.saturating_sub(incidents.len() as u64);
                }
                Ok((!incidents.is_empty()).then_some(IncidentPage { as_of, incidents }))
            }
            other => Err(unexpected(&other)),
        }
    }

    fn record(&mut self, recording: &Recording<'_>) -> Result<Vec<Refusal>, ContextError> {
        let mut refused = Vec::new();
        let mut rest = recording.outcomes;
        while !rest.is_empty() {
            let room = CHUNK.saturating_sub(recording.conclusion.map_or(0, str::len));
            let (packed, later) = Packed::of(rest, room);
            refused.extend(self.record_some(recording.conclusion, packed)?);
            rest = later;
        }
        Ok(refused)
    }

    fn progress(&mut self, done: u64, total: u64) -> Result<(), ContextError> {
        match self.call(&Call::Progress { done, total }) {
            // A host that shows no progress is no reason to stop.
            Ok(_) | Err(ContextError::Unsupported(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.host.is_cancelled()
    }
}

/// The changes among these that a host of an earlier version doesn't know.
fn must_understand(outcomes: &[RowOutcome]) -> Vec<String> {
    let assigns = |outcome: &RowOutcome| matches!(outcome.change, Some(Change::Assign { .. }));
    match outcomes.iter().any(assigns) {
        true => vec!["outcomes.change.assign".to_owned()],
        false => Vec::new(),
    }
}

fn unexpected(reply: &Reply) -> ContextError {
    let name = match reply {
        Reply::Selected { .. } => "selected",
        Reply::Incidents { .. } => "incidents",
        Reply::Recorded { .. } => "recorded",
        _ => "done",
    };
    ContextError::Host(format!("the host answered \"{name}\", which is no answer to this call"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Message;
    use crate::testing::InMemoryIncidents;
    use abi_stable::std_types::RVec;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts what it is asked, and says that three are selected.
    #[derive(Default)]
    struct Asked(AtomicUsize);

    impl HostLink for Asked {
        fn call(&self, _: &[u8]) -> RVec<u8> {
            self.0.fetch_add(1, Ordering::Relaxed);
            messages::write(&Reply::Selected { count: 3 }).into()
        }

        fn log(&self, _: log::Level, _: &str, _: &str) {}

        fn is_cancelled(&self) -> bool {
            false
        }
    }

    #[test]
    fn incidents_are_selected_once_and_of_none_the_host_is_not_asked() {
        for (numbers, calls) in [(&[][..], 0), (&["1", "2", "3"][..], 1)] {
            let host = Asked::default();
            let execution = InMemoryIncidents::new([]).execution().clone();
            let mut context = HostContext::new(&host, execution);
            let numbers: TextList<'_> = numbers.iter().copied().collect();
            assert_eq!(context.select(&numbers).ok(), Some(3 * calls as u64));
            assert!(matches!(context.select(&numbers), Err(ContextError::Host(_))));
            assert_eq!(host.0.load(Ordering::Relaxed), calls);
        }
    }

    #[test]
    fn a_change_that_came_later_must_be_understood_and_no_other_names_anything() {
        let of = |change| vec![RowOutcome { position: 0, row: 0, change }];
        let close = Change::Close { version: 1, waived: Vec::new() };
        assert!(must_understand(&of(None)).is_empty());
        assert!(must_understand(&of(Some(close))).is_empty());
        let assign = Change::Assign { version: 1, owner: "jane".to_owned() };
        let named = must_understand(&of(Some(assign)));
        assert_eq!(named, ["outcomes.change.assign"]);
        assert!(Call::KNOWN.contains(&named[0].as_str()));
    }
}
