//! Outcomes that were refused, handed to the command in replies of about one size: each has an
//! incident with all its facts, and a batch may have thousands.

use playdock_plugin_api::Refusal;
use playdock_plugin_api::messages::{self, CHUNK};
use std::collections::VecDeque;

/// The refusals that a command has not heard of yet.
#[derive(Default)]
pub(super) struct Refusals(VecDeque<Refusal>);

impl From<Vec<Refusal>> for Refusals {
    fn from(refused: Vec<Refusal>) -> Refusals {
        Refusals(refused.into())
    }
}

impl Refusals {
    /// Whether the command has heard of all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next of them, as the bytes of a reply of about [`CHUNK`] bytes.
    pub(super) fn next_reply(&mut self) -> Vec<u8> {
        let mut reply = b"{\"recorded\":{\"refused\":[".to_vec();
        let mut separator: &[u8] = b"";
        while reply.len() < CHUNK
            && let Some(refusal) = self.0.pop_front()
        {
            reply.extend_from_slice(separator);
            messages::append(&refusal, &mut reply);
            separator = b",";
        }
        let end: &[u8] = if self.is_empty() { b"]}}" } else { b"],\"more\":true}}" };
        reply.extend_from_slice(end);
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playdock_plugin_api::messages::Reply;
    use playdock_plugin_api::{Incident, Reason};

    #[test]
    fn many_refusals_come_in_several_replies_and_none_is_lost() {
        let refusal = |position| Refusal {
            reason: Reason::CHANGED_MEANWHILE,
            message: "x".repeat(CHUNK / 2),
            incident: Incident::new(position, "", None),
        };
        let mut refusals = Refusals::from((0..5).map(refusal).collect::<Vec<_>>());
        let mut next = || match messages::read(&refusals.next_reply()).unwrap() {
            Reply::Recorded { refused, more, .. } => {
                (refused.iter().map(|it| it.incident.position).collect::<Vec<_>>(), more)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(next(), (vec![0, 1], true));
        assert_eq!(next(), (vec![2, 3], true));
        assert_eq!(next(), (vec![4], false));
        assert_eq!(next(), (vec![], false));
    }
}
