//! The host as a library sees it: three calls across the boundary, out of which nothing panics.

use super::limits::LogBudget;
use abi_stable::std_types::{RSlice, RStr, RVec};
use playdock_plugin_api::boundary::{Host, Host_TO, HostObject};
use playdock_plugin_api::messages::{self, Reply};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// What answers the calls of a command.
pub trait HostServices: Send + Sync {
    /// Answers a [`Call`](messages::Call) with a [`Reply`], both as JSON.
    fn call(&self, request: &[u8]) -> Vec<u8>;
    /// Takes a record for the log.
    fn log(&self, level: log::Level, target: &str, message: &str);
    /// Whether the command is asked to stop.
    fn is_cancelled(&self) -> bool;
    /// For whom the command works: a site and a user. What it remembers of one must not reach
    /// another. `None` where it works for nobody.
    fn scope(&self) -> Option<(String, String)> {
        None
    }
}

/// Makes the object that crosses the boundary.
pub(super) fn host_object(services: Arc<dyn HostServices>) -> HostObject {
    Host_TO::from_value(Services(services), abi_stable::sabi_trait::TD_Opaque)
}

struct Services(Arc<dyn HostServices>);

// abi_stable ends the process when a panic comes out of here, so none does.
impl Host for Services {
    fn call(&self, request: RSlice<'_, u8>) -> RVec<u8> {
        let answered = catch_unwind(AssertUnwindSafe(|| self.0.call(request.as_slice())));
        answered.unwrap_or_else(|_| internal_error()).into()
    }

    fn log(&self, level: u32, target: RStr<'_>, message: RStr<'_>) {
        let level =
            log::Level::iter().find(|known| *known as u32 == level).unwrap_or(log::Level::Trace);
        // A panic has been printed by the hook; the record is lost.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            self.0.log(level, target.as_str(), message.as_str());
        }));
    }

    fn is_cancelled(&self) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.0.is_cancelled())).unwrap_or(true)
    }
}

fn internal_error() -> Vec<u8> {
    messages::write(&Reply::Failed {
        error: "The host failed at this call; its log says where.".to_owned(),
    })
}

/// For a request in which a command has nothing to ask for.
pub(crate) struct NoServices {
    log: Mutex<LogBudget>,
}

impl NoServices {
    pub(crate) fn new() -> NoServices {
        NoServices { log: Mutex::new(LogBudget::new()) }
    }
}

impl HostServices for NoServices {
    fn call(&self, _request: &[u8]) -> Vec<u8> {
        messages::write(&Reply::Failed { error: "There is no execution.".to_owned() })
    }

    fn log(&self, level: log::Level, target: &str, message: &str) {
        let mut budget = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(message) = budget.take(target, message) {
            log::log!(target: target, level, "{message}");
        }
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}
