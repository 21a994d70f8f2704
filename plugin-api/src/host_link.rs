//! The way from a command to its host: the same three calls, whether the host is across the
//! boundary or in the same test.

use crate::boundary::HostObject;
use abi_stable::std_types::RVec;

/// A host that can be called with the bytes of a message.
pub(crate) trait HostLink: Send + Sync {
    /// Hands over a [`Call`](crate::messages::Call), returns a [`Reply`](crate::messages::Reply).
    fn call(&self, request: &[u8]) -> RVec<u8>;
    /// Writes a record to the host's log.
    fn log(&self, level: log::Level, target: &str, message: &str);
    /// Whether the command is asked to stop.
    fn is_cancelled(&self) -> bool;
}

impl HostLink for HostObject {
    fn call(&self, request: &[u8]) -> RVec<u8> {
        crate::boundary::Host_TO::call(self, request.into())
    }

    fn log(&self, level: log::Level, target: &str, message: &str) {
        crate::boundary::Host_TO::log(self, level as u32, target.into(), message.into());
    }

    fn is_cancelled(&self) -> bool {
        crate::boundary::Host_TO::is_cancelled(self)
    }
}
