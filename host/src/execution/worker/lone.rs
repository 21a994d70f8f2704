//! One worker outside of the pools, asked request by request: for whoever checks a library and
//! looks at its process meanwhile.

use super::process::Worker;
use crate::execution::executor::{NoResponse, Watch};
use crate::execution::invocation::Cancellation;
use crate::plugins::{HostServices, PluginError, Sealed};
use std::path::Path;
use std::time::{Duration, Instant};

/// Longer than anybody waits; whoever asks has a time limit of their own.
const LONG: Duration = Duration::from_secs(24 * 3600);

/// A worker of one's own.
pub(crate) struct LoneWorker(Worker);

impl LoneWorker {
    /// Starts `program` in its hidden role, which opens the library; `name` is its file.
    ///
    /// # Errors
    ///
    /// Why it doesn't open: a sentence without its end.
    pub(crate) fn start(
        program: &Path,
        sealed: &Sealed,
        name: &Path,
    ) -> Result<LoneWorker, String> {
        Worker::start(program, sealed, name, &watch(None)).map(LoneWorker).map_err(in_words)
    }

    /// Hands a request to the library and returns its response; it is asked to stop at the deadline.
    ///
    /// # Errors
    ///
    /// Why there is none: a sentence without its end. The worker is of no more use then.
    pub(crate) fn ask(
        &mut self,
        request: &[u8],
        services: &dyn HostServices,
        deadline: Option<Instant>,
    ) -> Result<Vec<u8>, String> {
        self.0.invoke(request, services, &watch(deadline)).map_err(in_words)
    }

    /// The id of its process.
    pub(crate) fn process(&self) -> u32 {
        self.0.process()
    }
}

fn watch(deadline: Option<Instant>) -> Watch {
    let deadline = deadline.unwrap_or_else(|| Instant::now() + LONG);
    Watch { deadline, cancellation: Cancellation::default() }
}

fn in_words(why: NoResponse) -> String {
    match why {
        NoResponse::Killed => "it did not stop when its time was over, and was killed".to_owned(),
        NoResponse::Ended(cause) => cause,
        NoResponse::NotStarted(PluginError::NotLoaded { cause, .. }) => cause,
        NoResponse::NotStarted(other) => other.to_string(),
    }
}
