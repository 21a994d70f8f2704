//! The log bridge: what a command writes with the `log` crate goes to its host's log.
//!
//! Each dynamic library has its own copy of the `log` crate's state, silent until somebody sets a
//! logger in it. This one is set when the host first calls into the library.

use crate::host_link::HostLink;
use std::cell::RefCell;
use std::sync::{Arc, Once, RwLock, Weak};

thread_local! {
    /// The host of the invocation that runs on this thread.
    static HERE: RefCell<Option<Arc<dyn HostLink>>> = const { RefCell::new(None) };
}

/// The host of the latest invocation, for threads that a command started itself.
static LATEST: RwLock<Option<Weak<dyn HostLink>>> = RwLock::new(None);

struct Bridge;

impl log::Log for Bridge {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if let Some(host) = current_host() {
            host.log(record.level(), record.target(), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn current_host() -> Option<Arc<dyn HostLink>> {
    // A thread that is ending may have dropped its HERE already.
    let here = HERE.try_with(|here| here.try_borrow().ok().and_then(|here| here.clone()));
    here.ok().flatten().or_else(|| LATEST.read().ok()?.as_ref()?.upgrade())
}

/// Puts the bridge in place, for a library that was loaded; in a test the logger is the test's.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error means that the command brought a logger of its own: then that one is used.
        let _ = log::set_logger(&Bridge);
    });
}

/// Sets the level that the host wants, for all invocations of this library.
pub(crate) fn set_level(level: Option<&str>) {
    if let Some(level) = level.and_then(|level| level.parse().ok()) {
        log::set_max_level(level);
    }
}

/// Sends the records of this thread to `host` until the guard is dropped.
pub(crate) fn enter(host: &Arc<dyn HostLink>) -> Entered {
    if let Ok(mut latest) = LATEST.write() {
        *latest = Some(Arc::downgrade(host));
    }
    Entered { outer: HERE.with(|here| here.replace(Some(host.clone()))) }
}

/// Gives a thread back to the invocation that it ran before.
pub(crate) struct Entered {
    outer: Option<Arc<dyn HostLink>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let _ = HERE.try_with(|here| here.replace(outer));
    }
}
